//! What is compared.

use std::net::SocketAddr;

use serde_json::json;

use super::bodies::{TOOL, UNCOUNTED};
use crate::{
    Config, Result,
    filters::{PolicyFilter, envoy_mcp, envoy_rbac},
    policed::held,
};

/// What the upstream answers to everything.
pub(super) const UPSTREAM_ANSWER: &str =
    r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"done"}]}}"#;

/// The header that tells agents apart.
pub(super) const AGENT: &str = "x-agent";

/// One Envoy of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// No filter but the router.
    Bare,
    /// This filter: a rule that allows.
    Allow,
    /// This filter: an argument is compared with a regular expression.
    Condition,
    /// This filter: the call is counted.
    Limit,
    /// This filter: the call is counted for the agent that a header names. Not in the table.
    LimitByAgent,
    /// This filter: the call is denied, and answered by the filter.
    Denied,
    /// Envoy's own `mcp` and `rbac`: the tool is on the list.
    EnvoyAllow,
    /// Envoy's own `mcp` and `rbac`: the tool is not on the list.
    EnvoyDenied,
}

impl Variant {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 7] =
        [Self::Bare, Self::Allow, Self::Condition, Self::Limit, Self::Denied, Self::EnvoyAllow, Self::EnvoyDenied];

    /// For the head of a row.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "no filter",
            Self::Allow => "this filter, allowed",
            Self::Condition => "this filter, allowed by a regex on an argument",
            Self::Limit => "this filter, allowed and counted",
            Self::LimitByAgent => "this filter, allowed and counted by agent",
            Self::Denied => "this filter, denied",
            Self::EnvoyAllow => "Envoy's mcp + rbac, allowed",
            Self::EnvoyDenied => "Envoy's mcp + rbac, denied",
        }
    }

    /// What every answer must hold, so that nothing else is measured by mistake.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Denied => "[POLICY DENIED]",
            Self::EnvoyDenied => "RBAC: access denied",
            _ => "done",
        }
    }

    /// Its Envoy.
    pub(super) fn config(self, upstream: SocketAddr) -> Result<Config> {
        let config = Config::new(upstream);
        let tools = match self {
            Self::Bare => return Ok(config),
            Self::EnvoyAllow => {
                return Ok(config.in_front(envoy_mcp()).in_front(envoy_rbac(TOOL)));
            }
            Self::EnvoyDenied => {
                return Ok(config.in_front(envoy_mcp()).in_front(envoy_rbac("other")));
            }
            Self::Allow => json!({ TOOL: {} }),
            Self::Condition => json!({ TOOL: { "require": [{
                "conditions": [{ "path": "args.run_id", "op": "regex", "value": "^[0-9a-f]{32}$" }],
                "on_deny": "That is not the id of a run.",
            }] } }),
            Self::Limit | Self::LimitByAgent => json!({
                TOOL: {
                    "limits": [{ "counter": "reads", "window": "minute", "max": 1_000_000_000, "scope": "grant" }],
                },
                UNCOUNTED: {},
            }),
            Self::Denied => json!({ "other": {} }),
        };
        let mut filter = held(&json!({ "version": "1", "default": "deny", "tools": tools }));
        if self == Self::LimitByAgent {
            filter["identity"] = json!({ "grant": [{ "header": AGENT }] });
        }
        Ok(config.policy(PolicyFilter::new(filter)?))
    }
}
