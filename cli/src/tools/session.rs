//! A session with an MCP server, as far as it is needed to ask for its tools.

use std::collections::HashSet;

use rmcp::{
    RoleClient, Service,
    model::{
        ClientCapabilities, ClientConfig, ClientRequest, Implementation, ListToolsRequest, ListToolsRequestMethod,
        PaginatedRequestParams,
    },
    service::{Peer, PeerRequestOptions, ServiceError},
};
use serde::{Deserialize, de::IgnoredAny};

use super::record::Record;
use crate::failure::Failure;

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

/// The server's answers to `tools/list`, one for each page, as it sent them.
pub(super) type Pages = Vec<Vec<u8>>;

/// All pages of the server's list.
pub(super) async fn list(peer: &Peer<RoleClient>, record: &Record) -> Result<Pages, Refused> {
    let wrong = |what: &str| Refused::List(Failure::new(format!("the server's list of tools {what}")));
    let mut pages = Pages::new();
    let mut tools = 0_usize;
    let mut seen = HashSet::new();
    let mut cursor: Option<String> = None;
    loop {
        let text = ask(peer, record, cursor).await.map_err(Refused::Service)?;
        let text = text.ok_or_else(|| wrong("cannot be told from its other answers"))?;
        let answer: Answer = serde_json::from_slice(&text).map_err(|error| {
            Refused::List(Failure::new(format!("the server's answer is no list of tools: {error}")))
        })?;
        tools = tools.saturating_add(answer.result.tools.map_or(0, |tools| tools.len()));
        pages.push(text);
        match answer.result.next_cursor.filter(|next| !next.is_empty()) {
            None => return Ok(pages),
            Some(next) if !seen.insert(next.clone()) => return Err(wrong("comes back to the same page")),
            Some(_) if tools > MAX_TOOLS || seen.len() > MAX_PAGES => return Err(wrong("does not end")),
            Some(next) => cursor = Some(next),
        }
    }
}

/// Asks for a page. None if what came cannot be told.
async fn ask(
    peer: &Peer<RoleClient>,
    record: &Record,
    cursor: Option<String>,
) -> Result<Option<Vec<u8>>, ServiceError> {
    record.forget();
    let params = cursor.map(|at| PaginatedRequestParams::default().with_cursor(Some(at)));
    let request =
        ListToolsRequest { method: ListToolsRequestMethod, params, extensions: rmcp::model::Extensions::default() };
    let request = ClientRequest::ListToolsRequest(request);
    let asked = peer.send_cancellable_request(request, PeerRequestOptions::default()).await?;
    let question = asked.id.clone();
    // What rmcp makes of the answer is no matter: it may know less than the server says.
    asked.await_response().await?;
    Ok(record.answer(&question))
}

/// An answer to `tools/list`, as far as it says where the list goes on.
#[derive(Deserialize)]
struct Answer {
    result: Page,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    // Go servers write an empty list as null.
    tools: Option<Vec<IgnoredAny>>,
    next_cursor: Option<String>,
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
