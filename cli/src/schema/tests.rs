//! The schemas against the loader: the same fields, words and defaults, and no document refused that loads.

use std::collections::{BTreeMap, BTreeSet};

use policy::document::{Error, ErrorKind};
use serde_json::{Value, json};

use super::*;
use crate::testing::{files, shipped};

/// Policies that use every field, in every form that has fields of its own.
fn policies() -> Vec<Value> {
    let rule = json!({
        "action": "require_approval", "reason": "r", "description": "d", "schema": { "minProperties": 0 },
        "require": [{ "conditions": [{ "path": "args.x", "op": "eq", "value": 1 }], "on_deny": "n" }],
        "deny_if": [{ "conditions": [{ "path": "args.x", "op": "eq", "value": 1 }], "on_deny": "n" }],
        "limits": [
            { "counter": "a", "window": "minute", "max": 1, "scope": "grant", "align": "sliding", "refund": "never",
              "store": "local", "on_deny": "n" },
            { "counter": "b", "window": "month", "max": 1.5, "align": "calendar", "increment_from": "args.n", "refund": ["unsent"] },
        ],
        "rate_limit": { "max": 1, "window": 60 },
        "concurrency": { "max": 1, "scope": "grant", "counter": "c", "linger": "60s", "on_deny": "n" },
        "record": ["args.x"],
    });
    let mut all = rule.clone();
    for field in ["action", "reason"] {
        all.as_object_mut().unwrap().remove(field);
    }
    all["limits"] = json!([]);
    let section = |keys: &str, rule: &Value| {
        let mut section = json!({ "default": "deny", "hide": ["h:h"], "description": "d" });
        section[keys] = json!({ "n:x": rule });
        section
    };
    let mut resource = rule.clone();
    resource.as_object_mut().unwrap().remove("schema");
    for field in ["require", "deny_if", "limits"] {
        resource[field] = json!([]);
    }
    resource["record"] = json!(["request.headers.x-env"]);
    let policy = json!({
        "$schema": "s", "version": "1", "description": "d", "default": "deny", "hide": ["h:h"], "all_tools": all,
        "tools": { "t": rule }, "listing": "all", "resources": section("uris", &resource),
        "prompts": section("names", &resource), "methods": { "m": { "action": "deny", "reason": "r", "description": "d" } },
    });
    vec![policy, json!({ "version": "1", "default": "deny", "tools": { "t": { "action": "allow" } } })]
}

fn configurations() -> Vec<Value> {
    let policy = json!({ "version": "1", "default": "deny", "tools": { "t": { "limits": [
        { "counter": "g", "window": "day", "max": 1, "align": "calendar", "store": "global" } ] } } });
    let configuration = json!({
        "$schema": "s", "description": "d",
        "policies": { "p": policy },
        "locks": { "l": {
            "$schema": "s", "description": "d", "version": "1", "unseen": "pass", "tools": { "t": { "sha256": "0".repeat(64), "inputSchema": {} } },
        } },
        "routes": [
            { "host": "h", "path": "/p", "route": "r", "cluster": "c", "when": { "claims.x": "v" }, "policy": "p", "lock": "l", "transport": "sse",
              "sse_denial": "forward" },
            { "policy": ["p"], "transport": "streamable" },
        ],
        "unmatched": "deny", "pass_paths": ["/x"],
        "identity": {
            "grant": [
                { "jwt_claim": "sub", "payload_in_metadata": "jwt" }, { "filter_state": "f" }, { "peer_certificate": "uri_san" },
                { "header": "x-user" }, { "metadata": ["f", "k"] },
            ],
            "required": true, "resource_metadata": "https://x",
        },
        "mode": "enforce", "denial": "tool_result", "disclose": "rule", "request_headers": "stream", "retries": "off",
        "batches": "judge", "max_body_bytes": 1_048_576, "max_depth": 64, "max_event_bytes": 1_048_576,
        "counters": { "max_bytes": "32MiB", "when_full": "deny" },
        "global_counters": { "cluster": "c", "domain": "mcp", "timeout": "50ms", "on_error": "deny",
                             "digest_key": "0123456789abcdef0123456789abcdef" },
        "approvals": { "cluster": "c", "timeout": "2s" },
        "audit": { "digest_key": "0123456789abcdef0123456789abcdef" },
    });
    vec![configuration]
}

/// Each kind of document, and samples of it.
fn kinds() -> [(Document, Vec<Value>); 2] {
    [(Document::Policy, policies()), (Document::Configuration, configurations())]
}

fn errors(document: &Value) -> Vec<Error> {
    match policy::config::load(document.to_string().as_bytes()) {
        Ok(_) => vec![],
        Err(errors) => errors.iter().cloned().collect(),
    }
}

/// The pointers of everything in a document.
fn pointers(document: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match document {
        Value::Object(members) => {
            members.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{}", key.replace('/', "~1")), into));
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, value)| pointers(value, &format!("{at}/{index}"), into));
        }
        _ => {}
    }
}

/// The pointers of everything in a document; of the policies in a configuration only where they stand, as they have samples of
/// their own.
fn all_pointers(document: &Value) -> Vec<String> {
    let mut all = Vec::new();
    pointers(document, "", &mut all);
    all.retain(|pointer| !pointer.starts_with("/policies/"));
    all
}

/// The schemas that hold of a place: a reference is followed, and each alternative counts.
fn at<'s>(root: &'s Value, pointer: &str) -> Vec<&'s Value> {
    fn all<'s>(root: &'s Value, schema: &'s Value, into: &mut Vec<&'s Value>) {
        into.push(schema);
        if let Some(reference) = schema["$ref"].as_str() {
            all(root, root.pointer(reference.strip_prefix('#').unwrap()).unwrap(), into);
        }
        for alternative in schema["anyOf"].as_array().into_iter().flatten() {
            all(root, alternative, into);
        }
    }
    let mut schemas = Vec::new();
    all(root, root, &mut schemas);
    for step in pointer.split('/').skip(1) {
        let mut next = Vec::new();
        for schema in schemas {
            let step = step.replace("~1", "/");
            let properties = schema["properties"].get(&step);
            let others = schema.get("additionalProperties").filter(|others| properties.is_none() && others.is_object());
            let items = schema.get("items").filter(|_| step.parse::<usize>().is_ok());
            for inner in [properties, others, items].into_iter().flatten() {
                all(root, inner, &mut next);
            }
        }
        schemas = next;
    }
    schemas
}

fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut document = document.clone();
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

#[test]
fn the_samples_load_and_hold_every_field() {
    for (of, samples) in kinds() {
        let schema = schema(of);
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for sample in &samples {
            assert_eq!(errors(sample), [], "{of:?}");
            for pointer in all_pointers(sample) {
                if let (Some(object), false) =
                    (sample.pointer(&pointer).unwrap().as_object(), at(&schema, &pointer).is_empty())
                {
                    let known = known_fields(sample, &pointer);
                    let fields = object.keys().filter(|key| known.contains(key.as_str()));
                    seen.extend(fields.map(|key| format!("{known:?} {key}")));
                }
            }
        }
        for sample in &samples {
            for pointer in all_pointers(sample) {
                let known = known_fields(sample, &pointer);
                for field in &known {
                    assert!(seen.contains(&format!("{known:?} {field}")), "no sample has `{field}` of {pointer}");
                }
            }
        }
    }
}

/// The fields that the loader knows in an object; none where it takes any name.
fn known_fields(sample: &Value, pointer: &str) -> BTreeSet<&'static str> {
    const UNKNOWN: &str = "no such field";
    let Some(object) = sample.pointer(pointer).and_then(Value::as_object) else { return BTreeSet::new() };
    let mut object = object.clone();
    object.insert(UNKNOWN.to_owned(), json!({}));
    let place = format!("{pointer}/{UNKNOWN}");
    let found = errors(&with(sample, pointer, object.into()));
    let known = found.iter().filter(|error| error.pointer() == place).find_map(|error| match error.kind() {
        ErrorKind::UnknownField { known, .. } => Some(known.iter().copied().collect()),
        _ => None,
    });
    known.unwrap_or_default()
}

#[test]
fn the_fields_are_those_that_the_loader_knows() {
    for (of, samples) in kinds() {
        let schema = schema(of);
        for sample in &samples {
            for pointer in all_pointers(sample) {
                let known = known_fields(sample, &pointer);
                let described: BTreeSet<&str> = at(&schema, &pointer)
                    .into_iter()
                    .filter_map(|schema| schema["properties"].as_object())
                    .flat_map(|properties| properties.keys().map(String::as_str))
                    .collect();
                if sample.pointer(&pointer).unwrap().is_object() {
                    assert_eq!(known, described, "{of:?} {pointer}");
                }
            }
        }
    }
}

#[test]
fn the_words_are_those_that_the_loader_knows() {
    for (of, samples) in kinds() {
        let schema = schema(of);
        let mut compared = 0;
        for sample in &samples {
            for pointer in all_pointers(sample).iter().filter(|pointer| sample.pointer(pointer).unwrap().is_string()) {
                let found = errors(&with(sample, pointer, json!("no such word")));
                let known =
                    found.iter().filter(|error| error.pointer() == pointer).find_map(|error| match error.kind() {
                        ErrorKind::UnknownWord { known, .. } => Some(known),
                        _ => None,
                    });
                // Names of the document itself, and forms that a pattern describes.
                let of_document =
                    pointer.starts_with("/routes/") && (pointer.contains("/policy") || pointer.ends_with("/lock"));
                let known: BTreeSet<&str> = known.into_iter().flatten().map(AsRef::as_ref).collect();
                let known: BTreeSet<&str> =
                    known.into_iter().filter(|word| !word.contains(":NAME") && !of_document).collect();
                let mut described = BTreeSet::new();
                for schema in at(&schema, pointer) {
                    described.extend(schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str));
                    described.extend(schema["const"].as_str());
                }
                // A sliding window is a span, of which a calendar knows five words.
                if pointer.ends_with("/window") && known.is_empty() {
                    continue;
                }
                assert_eq!(known, described, "{of:?} {pointer}");
                compared += usize::from(!known.is_empty());
            }
        }
        assert!(compared >= 10, "{compared}");
    }
}

#[test]
fn a_default_that_is_written_means_what_its_absence_means() {
    let shown = |document: &Value| policy::config::load(document.to_string().as_bytes()).ok().map(|c| format!("{c:?}"));
    for (of, samples) in kinds() {
        let schema = schema(of);
        let mut compared: BTreeMap<String, bool> = BTreeMap::new();
        for sample in &samples {
            for pointer in all_pointers(sample) {
                let Some((object, field)) = pointer.rsplit_once('/') else { continue };
                let Some(default) = at(&schema, &pointer).into_iter().find_map(|schema| schema.get("default")) else {
                    continue;
                };
                let written = shown(&with(sample, &pointer, default.clone()));
                let mut without = sample.clone();
                without.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(field);
                let absent = shown(&without);
                let both = written.is_some() && absent.is_some();
                assert!(!both || written == absent, "{of:?} {pointer}: {default}");
                *compared.entry(field.to_owned()).or_default() |= both;
            }
        }
        let missed: Vec<_> = compared.iter().filter(|(_, compared)| !**compared).collect();
        assert!(missed.is_empty() && compared.len() >= 5, "{of:?} {missed:?}");
    }
}

fn validator(of: Document) -> jsonschema::Validator {
    jsonschema::options().should_validate_formats(false).build(&schema(of)).unwrap()
}

/// What is shipped, and what the loader's own tests read.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = shipped().into_iter().map(|(_, text)| text).collect();
    for (_, source) in
        ["policy/src/document/tests", "policy/src/config/tests"].iter().flat_map(|folder| files(folder, "rs"))
    {
        for literal in source.split("r#\"").skip(1).filter_map(|rest| rest.split("\"#").next()) {
            // As their helpers write them: whole, the members of a policy, or the rule of a tool.
            texts.push(literal.to_owned());
            texts.push(format!(r#"{{"version": "1", "default": "deny", {literal}}}"#));
            texts.push(format!(r#"{{"version": "1", "default": "deny", "tools": {{"t": {literal}}}}}"#));
            texts.push(literal.replace("{{", "{").replace("}}", "}"));
        }
    }
    texts
}

#[test]
fn whatever_loads_is_right_by_the_schema() {
    let (policies, configurations) = (validator(Document::Policy), validator(Document::Configuration));
    let mut held = (0, 0);
    for text in texts() {
        let bare = policy::document::load(text.as_bytes()).is_ok();
        if !bare && policy::config::load(text.as_bytes()).is_err() {
            continue;
        }
        let document: Value = serde_json::from_str(&text).unwrap();
        let (schema, count) = if bare { (&policies, &mut held.0) } else { (&configurations, &mut held.1) };
        let wrong: Vec<String> = schema.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:?} {text}");
        *count += 1;
    }
    assert!(held.0 >= 60 && held.1 >= 10, "{held:?}");
}

#[test]
fn what_is_wrong_in_a_way_that_a_schema_can_say_is_wrong_by_the_schema() {
    let tool = |rule: &str| format!(r#"{{"version": "1", "default": "deny", "tools": {{"t": {rule}}}}}"#);
    let condition = |text: &str| tool(&format!(r#"{{"require": [{{"conditions": [{text}]}}]}}"#));
    let limit = |text: &str| tool(&format!(r#"{{"limits": [{{"counter": "c", {text}}}]}}"#));
    let schema = validator(Document::Policy);
    for wrong in [
        r#"{"version": "1"}"#.to_owned(),
        r#"{"default": "deny"}"#.to_owned(),
        r#"{"version": "2", "default": "deny"}"#.to_owned(),
        r#"{"version": "1", "default": "denied"}"#.to_owned(),
        r#"{"version": "1", "default": "deny", "tols": {}}"#.to_owned(),
        r#"{"version": "1", "default": "deny", "hide": ["a", "a"]}"#.to_owned(),
        r#"{"version": "1", "default": "deny", "hide": [""]}"#.to_owned(),
        r#"{"version": "1", "default": "deny", "all_tools": {"action": "deny"}}"#.to_owned(),
        r#"{"version": "1", "default": "deny", "methods": {"m": {"action": "require_approval"}}}"#.to_owned(),
        tool("[]"),
        tool(r#"{"acton": "deny"}"#),
        tool(r#"{"action": "forbid"}"#),
        tool(r#"{"reason": "r"}"#),
        tool(r#"{"action": "allow", "reason": "r"}"#),
        tool(r#"{"action": "deny", "rate_limit": "1/minute"}"#),
        tool(r#"{"require": [{}]}"#),
        tool(r#"{"require": [{"conditions": []}]}"#),
        tool(r#"{"rate_limit": "10/minut"}"#),
        tool(r#"{"rate_limit": {"max": 1, "window": 0}}"#),
        tool(r#"{"concurrency": {"max": 0}}"#),
        tool(r#"{"schema": "from_locks"}"#),
        tool(r#"{"schema": []}"#),
        tool(r#"{"action": "deny", "schema": {"minProperties": 1}}"#),
        r#"{"version": "1", "default": "deny", "prompts": {"names": {"t": {"schema": {"minProperties": 1}}}}}"#
            .to_owned(),
        condition(r#"{"path": "arg.x", "op": "exists"}"#),
        condition(r#"{"path": "args", "op": "exists"}"#),
        condition(r#"{"path": "args.x", "op": "equals", "value": 1}"#),
        condition(r#"{"path": "args.x", "op": "eq"}"#),
        condition(r#"{"path": "args.x", "op": "neq", "value": null}"#),
        condition(r#"{"path": "args.x", "op": "gt", "value": "1"}"#),
        condition(r#"{"path": "args.x", "op": "in", "value": []}"#),
        condition(r#"{"path": "args.x", "op": "exists", "value": false}"#),
        condition(r#"{"path": "args.x", "op": "starts_with", "value": ""}"#),
        limit(r#""window": "minute""#),
        limit(r#""window": "month", "max": 1"#),
        limit(r#""window": "5m", "max": 1, "align": "calendar""#),
        limit(r#""window": "minute", "max": 1.5"#),
        limit(r#""window": "minute", "max": -1"#),
        limit(r#""window": "minute", "max": 1, "scope": "user""#),
        limit(r#""window": "day", "max": 1, "store": "global""#),
        limit(r#""window": "day", "max": 1, "refund": ["never"]"#),
    ] {
        assert!(policy::document::load(wrong.as_bytes()).is_err(), "{wrong}");
        assert!(!schema.is_valid(&serde_json::from_str(&wrong).unwrap()), "{wrong}");
    }
}

#[test]
fn the_schemas_are_right_by_the_schema_of_schemas() {
    for (of, _) in kinds() {
        assert!(jsonschema::meta::is_valid(&schema(of)), "{of:?}");
    }
}
