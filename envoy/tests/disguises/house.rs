//! Every server, and the one Envoy before all of them.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context, Result, bail};
use envoy::{
    Config, Envoy, Route,
    config::Cluster,
    filters::PolicyFilter,
    servers::{Kind, Server, Tap},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    exchange::{Answer, exchange},
    request::{ROW, Request},
    words::{GOOD, Words},
};

/// The way to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Door {
    /// Past Envoy.
    Straight,
    /// Through an Envoy that is set up as the shipped configurations are.
    Shipped,
    /// Through an Envoy that hands paths on as they came, and heads before their bodies are judged.
    Untidy,
}

impl Door {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Straight, Self::Shipped, Self::Untidy];
    /// Those through Envoy.
    pub(crate) const POLICED: [Self; 2] = [Self::Shipped, Self::Untidy];
}

/// A server and the ways to it.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) server: Server,
    tap: Tap,
    shipped: SocketAddr,
    untidy: SocketAddr,
}

/// All servers.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) fronts: Vec<Arc<Front>>,
    _envoy: Envoy,
}

impl House {
    pub(crate) async fn start() -> Result<Self> {
        let mut starting = JoinSet::new();
        for kind in Kind::ALL {
            starting.spawn(Server::start(kind));
        }
        let mut servers = vec![];
        while let Some(server) = starting.join_next().await {
            let server = server??;
            let tap = Tap::before(server.address(), ROW).await?;
            servers.push((server, tap));
        }
        servers.sort_by_key(|(server, _)| server.kind());
        let envoy = Envoy::start_with_yaml(&bootstrap(&servers)?.to_string()).await?;
        let mut fronts = vec![];
        for (index, (server, tap)) in servers.into_iter().enumerate() {
            let shipped = envoy.admin().listener(&listener_name(index, Door::Shipped)).await?;
            let untidy = envoy.admin().listener(&listener_name(index, Door::Untidy)).await?;
            fronts.push(Arc::new(Front { server, tap, shipped, untidy }));
        }
        Ok(Self { fronts, _envoy: envoy })
    }
}

impl Front {
    pub(crate) fn kind(&self) -> Kind {
        self.server.kind()
    }

    pub(crate) fn address(&self, door: Door) -> SocketAddr {
        match door {
            Door::Straight => self.server.address(),
            Door::Shipped => self.shipped,
            Door::Untidy => self.untidy,
        }
    }

    /// Sends a request, in a session of its own where the server has sessions.
    pub(crate) async fn send(&self, door: Door, request: &Request, words: &Words) -> Result<Answer> {
        let session = if self.kind().has_sessions() { Some(self.open_session().await?) } else { None };
        let address = self.address(door);
        let bytes = request.bytes(&address.to_string(), words.tag(), session.as_deref());
        Ok(exchange(address, &bytes, request.count()).await)
    }

    /// Whether a request went through Envoy to the server.
    pub(crate) fn was_reached_by(&self, words: &Words) -> bool {
        self.tap.passed(words.tag())
    }

    async fn open_session(&self) -> Result<String> {
        let address = self.address(Door::Straight);
        let host = address.to_string();
        let answer = exchange(address, &Request::post(INITIALIZE).bytes(&host, "", None), 1).await;
        let Some(session) = answer.header("mcp-session-id") else { bail!("no session: {answer:?}") };
        let initialized = Request::post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        exchange(address, &initialized.bytes(&host, "", Some(&session)), 1).await;
        Ok(session)
    }
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;

/// One listener for each server and way: many Envoys would take their time to start.
fn bootstrap(servers: &[(Server, Tap)]) -> Result<Value> {
    let mut whole = json!({});
    for (index, (server, tap)) in servers.iter().enumerate() {
        for door in Door::POLICED {
            let name = listener_name(index, door);
            let config = Config::new(tap.address())
                .cluster(Cluster::new(&name, tap.address()))
                .route(Route::new("all", "/", &name))
                .policy(filter(server.kind(), door)?);
            let mut part = config.bootstrap(Path::new(""));
            let listener = &mut part["static_resources"]["listeners"][0];
            listener["name"] = json!(name);
            if door == Door::Untidy {
                let manager = listener
                    .pointer_mut("/filter_chains/0/filters/0/typed_config")
                    .and_then(Value::as_object_mut)
                    .context("no connection manager")?;
                for setting in ["normalize_path", "merge_slashes", "path_with_escaped_slashes_action"] {
                    manager.remove(setting).with_context(|| format!("{setting} is not set"))?;
                }
            }
            append(&mut whole, part)?;
        }
    }
    Ok(whole)
}

/// Adds the listener of `part` and the clusters that are not there yet.
fn append(whole: &mut Value, part: Value) -> Result<()> {
    if whole["static_resources"].is_null() {
        *whole = part;
        return Ok(());
    }
    for list in ["listeners", "clusters"] {
        let more = part["static_resources"][list].as_array().cloned().unwrap_or_default();
        let known = whole["static_resources"][list].as_array_mut().context("a list")?;
        for one in more {
            if known.iter().all(|other| other["name"] != one["name"]) {
                known.push(one);
            }
        }
    }
    Ok(())
}

/// The first is the one that [`Envoy`] waits for.
fn listener_name(index: usize, door: Door) -> String {
    if (index, door) == (0, Door::Shipped) { "mcp".into() } else { format!("mcp-{index}-{door:?}") }
}

/// One tool, with a word that begins well and no amount above 100, at `/mcp`. What goes elsewhere passes: nothing may go to `/mcp` under another
/// name.
fn filter(kind: Kind, door: Door) -> Result<PolicyFilter> {
    let tools = kind.tools();
    let path = format!("args.{}", tools.argument);
    let require = json!({
        "conditions": [{ "path": path, "op": "starts_with", "value": GOOD }],
        "on_deny": "Only good words.",
    });
    let small = |path| json!({ "conditions": [{ "path": path, "op": "gt", "value": 100 }], "on_deny": "Too much." });
    let rule = json!({ "require": [require], "deny_if": [small("args.amount"), small("args.options.amount")] });
    let policy = json!({ "version": "1", "default": "deny", "tools": { tools.allowed: rule } });
    let request_headers = if door == Door::Untidy { "stream" } else { "hold" };
    let filter = PolicyFilter::new(json!({
        "policies": { "only": policy },
        "routes": [{ "path": "/mcp", "policy": "only" }],
        "unmatched": "pass",
        "request_headers": request_headers,
    }))?;
    Ok(if door == Door::Untidy { filter.without_hold() } else { filter })
}
