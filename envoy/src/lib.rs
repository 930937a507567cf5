//! The filter in a real Envoy: what starts one, what stands behind it, and what calls through it.
//!
//! ```text
//! client::Client ──> running::Envoy ──> lab::LabServer        a simulated robot, speaks MCP
//!                        │            upstream::Upstream    records every byte that arrives
//!                        └─ config::Config                  what Envoy is told, as JSON
//! ```
//!
//! [`fetch`] brings the real Envoy, real servers and their clients onto the machine, pinned and only once.
//! Everything listens on 127.0.0.1 on a free port, writes to its own temporary folder and ends with the
//! value that started it, so tests run in parallel.

pub mod admin;
pub mod bench;
mod callgrind;
pub mod child;
pub mod client;
pub mod config;
pub mod conformance;
pub mod demo;
mod error;
pub mod examples;
pub mod fetch;
pub mod filters;
mod http;
pub mod lab;
pub mod policed;
pub mod ratelimit;
pub mod raw;
pub mod real;
pub mod running;
pub mod servers;
pub mod tls;
pub mod token;
pub mod upstream;
pub mod wire;
pub mod workspace;

pub use config::{Cluster, Config, Route};
pub use error::{Error, Result};
pub use http::http;
pub use running::{Envoy, Update};
