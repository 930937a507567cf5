//! HTTP filters as Envoy's configuration spells them.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{Result, token, workspace};

/// The name under which the policy filter appears in Envoy's configuration and statistics.
pub const POLICY_FILTER: &str = "mcp_policy";

/// Envoy's Wasm filter with our module in it.
#[derive(Debug, Clone)]
pub struct PolicyFilter {
    /// The module to load.
    pub module: PathBuf,
    /// The plugin's configuration: text, because a malformed one must be expressible.
    pub configuration: String,
    /// `allow_on_headers_stop_iteration`: whether the filter may hold the head of a request back.
    pub hold: bool,
    /// What becomes of requests after a trap: `FAIL_RELOAD`, `FAIL_CLOSED` or `FAIL_OPEN`.
    pub failure_policy: &'static str,
}

impl PolicyFilter {
    /// The compiled filter with `configuration`, set up as the shipped configurations are.
    ///
    /// # Errors
    /// [`crate::Error::NoFilter`] if it has not been built.
    pub fn new(configuration: impl ToString) -> Result<Self> {
        Ok(Self {
            module: workspace::filter()?,
            configuration: configuration.to_string(),
            hold: true,
            failure_policy: "FAIL_RELOAD",
        })
    }

    /// With `allow_on_headers_stop_iteration` left out, as Istio's and Envoy Gateway's own resources leave it.
    #[must_use]
    pub fn without_hold(mut self) -> Self {
        self.hold = false;
        self
    }

    /// The `typed_config` of the filter.
    #[must_use]
    pub fn typed_config(&self) -> Value {
        let mut plugin = json!({
            "name": POLICY_FILTER,
            "root_id": POLICY_FILTER,
            "failure_policy": self.failure_policy,
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": self.configuration,
            },
            "vm_config": {
                "vm_id": POLICY_FILTER,
                "runtime": "envoy.wasm.runtime.v8",
                "code": { "local": { "filename": self.module } },
            },
        });
        if self.hold {
            plugin["allow_on_headers_stop_iteration"] = json!(true);
        }
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": plugin,
        })
    }
}

/// The last filter of every chain.
#[must_use]
pub fn router() -> Value {
    json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    })
}

/// Requires a JWT from [`crate::token`], and leaves its claims in the metadata under `jwt`.
#[must_use]
pub fn jwt_authn() -> Value {
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { "company": {
                "issuer": token::ISSUER,
                "local_jwks": { "inline_string": token::jwks() },
                "payload_in_metadata": "jwt",
            } },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "company" } }],
        },
    })
}

/// Envoy's own MCP filter: reads the request and leaves method and params in the metadata.
#[must_use]
pub fn envoy_mcp() -> Value {
    json!({
        "name": "envoy.filters.http.mcp",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.mcp.v3.Mcp",
            "traffic_mode": "REJECT_NO_MCP",
            // Its default of 8 KiB refuses larger calls; this is our own default.
            "max_request_body_size": 1_048_576,
        },
    })
}

/// Envoy's own access control behind [`envoy_mcp`]: of all tools, only `tool` may be called.
#[must_use]
pub fn envoy_rbac(tool: &str) -> Value {
    let read = |path: &[&str], expected: &str| {
        let path: Vec<Value> = path.iter().map(|key| json!({ "key": key })).collect();
        json!({ "sourced_metadata": { "metadata_matcher": {
            "filter": "envoy.filters.http.mcp",
            "path": path,
            "value": { "string_match": { "exact": expected } },
        } } })
    };
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": { "action": "ALLOW", "policies": { "tools": {
                "permissions": [{ "or_rules": { "rules": [
                    { "not_rule": read(&["method"], "tools/call") },
                    read(&["params", "name"], tool),
                ] } }],
                "principals": [{ "any": true }],
            } } },
        },
    })
}
