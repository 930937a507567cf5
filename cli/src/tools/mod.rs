//! What an MCP server offers: its tools, as `tools/list` has them, from a file or from a server that is asked.

mod from;
mod http;
mod listing;
mod record;
mod session;
mod sse;
mod stdio;
mod streamable;

use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use from::{From, Server};
pub(crate) use listing::Listing;

/// One tool, as its server defines it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tool {
    /// The name that calls say.
    pub(crate) name: String,
    /// A name for people.
    pub(crate) title: Option<String>,
    /// What it does, in the server's words.
    pub(crate) description: Option<String>,
    /// The JSON Schema of its arguments.
    #[serde(default)]
    pub(crate) input_schema: Map<String, Value>,
    /// What the server says of its risk: hints, which nothing holds it to.
    #[serde(default)]
    pub(crate) annotations: Annotations,
}

/// A server's hints about a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Annotations {
    /// Another name for people.
    pub(crate) title: Option<String>,
    /// It changes nothing.
    pub(crate) read_only_hint: Option<bool>,
    /// It may destroy something.
    pub(crate) destructive_hint: Option<bool>,
    /// Calling it twice does what calling it once does.
    pub(crate) idempotent_hint: Option<bool>,
    /// It deals with the outside world.
    pub(crate) open_world_hint: Option<bool>,
}
