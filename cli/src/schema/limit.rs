//! Limits.

use serde_json::{Value, json};

use super::{defined, described, rule::MAX_WHOLE, told, words};

pub(super) fn limit() -> Value {
    json!({
        "type": "object",
        "required": ["counter", "window", "max"],
        "additionalProperties": false,
        "properties": {
            "counter": described(defined("counter"), "Its name. Rules that share a name and a scope share the count."),
            "window": {
                "anyOf": [defined("span"), { "enum": ["second", "minute", "hour", "day", "month"] }],
                "description": "Never more than `max` within any span of this length. `month` needs `\"align\": \"calendar\"`.",
                "examples": ["minute", "30s", "5m", "12h", "7d"],
            },
            "max": { "type": "number", "minimum": 0, "description": "How many; with `increment_from` how much. 0 refuses everything." },
            "scope": described(defined("scope"), "Whose count."),
            "align": words(&["sliding", "calendar"], "`calendar` resets at the UTC boundary instead."),
            "increment_from": described(defined("argument"), "An argument whose number is added instead of 1: budgets."),
            "refund": {
                "anyOf": [
                    { "enum": ["never", "unsent", "upstream_5xx", "jsonrpc_error", "is_error"] },
                    {
                        "type": "array",
                        "minItems": 1,
                        "uniqueItems": true,
                        "items": { "enum": ["unsent", "upstream_5xx", "jsonrpc_error", "is_error"] },
                    },
                ],
                "default": "never",
                "description": "When what was taken is given back. All but `unsent` an agent can bring about.",
            },
            "store": words(&["local", "global"], "Where the counter is kept: in this Envoy, or in a rate-limit service that a fleet shares."),
            "on_deny": told("What the agent is told when the limit refuses."),
        },
        "allOf": [
            { "if": { "not": { "required": ["increment_from"] } }, "then": { "properties": { "max": whole(0, MAX_WHOLE) } } },
            {
                "if": { "properties": { "align": { "const": "calendar" } }, "required": ["align"] },
                "then": { "properties": { "window": { "enum": ["second", "minute", "hour", "day", "month"] } } },
                "else": { "properties": { "window": { "not": { "const": "month" } }, "store": { "not": { "const": "global" } } } },
            },
        ],
        "examples": [{ "counter": "create_run_rate", "window": "minute", "max": 10, "scope": "grant" }],
    })
}

pub(super) fn rate_limit() -> Value {
    json!({
        "anyOf": [
            { "type": "string", "pattern": "^[0-9]+/(second|minute|hour|day|0*[1-9][0-9]*[smhd])$" },
            {
                "type": "object",
                "required": ["max", "window"],
                "additionalProperties": false,
                "properties": {
                    "max": described(whole(0, MAX_WHOLE), "How many."),
                    "window": {
                        "anyOf": [whole(1, 31 * 86_400), defined("span")],
                        "description": "Seconds, or a span.",
                    },
                },
            },
        ],
        "examples": ["10/minute", "30/hour", "5/30s"],
    })
}

pub(super) fn concurrency() -> Value {
    json!({
        "type": "object",
        "required": ["max"],
        "additionalProperties": false,
        "properties": {
            "max": described(whole(1, 1_000_000), "How many."),
            "scope": described(defined("scope"), "Whose."),
            "counter": described(defined("counter"), "A name, so that several rules share one count."),
            "linger": {
                "type": "string",
                "pattern": "^[0-9]+[smh]$",
                "default": "60s",
                "description": "How long a call goes on counting when its client hangs up; at most an hour.",
            },
            "on_deny": told("What the agent is told when too many run."),
        },
    })
}

pub(super) fn counter() -> Value {
    json!({
        "type": "string",
        "maxLength": 256,
        "pattern": r"^[^/\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$",
    })
}

/// A sliding window.
pub(super) fn span() -> Value {
    json!({ "type": "string", "pattern": "^(second|minute|hour|day|0*[1-9][0-9]*[smhd])$" })
}

pub(super) fn scope() -> Value {
    json!({
        "anyOf": [
            { "enum": ["grant", "session", "client_ip", "global"] },
            { "type": "string", "pattern": "^claim:[\\s\\S]+$" },
            { "type": "string", "pattern": "^header:[!#$%&'*+.^_`|~0-9A-Za-z-]+$" },
        ],
        "default": "grant",
        "examples": ["claim:team", "header:x-tenant"],
    })
}

fn whole(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}
