//! A laboratory robot's MCP server, with the robot simulated.
//!
//! It has the fourteen tools of the Opentrons MCP server, by name and by input schema. It remembers every
//! `tools/call` that reached it, so that a test can prove that a refused one did not.

mod robot;
mod service;
mod tools;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{Json, Router, extract::State, routing::get};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub use tools::TOOL_NAMES;

use crate::{Error, Result};
use robot::Laboratory;
use service::LabService;

/// How the server answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Answers {
    /// In an event stream, within a session.
    #[default]
    Events,
    /// As plain JSON, without sessions.
    Json,
}

/// One `tools/call` that reached the server.
#[derive(Debug, Clone, PartialEq)]
pub struct Executed {
    /// The tool's name as it was sent.
    pub tool: String,
    /// Its arguments; an empty object if there were none.
    pub arguments: Value,
}

/// What all sessions of one server share.
#[derive(Debug, Default)]
struct Shared {
    laboratory: Laboratory,
    executed: Vec<Executed>,
}

/// A running lab server; it stops when dropped.
#[derive(Debug)]
pub struct LabServer {
    address: SocketAddr,
    shared: SharedLab,
    task: JoinHandle<()>,
}

/// A handle on the state that sessions and the test share.
#[derive(Debug, Clone, Default)]
struct SharedLab(Arc<Mutex<Shared>>);

impl SharedLab {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        // The state stays usable after a panic elsewhere: nothing is left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LabServer {
    /// Starts on `port` of 127.0.0.1; 0 takes a free one.
    ///
    /// # Errors
    /// [`Error::Listen`] if the port is taken.
    pub async fn start(port: u16, answers: Answers) -> Result<Self> {
        let shared = SharedLab::default();
        let mut config = StreamableHttpServerConfig::default();
        if answers == Answers::Json {
            config = config.with_legacy_session_mode(false).with_json_response(true);
        }
        let factory = shared.clone();
        let service: StreamableHttpService<LabService, LocalSessionManager> =
            StreamableHttpService::new(move || Ok(LabService::new(factory.clone())), Arc::default(), config);
        let router =
            Router::new().route("/executed", get(executed)).with_state(shared.clone()).nest_service("/mcp", service);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        let task = tokio::spawn(async move {
            // Serving ends only with the task.
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { address, shared, task })
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its own MCP endpoint, past any Envoy.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Every call that reached it, in order.
    #[must_use]
    pub fn executed(&self) -> Vec<Executed> {
        self.shared.lock().executed.clone()
    }

    /// How many calls of `tool` reached it.
    #[must_use]
    pub fn times_executed(&self, tool: &str) -> usize {
        self.shared.lock().executed.iter().filter(|call| call.tool == tool).count()
    }
}

impl Drop for LabServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `GET /executed`: the same for whoever watches from outside.
async fn executed(State(shared): State<SharedLab>) -> Json<Value> {
    let calls = &shared.lock().executed;
    Json(calls.iter().map(|call| json!({ "tool": call.tool, "arguments": call.arguments })).collect())
}
