//! Arguments made to be expensive to hold against a schema, and schemas that make them so.

use serde_json::{Value, json};

use crate::lab::{Request, filter, is_forwarded, tools};

/// As much of a body as the filter takes by default, with room for what stands around it.
const BODY: usize = 1_000_000;

/// What any call may cost in instructions, reading it included: a quarter of a second or so.
const MOST: u64 = 900_000_000;

/// A kind of element by its name, and the one at an index.
type Shape = (&'static str, fn(usize) -> String);

fn fill(open: &str, element: impl Fn(usize) -> String, close: &str, length: usize) -> String {
    let mut text = open.to_owned();
    for index in 0.. {
        if text.len() > length {
            break;
        }
        if index > 0 {
            text.push(',');
        }
        text += &element(index);
    }
    text + close
}

/// What comes of arguments of these sizes, and that none costs too much.
#[track_caller]
fn hold(name: &str, schema: &Value, arguments: impl Fn(usize) -> String) {
    let policy = tools(json!({ "t": { "schema": schema } }));
    let host = filter().fuel_limit(1 << 40).configuration(policy.to_string()).start().unwrap();
    let worker = host.worker(0);
    for length in [15_000, 200_000, BODY] {
        let arguments = arguments(length);
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{{"a":{arguments}}}}}}}"#
        );
        let before = worker.fuel_used();
        let stream = Request::post().send(&worker, &body);
        assert!(is_forwarded(&stream) || stream.reply().is_some_and(|reply| reply.by_filter), "{name}");
        assert_eq!(host.take_faults(), [], "{name}");
        let instructions = worker.fuel_used() - before;
        assert!(instructions < MOST, "{name}, {length} bytes: {instructions} instructions");
    }
    assert!(worker.memory_bytes() < 48 << 20, "{name}: {} MiB", worker.memory_bytes() >> 20);
}

fn of_a(schema: &Value) -> Value {
    json!({ "properties": { "a": schema } })
}

#[test]
fn unique_elements_cost_in_proportion_whatever_they_are() {
    let unique = of_a(&json!({ "uniqueItems": true }));
    let elements: [Shape; 6] = [
        ("numbers", |index| index.to_string()),
        ("equal numbers", |_| "1".into()),
        ("texts with one prefix", |index| format!("\"{}{index}\"", "x".repeat(300))),
        ("long texts", |index| format!("\"{}{index}\"", "x".repeat(30_000))),
        ("objects", |index| format!(r#"{{"a":[{index},{{"b":"{index}"}}]}}"#)),
        ("deep arrays", |index| format!("{}{index}{}", "[".repeat(30), "]".repeat(30))),
    ];
    for (name, element) in elements {
        hold(name, &unique, |length| fill("[", element, "]", length));
    }
    let all: Vec<Value> = (0..100).map(|_| json!({ "uniqueItems": true })).collect();
    hold("asked a hundred times", &of_a(&json!({ "allOf": all })), |length| {
        fill("[", |index| format!("\"{}{index}\"", "x".repeat(300)), "]", length)
    });
}

#[test]
fn alternatives_cost_little_however_deep_they_meet_again() {
    let either = |extra: Value| {
        json!({
            "$defs": { "n": { "anyOf": [
                { "items": { "$ref": "#/$defs/n" }, "additionalProperties": { "$ref": "#/$defs/n" }, "minItems": 0, "type": ["array", "object"] },
                { "items": { "$ref": "#/$defs/n" }, "additionalProperties": { "$ref": "#/$defs/n" }, "maxItems": 5, "type": ["array", "object"] },
            ] } },
            "properties": { "a": { "allOf": [{ "$ref": "#/$defs/n" }, extra] } },
        })
    };
    let nests = |text: &str, depth: usize| format!("{}{text}{}", "[".repeat(depth), "]".repeat(depth));
    for (name, extra) in [("alternatives", json!(true)), ("tracked alternatives", json!({ "unevaluatedItems": false }))]
    {
        hold(&format!("{name}, deep"), &either(extra.clone()), |_| nests("1", 60));
        hold(&format!("{name}, wide"), &either(extra.clone()), |length| fill("[", |_| nests("1", 20), "]", length));
        hold(&format!("{name}, objects"), &either(extra), |length| {
            fill("{", |index| format!("\"{index}\":{}", nests("1", 8)), "}", length)
        });
    }
}

#[test]
fn patterns_cost_little_whatever_they_are() {
    for (name, pattern) in [
        ("nested repetition", "^(a+)+$"),
        ("many states", "^(a?a?a?a?a?a?a?a?){20}$"),
        ("a long repetition", "^a{1,400}$"),
        ("classes", r"^(\s|\S|.|[^\s]){1,8}$"),
        ("not at the beginning", "(a|b|ab)*c"),
    ] {
        let schema = json!({ "properties": { "a": { "items": { "pattern": pattern }, "patternProperties": { pattern: true } } } });
        hold(&format!("{name}, one text"), &schema, |length| format!("[\"{}\"]", "a".repeat(length)));
        hold(&format!("{name}, texts"), &schema, |length| {
            fill("[", |_| format!("\"{}\"", "a".repeat(90)), "]", length)
        });
        hold(&format!("{name}, names"), &schema, |length| {
            fill("{", |index| format!("\"{}{index}\":1", "a".repeat(20)), "}", length)
        });
    }
}

#[test]
fn names_and_values_cost_in_proportion() {
    let properties: serde_json::Map<String, Value> =
        (0..500).map(|index| (format!("Name{index}"), json!(true))).collect();
    let many = of_a(&json!({ "properties": properties, "propertyNames": { "maxLength": 50, "format": "hostname" } }));
    hold("names", &many, |length| fill("{", |index| format!("\"name{index}\":1"), "}", length));
    hold("a long name", &many, |length| format!("{{\"{}\":1}}", "n".repeat(length)));
    let words: Vec<String> = (0..4000).map(|index| format!("word {index}")).collect();
    hold("enum", &of_a(&json!({ "items": { "enum": words } })), |length| {
        fill("[", |_| "\"word 3999\"".into(), "]", length)
    });
    for format in ["date-time", "duration", "email", "hostname", "ipv6", "uri", "uuid", "json-pointer"] {
        let schema = of_a(&json!({ "items": { "format": format }, "format": format }));
        hold(format, &schema, |length| fill("[", |_| "\"x.1-2:3/@%41~0\"".into(), "]", length));
        hold(format, &schema, |length| format!("\"{}\"", "1.-:/@%41~0a".repeat(length / 12)));
    }
    let numbers = of_a(&json!({ "items": { "multipleOf": 1e-300, "minimum": -1e300 } }));
    hold("multiples", &numbers, |length| fill("[", |index| format!("{index}.{index}e200"), "]", length));
    hold("contains", &of_a(&json!({ "contains": { "contains": { "const": 1 } } })), |length| {
        fill("[", |_| "[2,3,4,5]".into(), "]", length)
    });
}

#[test]
fn a_batch_pays_for_all_its_calls_together() {
    let policy = tools(json!({ "t": { "schema": of_a(&json!({ "uniqueItems": true })) } }));
    let host = filter().fuel_limit(1 << 40).configuration(policy.to_string()).start().unwrap();
    let worker = host.worker(0);
    let list = fill("[", |index| index.to_string(), "]", BODY / 50 - 120);
    let call = |id: usize| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"t","arguments":{{"a":{list}}}}}}}"#
        )
    };
    let batch: Vec<String> = (0..50).map(call).collect();
    let before = worker.fuel_used();
    let stream =
        Request::post().set("mcp-protocol-version", "2025-03-26").send(&worker, format!("[{}]", batch.join(",")));
    assert!(!is_forwarded(&stream) && stream.reply().is_some_and(|reply| reply.by_filter));
    assert_eq!(host.take_faults(), []);
    let instructions = worker.fuel_used() - before;
    assert!(instructions < MOST, "{instructions} instructions");
}
