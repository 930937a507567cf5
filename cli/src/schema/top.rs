//! The top of a `policy.json`.

use serde_json::{Value, json};

use super::{defined, described, remark, words};

pub(super) fn policy() -> Value {
    json!({
        "title": "MCP policy",
        "description": "What agents may do with the tools, resources and prompts of an MCP server.",
        "type": "object",
        "required": ["version", "default"],
        "additionalProperties": false,
        "properties": {
            "$schema": { "type": "string", "description": "The schema that editors check this by." },
            "version": { "const": "1", "description": "The version of the format." },
            "description": remark(),
            "default": {
                "enum": ["deny", "allow"],
                "description": "What becomes of tools that no rule names, and of methods that nothing else judges.",
            },
            "hide": hidden("Names and globs of tools that are gone from lists, and unknown when called. No rule makes an exception."),
            "all_tools": described(defined("all_tools"), "Added to every tool that is not already denied. Allows nothing."),
            "tools": rules("tool_rule", "Rules by tool name or glob. An exact name wins over every glob and inherits nothing from it."),
            "listing": words(
                &["all", "allowed"],
                "Whether lists leave out only what is hidden, or also what would be denied outright.",
            ),
            "resources": section("uris", "Rules by URI or glob. `*` also crosses `/`; a `?` starts the query.", "resources"),
            "prompts": section("names", "Rules by prompt name or glob.", "prompts"),
            "methods": {
                "type": "object",
                "description": "Rules by method, either way: requests of the client, and what servers ask of it.",
                "propertyNames": defined("glob"),
                "additionalProperties": defined("method_rule"),
                "examples": [{ "elicitation/create": { "action": "deny" } }],
            },
        },
        "examples": [{ "version": "1", "default": "deny", "tools": { "get_run": {}, "create_run": { "rate_limit": "10/minute" } } }],
    })
}

fn section(keys: &str, of_keys: &str, what: &str) -> Value {
    json!({
        "type": "object",
        "description": format!("What {what} may be asked for."),
        "additionalProperties": false,
        "properties": {
            "default": {
                "enum": ["deny", "allow"],
                "description": format!("What becomes of {what} that no rule names. Absent: the top-level default."),
            },
            "hide": hidden(&format!("{what} that do not exist, as far as a client can tell.")),
            keys: rules("rule", of_keys),
            "description": remark(),
        },
    })
}

fn hidden(description: &str) -> Value {
    json!({
        "type": "array",
        "maxItems": 4096,
        "uniqueItems": true,
        "items": defined("glob"),
        "description": description,
        "examples": [["delete_*"]],
    })
}

fn rules(rule: &str, description: &str) -> Value {
    json!({
        "type": "object",
        "description": description,
        "propertyNames": defined("glob"),
        "additionalProperties": defined(rule),
    })
}
