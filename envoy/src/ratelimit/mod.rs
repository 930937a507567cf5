//! Rate-limit services to put behind Envoy: as the two that people run answer, and as a broken one does.
//!
//! They speak `envoy.service.ratelimit.v3` over gRPC on a free port of 127.0.0.1, and record what they were asked.
//! [`Kind::Limitador`] is made of Limitador's own library. [`Kind::Ratelimit`] imitates envoyproxy/ratelimit, which is
//! written in Go: what it does and leaves undone was read off its source.

mod fixed;
mod limitador;
mod raw;
mod redis;
mod service;

pub use limitador::{Headers, Store};
pub use raw::ask;
pub use redis::Redis;
pub use service::RateLimitService;

pub use envoy_types::pb::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse};
pub use tonic::{Code, Status};

use std::time::Duration;

/// What a service does with what it is asked.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Counts as envoyproxy/ratelimit does, with a file for each of these domains and nothing in it: a limit override is
    /// followed, and what has none, or another domain, is admitted.
    Ratelimit {
        /// The domains.
        domains: Vec<String>,
    },
    /// Counts as Limitador does.
    Limitador {
        /// The limits file, as YAML.
        limits: String,
        /// Where the counts are.
        store: Store,
        /// Whether answers name the limits.
        headers: Headers,
    },
    /// Answers as [`Kind::Ratelimit`] for the domain `mcp`, but only after this time.
    Slow(Duration),
    /// Answers that the code is unknown.
    Unknown,
    /// Answers with bytes that are no message.
    Garbage,
    /// Ends each call with this status of gRPC.
    GrpcStatus(Code),
}

impl Kind {
    /// [`Kind::Ratelimit`] with the domain that configurations have if they name none.
    #[must_use]
    pub fn ratelimit() -> Self {
        Self::Ratelimit { domains: vec!["mcp".to_owned()] }
    }

    /// [`Kind::Limitador`] as it has to be started for the filter: answers name the limits.
    #[must_use]
    pub fn limitador(limits: impl Into<String>, store: Store) -> Self {
        Self::Limitador { limits: limits.into(), store, headers: Headers::Draft03 }
    }
}
