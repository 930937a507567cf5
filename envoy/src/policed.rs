//! The usual set-up: the simulated laboratory behind an Envoy with a policy.

use serde_json::{Value, json};

use crate::{
    Config, Envoy, Result,
    client::Client,
    filters::PolicyFilter,
    lab::{Answers, LabServer},
};

/// A lab server, and the only way to it.
#[derive(Debug)]
pub struct Policed {
    /// The server, for what reached it.
    pub lab: LabServer,
    /// The Envoy in front.
    pub envoy: Envoy,
}

impl Policed {
    /// Starts both, with `configuration` as the plugin's: a bare policy or an envelope.
    ///
    /// # Errors
    /// If the filter is not built, or does not take the configuration.
    pub async fn start(configuration: &Value, answers: Answers) -> Result<Self> {
        let lab = LabServer::start(0, answers).await?;
        let envoy = Envoy::start(&Config::new(lab.address()).policy(PolicyFilter::new(configuration)?)).await?;
        Ok(Self { lab, envoy })
    }

    /// Opens a session through Envoy.
    ///
    /// # Errors
    /// If `initialize` fails.
    pub async fn client(&self) -> Result<Client> {
        Client::connect(self.envoy.url("/mcp")).await
    }
}

/// `policy` for every path, with heads held back until their bodies are judged, as the shipped
/// configurations do.
#[must_use]
pub fn held(policy: &Value) -> Value {
    json!({
        "policies": { "only": policy },
        "routes": [{ "policy": "only" }],
        "request_headers": "hold",
    })
}
