//! Rules, predicates and conditions.

use serde_json::{Map, Value, json};

use super::{defined, described, limit, remark, told};

/// Numbers beyond 2^53 are refused: control planes turn numbers into doubles.
pub(super) const MAX_WHOLE: u64 = 1 << 53;

/// Everything that policies refer to.
pub(super) fn definitions() -> Map<String, Value> {
    let definitions = [
        ("glob", glob()),
        ("rule", rule(checks())),
        ("tool_rule", rule(checks_of_tools())),
        ("all_tools", all_tools()),
        ("method_rule", method_rule()),
        ("require", require()),
        ("deny_if", deny_if()),
        ("conditions", json!({ "type": "array", "maxItems": 4096, "items": defined("condition") })),
        ("condition", condition()),
        ("argument", argument()),
        ("record", record()),
        ("limits", json!({ "type": "array", "maxItems": 4096, "items": defined("limit") })),
        ("limit", limit::limit()),
        ("rate_limit", limit::rate_limit()),
        ("concurrency", limit::concurrency()),
        ("counter", limit::counter()),
        ("span", limit::span()),
        ("scope", limit::scope()),
    ];
    definitions.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

fn glob() -> Value {
    json!({
        "type": "string",
        "minLength": 1,
        "maxLength": 1024,
        "description": "A name, or a glob: `*` stands for any run of characters, `?` for one.",
    })
}

/// What a rule may check of a call.
fn checks() -> Map<String, Value> {
    let checks = [
        ("require", described(defined("require"), "Predicates that must all be true.")),
        (
            "deny_if",
            described(defined("deny_if"), "Predicates that must all be false. One without conditions always refuses."),
        ),
        ("limits", described(defined("limits"), "How often. All limits of a call are taken together or not at all.")),
        ("rate_limit", described(defined("rate_limit"), "Short for one limit per grant.")),
        ("concurrency", described(defined("concurrency"), "How many may run at once.")),
        (
            "record",
            described(defined("record"), "What the audit record holds of a call. Values are not recorded otherwise."),
        ),
        ("description", remark()),
    ];
    checks.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// What a rule for tools may check.
fn checks_of_tools() -> Map<String, Value> {
    let mut checks = checks();
    let schema = json!({
        "description": "What the arguments must look like: a JSON Schema, or that which the route's lock has of the tool.",
        "anyOf": [{ "const": "from_lock" }, { "type": ["object", "boolean"] }],
        "examples": ["from_lock", { "properties": { "robot_ip": { "type": "string", "format": "ipv4" } }, "required": ["robot_ip"] }],
    });
    checks.insert("schema".to_owned(), schema);
    checks
}

fn rule(mut properties: Map<String, Value>) -> Value {
    properties.insert(
        "action".to_owned(),
        json!({
            "enum": ["allow", "deny", "require_approval"],
            "default": "allow",
            "description": "What the rule does before its predicates and limits are looked at.",
        }),
    );
    properties.insert("reason".to_owned(), told("What the agent is told when the action is not allow."));
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "allOf": [
            reason_needs_action(),
            {
                "if": { "properties": { "action": { "const": "deny" } }, "required": ["action"] },
                "then": { "properties": {
                    "schema": false, "require": false, "deny_if": false, "limits": false, "rate_limit": false, "concurrency": false,
                } },
            },
        ],
    })
}

fn all_tools() -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": checks_of_tools() })
}

fn method_rule() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "action": { "enum": ["allow", "deny"], "default": "allow", "description": "Whether the method passes." },
            "reason": told("What the client is told when the action is deny."),
            "description": remark(),
        },
        "allOf": [reason_needs_action()],
    })
}

/// An allowed call is told no reason.
fn reason_needs_action() -> Value {
    json!({
        "if": { "required": ["reason"] },
        "then": { "required": ["action"], "properties": { "action": { "not": { "const": "allow" } } } },
    })
}

fn require() -> Value {
    let conditions = json!({ "minItems": 1, "description": "All must be true." });
    predicates(conditions, &["conditions"])
}

fn deny_if() -> Value {
    predicates(json!({ "description": "The predicate is true if all are. Without any it always is." }), &[])
}

fn predicates(mut conditions: Value, required: &[&str]) -> Value {
    conditions["$ref"] = "#/$defs/conditions".into();
    json!({
        "type": "array",
        "maxItems": 4096,
        "items": {
            "type": "object",
            "required": required,
            "additionalProperties": false,
            "properties": { "conditions": conditions, "on_deny": told("What the agent is told when this refuses.") },
        },
    })
}

fn condition() -> Value {
    let op = |ops: &[&str], value: Value| {
        json!({
            "if": { "properties": { "op": { "enum": ops } }, "required": ["op"] },
            "then": { "required": ["value"], "properties": { "value": value } },
        })
    };
    let plain = json!({ "type": ["string", "number", "boolean", "null"] });
    let known = json!({ "type": ["string", "number", "boolean"] });
    let list =
        |of: &Value| json!({ "type": "array", "minItems": 1, "maxItems": 4096, "uniqueItems": true, "items": of });
    let range = json!({ "type": "string", "examples": ["10.0.0.0/8", "fd00::/8"] });
    let part = json!({ "minLength": 1 });
    json!({
        "type": "object",
        "required": ["path", "op"],
        "additionalProperties": false,
        "properties": {
            "path": {
                "type": "string",
                "pattern": r"^((args|identity\.claims|request\.headers)[.\[][\s\S]+|identity\.grant|time\.hour|time\.weekday)$",
                "description": "What is looked at. `[*]` means every element under `require`, any under `deny_if`.",
                "examples": [
                    "args.robot_ip", "args.items[0].price", "args.items[*].price", "args[\"odd.key\"]", "identity.grant",
                    "identity.claims.team", "request.headers.x-env", "time.hour", "time.weekday",
                ],
            },
            "op": {
                "enum": [
                    "eq", "neq", "lt", "lte", "gt", "gte", "in", "not_in", "exists", "regex", "contains", "starts_with",
                    "ends_with", "cidr", "length_lte", "length_gte",
                ],
                "description": "What must hold of it. A value of another type than the op wants makes neither list let the call pass.",
            },
            "value": { "description": "What it is compared with." },
        },
        "allOf": [
            op(&["eq"], plain.clone()),
            op(&["neq"], known.clone()),
            op(&["in"], list(&plain)),
            op(&["not_in"], list(&known)),
            op(&["lt", "lte", "gt", "gte"], json!({ "type": "number" })),
            op(&["regex"], json!({ "type": "string", "format": "regex", "description": "Found anywhere: `^` and `$` hold the ends." })),
            op(&["contains"], json!({ "allOf": [plain, part] })),
            op(&["starts_with", "ends_with"], json!({ "type": "string", "minLength": 1 })),
            op(&["cidr"], json!({ "anyOf": [range, list(&range)] })),
            op(&["length_lte", "length_gte"], json!({ "type": "integer", "minimum": 0, "maximum": MAX_WHOLE })),
            {
                "if": { "properties": { "op": { "const": "exists" } }, "required": ["op"] },
                "then": { "properties": { "value": { "const": true } } },
            },
        ],
        "examples": [{ "path": "args.robot_ip", "op": "cidr", "value": "10.0.0.0/8" }],
    })
}

fn record() -> Value {
    json!({
        "type": "array",
        "minItems": 1,
        "maxItems": 32,
        "uniqueItems": true,
        "items": {
            "type": "string",
            "maxLength": 256,
            "pattern": r"^(args|identity\.claims|request\.headers)[.\[][\s\S]+$",
        },
        "examples": [["args.amount", "identity.claims.team"]],
    })
}

fn argument() -> Value {
    json!({ "type": "string", "pattern": r"^args[.\[][\s\S]+$", "examples": ["args.amount"] })
}
