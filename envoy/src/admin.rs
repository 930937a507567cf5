//! Envoy's admin page.

use std::{collections::BTreeMap, net::SocketAddr};

use serde_json::Value;

use crate::{Error, Result};

/// A client of one Envoy's admin page.
#[derive(Debug, Clone)]
pub struct Admin {
    address: SocketAddr,
    http: reqwest::Client,
}

impl Admin {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, http: crate::http() }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// One page's text, whatever its status.
    ///
    /// # Errors
    /// If Envoy does not answer.
    pub async fn page(&self, path: &str) -> Result<String> {
        Ok(self.http.get(format!("http://{}{path}", self.address)).send().await?.text().await?)
    }

    /// Whether Envoy serves: all clusters, listeners and filters are warm.
    pub(crate) async fn is_ready(&self) -> bool {
        self.page("/ready").await.is_ok_and(|text| text.trim() == "LIVE")
    }

    /// The address that the kernel gave to the listener called `name`.
    ///
    /// # Errors
    /// If there is no such listener, or it is not bound.
    pub async fn listener(&self, name: &str) -> Result<SocketAddr> {
        let text = self.page("/listeners?format=json").await?;
        let unexpected = || Error::Unexpected { from: "/listeners", answer: text.clone() };
        let page: Value = serde_json::from_str(&text).map_err(|_| unexpected())?;
        page["listener_statuses"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|listener| listener["name"] == name)
            .map(|listener| &listener["local_address"]["socket_address"])
            .and_then(|socket| {
                let address = format!("{}:{}", socket["address"].as_str()?, socket["port_value"].as_u64()?);
                address.parse().ok()
            })
            .ok_or_else(unexpected)
    }

    /// All counters and gauges whose names hold `part`; never-touched ones included.
    ///
    /// # Errors
    /// If Envoy does not answer.
    pub async fn stats(&self, part: &str) -> Result<BTreeMap<String, u64>> {
        let text = self.page("/stats").await?;
        Ok(text
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| name.contains(part))
            .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
            .collect())
    }
}
