//! The configuration around policies.

use serde_json::{Map, Value, json};

use super::{defined, described, remark, words};

/// The largest body or event that can be asked for, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// The schema; what it refers to is added to the definitions.
pub(super) fn configuration(definitions: &mut Map<String, Value>) -> Value {
    definitions.insert("name".to_owned(), json!({ "type": "string", "minLength": 1, "maxLength": 256 }));
    definitions
        .insert("path_glob".to_owned(), json!({ "type": "string", "maxLength": 1024, "pattern": "^[/*][^?#%]*$" }));
    definitions.insert("route".to_owned(), route());
    definitions.insert("source".to_owned(), source());
    definitions.insert("lock".to_owned(), lock());
    let bytes = |description| described(bytes(1024, MOST_BYTES, json!(1 << 20)), description);
    json!({
        "title": "Configuration of the MCP policy filter",
        "description": "Which policy holds where and for whom.",
        "type": "object",
        "required": ["policies", "routes"],
        "additionalProperties": false,
        "properties": {
            "$schema": { "type": "string", "description": "The schema that editors check this by." },
            "description": remark(),
            "policies": {
                "type": "object",
                "description": "Policies by name.",
                "propertyNames": { "pattern": "^[A-Za-z0-9._-]{1,64}$" },
                "additionalProperties": defined("policy"),
            },
            "locks": {
                "type": "object",
                "description": "The tools of servers as they were reviewed, by name.",
                "propertyNames": { "pattern": "^[A-Za-z0-9._-]{1,64}$" },
                "additionalProperties": defined("lock"),
            },
            "routes": {
                "type": "array",
                "minItems": 1,
                "items": defined("route"),
                "description": "Which policies hold where. The first that matches decides.",
            },
            "unmatched": words(&["deny", "pass"], "Requests that no route's host, path, route and cluster name."),
            "pass_paths": {
                "type": "array",
                "items": defined("path_glob"),
                "description": "Paths that pass unjudged.",
                "examples": [["/.well-known/oauth-*"]],
            },
            "identity": identity(),
            "mode": words(&["enforce", "observe"], "`observe` refuses, hides and withholds nothing, and records what it would have."),
            "denial": words(&["tool_result", "jsonrpc_error"], "How a refused tool call is answered."),
            "disclose": words(&["rule", "reason"], "Whether replies name the rule that decided, or only the reason."),
            "request_headers": words(
                &["stream", "hold"],
                "`hold`: the head of a request waits for the body's verdict. Needs Envoy's `allow_on_headers_stop_iteration`.",
            ),
            "retries": words(&["off", "route"], "Whether Envoy may send an admitted call again."),
            "batches": words(&["judge", "refuse"], "JSON-RPC batches, which revision 2025-03-26 has."),
            "max_body_bytes": bytes("The largest request body."),
            "max_depth": {
                "type": "integer", "minimum": 8, "maximum": 256, "default": 64, "description": "How deep JSON may be nested.",
            },
            "max_event_bytes": bytes("The largest list, or event of an event stream, that has to be read."),
            "counters": counters(),
            "global_counters": global_counters(),
            "approvals": {
                "type": "object",
                "required": ["cluster"],
                "additionalProperties": false,
                "properties": {
                    "cluster": described(defined("name"), "Envoy's cluster of the service."),
                    "timeout": timeout("2s"),
                },
                "description": "The approval service.",
            },
            "audit": audit(),
        },
    })
}

fn route() -> Value {
    json!({
        "type": "object",
        "required": ["policy"],
        "additionalProperties": false,
        "properties": {
            "route": described(defined("name"), "Envoy's own name of the route it chose."),
            "cluster": described(defined("name"), "Envoy's own name of the cluster it chose."),
            "host": described(defined("name"), "The request's host, without port."),
            "path": described(defined("path_glob"), "A glob over the path without query."),
            "when": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": { "pattern": r"^(identity\.)?claims[.\[]" },
                "additionalProperties": { "type": "string" },
                "description": "Claims of the verified token: equal to the value, or an array that holds it.",
                "examples": [{ "claims.groups": "robotics" }],
            },
            "policy": {
                "anyOf": [
                    { "type": "string" },
                    { "type": "array", "minItems": 1, "uniqueItems": true, "items": { "type": "string" } },
                ],
                "description": "The name of a policy, or several of which all must allow.",
            },
            "lock": {
                "type": "string",
                "description": "The name of a lock: which tools the server behind has, and how they are defined.",
            },
            "transport": words(&["streamable", "sse"], "`sse` is for servers of revision 2024-11-05."),
            "sse_denial": words(
                &["forward", "status"],
                "How a refused request is answered on an `sse` route: by the server as an unknown method, or by HTTP 403.",
            ),
        },
        "if": { "required": ["sse_denial"] },
        "then": { "required": ["transport"], "properties": { "transport": { "const": "sse" } } },
    })
}

fn lock() -> Value {
    json!({
        "type": "object",
        "required": ["version", "tools"],
        "additionalProperties": false,
        "properties": {
            "$schema": { "type": "string", "description": "The schema that editors check this by." },
            "description": remark(),
            "version": { "const": "1", "description": "The version of the format." },
            "unseen": words(&["pass", "deny"], "Calls of a tool that no list has shown yet."),
            "tools": {
                "type": "object",
                "description": "The tools by name. One that is not here is hidden.",
                "additionalProperties": {
                    "type": "object",
                    "required": ["sha256"],
                    "additionalProperties": false,
                    "properties": { "sha256": {
                        "type": "string",
                        "pattern": "^[0-9a-f]{64}$",
                        "description": "The digest of the tool's definition, as `mcp-policy pin` writes it.",
                    }, "inputSchema": {
                        "type": ["object", "boolean"],
                        "description": "What the server says of its arguments, for rules with `\"schema\": \"from_lock\"`.",
                    } },
                },
            },
        },
    })
}

fn identity() -> Value {
    json!({
        "type": "object",
        "description": "Who calls.",
        "additionalProperties": false,
        "properties": {
            "grant": {
                "type": "array",
                "items": defined("source"),
                "description": "Where the credential is looked for. The first source that is present decides.",
            },
            "required": {
                "type": "boolean",
                "default": false,
                "description": "Whether a call without a grant is refused with 401.",
            },
            "resource_metadata": {
                "type": "string",
                "pattern": "^https?://.",
                "description": "The URL of the protected resource metadata (RFC 9728), told with that 401.",
            },
        },
    })
}

fn source() -> Value {
    let sources = ["jwt_claim", "filter_state", "peer_certificate", "header", "metadata"];
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "jwt_claim": described(defined("name"), "A claim that Envoy's `jwt_authn` filter has verified."),
            "payload_in_metadata": {
                "$ref": "#/$defs/name",
                "default": "jwt",
                "description": "The provider's setting of that name.",
            },
            "filter_state": described(defined("name"), "A text in filter state."),
            "peer_certificate": {
                "enum": ["uri_san", "dns_san", "subject"],
                "description": "A part of the client's certificate. The listener must validate it.",
            },
            "header": described(defined("name"), "A request header: only as trustworthy as what sets it."),
            "metadata": {
                "type": "array",
                "minItems": 2,
                "items": defined("name"),
                "description": "A text in dynamic metadata: the filter that wrote it, and the keys.",
            },
        },
        "oneOf": sources.map(|source| json!({ "required": [source] })),
        "dependentRequired": { "payload_in_metadata": ["jwt_claim"] },
    })
}

fn counters() -> Value {
    json!({
        "type": "object",
        "description": "The counters in Envoy's shared data.",
        "additionalProperties": false,
        "properties": {
            "max_bytes": described(bytes(16 << 10, 1 << 30, json!("32MiB")), "Memory of the counters."),
            "when_full": words(&["deny", "share"], "What becomes of calls when there is no room for their count."),
        },
    })
}

fn global_counters() -> Value {
    json!({
        "type": "object",
        "description": "The rate-limit service that limits with `\"store\": \"global\"` are counted by.",
        "required": ["cluster", "digest_key"],
        "additionalProperties": false,
        "properties": {
            "cluster": described(defined("name"), "Envoy's cluster of the service."),
            "domain": { "$ref": "#/$defs/name", "default": "mcp", "description": "The domain of its descriptors." },
            "timeout": timeout("50ms"),
            "on_error": words(&["deny", "allow"], "What becomes of calls when the service does not answer."),
            "digest_key": digest_key("A secret that the fleet shares: what scopes are digested with before they leave the filter."),
        },
    })
}

fn audit() -> Value {
    json!({
        "type": "object",
        "description": "Leaves a record of every judged body in filter state, for Envoy's access log.",
        "required": ["digest_key"],
        "additionalProperties": false,
        "properties": {
            "digest_key": digest_key(
                "A secret: what grants, sessions and addresses are digested with. Records of one key can be compared.",
            ),
        },
    })
}

fn digest_key(description: &str) -> Value {
    json!({ "type": "string", "minLength": 32, "maxLength": 256, "description": description })
}

fn bytes(least: u64, most: u64, default: Value) -> Value {
    json!({
        "anyOf": [
            { "type": "integer", "minimum": least, "maximum": most },
            { "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)$" },
        ],
        "default": default,
        "examples": ["1MiB"],
    })
}

fn timeout(default: &str) -> Value {
    json!({
        "type": "string",
        "pattern": "^[0-9]+(ms|s|m)$",
        "default": default,
        "description": "How long an answer may take; at most a minute.",
    })
}
