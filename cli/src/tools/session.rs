//! A session with an MCP server, as far as it is needed to ask for its tools.

use std::collections::HashSet;

use super::Tool;
use crate::failure::Failure;
use rmcp::{
    RoleClient, Service,
    model::{ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams},
    service::{Peer, ServiceError},
};

/// The most tools that are read: no agent could choose among more, and a server that never ends must end somewhere.
const MAX_TOOLS: usize = 10_000;

/// The most pages of a list.
const MAX_PAGES: usize = 1_000;

/// Who asks.
pub(super) fn client() -> impl Service<RoleClient> {
    ClientConfig::new(ClientCapabilities::default(), Implementation::new("mcp-policy", env!("CARGO_PKG_VERSION")))
}

/// Why no tools were given.
#[derive(Debug)]
pub(super) enum Refused {
    /// The server or the way to it.
    Service(ServiceError),
    /// The list itself.
    List(Failure),
}

/// All pages of the server's list.
pub(super) async fn list(peer: &Peer<RoleClient>) -> Result<Vec<Tool>, Refused> {
    let mut tools = Vec::new();
    let mut seen = HashSet::new();
    let mut cursor: Option<String> = None;
    loop {
        let params = cursor.as_ref().map(|at| PaginatedRequestParams::default().with_cursor(Some(at.clone())));
        let page = peer.list_tools(params).await.map_err(Refused::Service)?;
        for tool in page.tools {
            let tool = serde_json::to_value(tool).and_then(serde_json::from_value::<Tool>);
            tools.push(tool.map_err(|error| Refused::List(Failure::new(format!("a tool is not readable: {error}"))))?);
        }
        let wrong = |what: &str| Err(Refused::List(Failure::new(format!("the server's list of tools {what}"))));
        match page.next_cursor.filter(|next| !next.is_empty()) {
            None => return Ok(tools),
            Some(next) if !seen.insert(next.clone()) => return wrong("comes back to the same page"),
            Some(_) if tools.len() > MAX_TOOLS || seen.len() > MAX_PAGES => return wrong("does not end"),
            Some(next) => cursor = Some(next),
        }
    }
}

/// What went wrong, with its causes, on one line.
pub(super) fn because(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}
