//! Real servers on the SDKs that are deployed, each with one tool that a policy allows and one that it does not.
//!
//! They differ in what they make of a body (JSON library, charset, encoding, message types), and agree in what a test
//! asks of them: which of the two tools ran, and with which word. That is told by a side channel and not by their
//! answers, since whoever disguises a call need not care for the answer.

mod backend;
mod clients;
mod go;
mod notes;
mod tap;
mod two_tools;

use std::net::SocketAddr;

pub use clients::{Call, Caller};
pub use tap::Tap;

use crate::{
    Result,
    lab::{Answers, LabServer},
    real::RealServer,
};
use backend::Backend;
use notes::Notes;

/// One SDK in one release, as a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The Python SDK 1.x: Starlette, `json`.
    Python1,
    /// The Python SDK 2.x.
    Python2,
    /// The TypeScript SDK 1.x behind `express.json()`.
    TypeScript1,
    /// The TypeScript SDK 2.x behind `express.json()`.
    TypeScript2,
    /// `rmcp`: serde.
    Rust,
    /// `mcp-prometheus`: the official Go SDK 1.2, which reads with `encoding/json`.
    Prometheus,
    /// `podman-mcp-server`: the official Go SDK 1.3, which reads with another library.
    Podman,
    /// `mcp-nomad`: mcp-go.
    Nomad,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Python1,
        Self::Python2,
        Self::TypeScript1,
        Self::TypeScript2,
        Self::Rust,
        Self::Prometheus,
        Self::Podman,
        Self::Nomad,
    ];

    /// Its SDK.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Python1 => "Python SDK 1",
            Self::Python2 => "Python SDK 2",
            Self::TypeScript1 => "TypeScript SDK 1",
            Self::TypeScript2 => "TypeScript SDK 2",
            Self::Rust => "rmcp",
            Self::Prometheus => "Go SDK 1.2",
            Self::Podman => "Go SDK 1.3",
            Self::Nomad => "mcp-go",
        }
    }

    /// What its two tools are called.
    #[must_use]
    pub fn tools(self) -> Tools {
        let (allowed, forbidden, argument) = match self {
            Self::Python1 | Self::Python2 | Self::TypeScript1 | Self::TypeScript2 => ("allowed", "forbidden", "word"),
            Self::Rust => ("get_runs", "home_robot", "robot_ip"),
            Self::Prometheus => ("query", "queryRange", "promql"),
            Self::Podman => ("container_inspect", "container_remove", "name"),
            Self::Nomad => ("get_job", "stop_job", "job_id"),
        };
        Tools { allowed, forbidden, argument }
    }

    /// Whether it serves MCP at `/mcp` only; the others do at any path.
    #[must_use]
    pub fn has_one_path(self) -> bool {
        !matches!(self, Self::Prometheus | Self::Nomad)
    }

    /// Whether a call must name a session.
    #[must_use]
    pub fn has_sessions(self) -> bool {
        matches!(self, Self::Prometheus | Self::Podman | Self::Nomad)
    }
}

/// The names that a server's two tools have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tools {
    /// The one to allow.
    pub allowed: &'static str,
    /// The one to forbid.
    pub forbidden: &'static str,
    /// The argument of both that is the word, a string.
    pub argument: &'static str,
}

/// One call that a server executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// The tool.
    pub tool: String,
    /// Its word.
    pub word: String,
}

/// A running server with its MCP endpoint at `/mcp`.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    running: Running,
}

#[derive(Debug)]
enum Running {
    /// It notes its calls in a file.
    Noting { server: RealServer, notes: Notes },
    /// What it does is done by another server.
    Asking { server: RealServer, backend: Backend },
    /// Within this process.
    Here(LabServer),
}

impl Server {
    /// Starts a server of `kind`.
    ///
    /// # Errors
    /// If it cannot be fetched, or does not come up.
    pub async fn start(kind: Kind) -> Result<Self> {
        let running = match kind {
            Kind::Python1 | Kind::Python2 | Kind::TypeScript1 | Kind::TypeScript2 => two_tools::start(kind).await?,
            Kind::Rust => Running::Here(LabServer::start(0, Answers::Json).await?),
            Kind::Prometheus => go::prometheus().await?,
            Kind::Podman => go::podman().await?,
            Kind::Nomad => go::nomad().await?,
        };
        Ok(Self { kind, running })
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match &self.running {
            Running::Noting { server, .. } | Running::Asking { server, .. } => server.address(),
            Running::Here(lab) => lab.address(),
        }
    }

    /// Every call that it executed, in order.
    ///
    /// # Errors
    /// If its notes cannot be read.
    pub fn executed(&self) -> Result<Vec<Executed>> {
        match &self.running {
            Running::Noting { notes, .. } => notes.read(),
            Running::Asking { backend, .. } => Ok(backend.asked()),
            Running::Here(lab) => {
                let Tools { allowed, forbidden, argument } = self.kind.tools();
                let executed = lab.executed().into_iter().map(|call| Executed {
                    word: call.arguments[argument].as_str().unwrap_or_default().to_owned(),
                    tool: call.tool,
                });
                // It remembers calls of tools that it has not, too.
                Ok(executed.filter(|call| call.tool == allowed || call.tool == forbidden).collect())
            }
        }
    }
}
