//! The demonstration: real calls to a simulated robot, and what the policy makes of each.

mod script;
mod transcript;

use std::net::{Ipv4Addr, TcpListener};

use serde_json::json;

pub use script::{Expected, Step, steps};
pub use transcript::{Fate, Transcript};

use crate::{
    Config, Envoy, Result, Route,
    client::Client,
    config::UPSTREAM,
    examples,
    filters::PolicyFilter,
    lab::{Answers, LabServer},
};

/// Where the catalogue's policy holds.
pub const CATALOGUE_PATH: &str = "/mcp";

/// Where the recommended policy holds, on the same Envoy.
pub const RECOMMENDED_PATH: &str = "/recommended/mcp";

/// A policed laboratory that stays up until dropped.
#[derive(Debug)]
pub struct Demo {
    /// The simulated robot's server.
    pub lab: LabServer,
    /// The only way to it.
    pub envoy: Envoy,
}

impl Demo {
    /// Starts the laboratory and an Envoy with two workers, on `port` or, where that is taken, on a free one.
    ///
    /// # Errors
    /// If the filter is not built, or Envoy cannot be fetched.
    pub async fn start(port: u16) -> Result<Self> {
        let lab = LabServer::start(0, Answers::Events).await?;
        let configuration = json!({
            "policies": {
                "catalogue": examples::policy("opentrons/catalogue")?,
                "recommended": examples::policy("opentrons/policy")?,
            },
            "routes": [
                { "route": "recommended", "policy": "recommended" },
                { "route": "everything", "policy": "catalogue" },
            ],
            "request_headers": "hold",
        });
        let recommended = Route::new("recommended", RECOMMENDED_PATH, UPSTREAM).with("prefix_rewrite", json!("/mcp"));
        let config = Config::new(lab.address())
            .port(free_or_any(port))
            .route(recommended)
            .policy(PolicyFilter::new(configuration)?);
        Ok(Self { envoy: Envoy::start(&config).await?, lab })
    }

    /// Makes every call of the script, and returns what became of them.
    ///
    /// # Errors
    /// If a session breaks: a refusal is not an error.
    pub async fn play(&self) -> Result<Transcript> {
        let mut transcript = Transcript::default();
        for path in [CATALOGUE_PATH, RECOMMENDED_PATH] {
            let client = Client::connect(self.envoy.url(path)).await?;
            transcript.session(path, &client.tools().await?);
            for step in steps(path) {
                let outcome = client.call(step.tool, step.arguments.clone()).await?;
                transcript.call(step, &outcome);
            }
            client.close().await?;
        }
        transcript.end(self.lab.executed().len());
        Ok(transcript)
    }
}

/// `port` if it is free, else 0. Envoy itself would share it with another Envoy instead of failing.
fn free_or_any(port: u16) -> u16 {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() { port } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_given_up_for_a_free_one() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert_eq!(free_or_any(taken.local_addr().unwrap().port()), 0);
    }
}
