//! What holds of every policy that is made, whatever a server offers.

use policy::{
    decision::{Decision, Effort, Facts, Header, RefusalKind, judge},
    document::{self, Policy},
    message::{Message, read},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::policy::{judged, write};
use crate::{
    classify::{Class, classify},
    tools::Tool,
};

/// Somebody at some time.
struct Somebody;

impl Facts for Somebody {
    fn grant(&self) -> Option<&str> {
        Some("somebody")
    }

    fn claim(&self, _name: &str) -> Option<&[u8]> {
        None
    }

    fn header(&self, _name: &str) -> Header<'_> {
        Header::Absent
    }

    fn unix_seconds(&self) -> u64 {
        1_795_271_400
    }
}

/// What the policy says of a call: `allow`, `hidden`, or the rule that denies. A call that the filter does not read is
/// `unreadable`, whatever the policy.
fn called(policy: &Policy, tool: &str, arguments: &Value) -> String {
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } });
    let text = call.to_string();
    let Ok(Message::Request { method, params, .. }) = read(text.as_bytes(), 64) else {
        return "unreadable".to_owned();
    };
    match judge(policy, &method, &params, None, &Somebody, &Effort::default()) {
        Decision::Allow(_) => "allow".to_owned(),
        Decision::Approve(..) => "approve".to_owned(),
        Decision::Refuse(refusal) if matches!(refusal.kind, RefusalKind::Hidden) => "hidden".to_owned(),
        Decision::Refuse(refusal) => refusal.rule.to_string(),
    }
}

fn made(tools: &[Tool]) -> Policy {
    let text = write(&judged(tools)).unwrap();
    document::load(text.as_bytes()).unwrap()
}

fn tool(name: &str, schema: Value) -> Tool {
    serde_json::from_value(json!({ "name": name, "description": "", "inputSchema": schema })).unwrap()
}

/// Whether a `get_thing` with one argument of this schema passes with a value.
fn passes(name: &str, schema: Value, required: bool, value: Option<Value>) -> bool {
    let required = if required { vec![name] } else { vec![] };
    let tool = tool("get_thing", json!({ "type": "object", "properties": { name: schema }, "required": required }));
    let arguments = value.map_or_else(|| json!({}), |value| json!({ name: value }));
    called(&made(&[tool]), "get_thing", &arguments) == "allow"
}

#[test]
fn what_a_schema_allows_passes_and_what_it_does_not_is_denied() {
    for (schema, good, bad) in [
        (json!({ "enum": ["a", "b"] }), json!("a"), json!("c")),
        (json!({ "type": "string", "enum": ["a", 1] }), json!("a"), Value::Null),
        (json!({ "type": "integer", "enum": [1, 2, 1.0] }), json!(2), json!(3)),
        (json!({ "const": "a" }), json!("a"), json!("b")),
        (json!({ "type": "integer", "minimum": 1, "maximum": 50 }), json!(50), json!(51)),
        (json!({ "type": "number", "exclusiveMinimum": 0 }), json!(0.5), json!(0)),
        (json!({ "type": "number", "minimum": 0, "exclusiveMinimum": true }), json!(0.5), json!(0)),
        (json!({ "type": "string", "maxLength": 3 }), json!("äöü"), json!("four")),
        (json!({ "type": "string", "minLength": 1 }), json!("a"), json!("")),
        (json!({ "type": "string", "pattern": "^[a-z]+$" }), json!("abc"), json!("Abc")),
        (json!({ "type": "array", "items": { "enum": ["a", "b"] } }), json!(["a", "b"]), json!(["a", "c"])),
        (json!({ "type": "array", "items": { "type": "string" }, "maxItems": 1 }), json!(["a"]), json!(["a", "b"])),
        (
            json!({ "type": "object", "properties": { "deep": { "enum": ["a"] } } }),
            json!({ "deep": "a" }),
            json!({ "deep": "b" }),
        ),
        (json!({ "$ref": "#/properties/thing2" }), json!("x"), Value::Null),
        (json!({ "anyOf": [{ "type": "integer", "maximum": 5 }, { "type": "null" }] }), json!(5), json!(6)),
        (json!({ "type": "string", "format": "email" }), json!("a@b.example"), json!("nobody")),
        (json!({ "type": "string", "format": "date" }), json!("2026-11-26"), json!("yesterday")),
        (json!({ "type": "string", "format": "ipv4" }), json!("192.0.2.1"), json!("elsewhere")),
    ] {
        for required in [true, false] {
            assert!(passes("thing", schema.clone(), required, Some(good.clone())), "{schema} {good} {required}");
            if !bad.is_null() {
                assert!(!passes("thing", schema.clone(), required, Some(bad.clone())), "{schema} {bad} {required}");
            }
        }
        assert!(passes("thing", schema.clone(), false, None), "{schema}");
        assert!(passes("thing", schema.clone(), false, Some(Value::Null)), "{schema}: null where it is optional");
    }
}

#[test]
fn elements_are_checked_and_empty_lists_pass() {
    let choice = json!({ "enum": ["a"] });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let object = |required: Value| json!({ "type": "object", "properties": { "mode": choice }, "required": required });
    for required in [true, false] {
        for (schema, value, good) in [
            (list(choice.clone()), json!([]), true),
            (list(choice.clone()), json!(["a", "b"]), false),
            (list(list(choice.clone())), json!([[], ["a"]]), true),
            (list(object(json!(["mode"]))), json!([{ "mode": "a" }]), true),
            (list(object(json!(["mode"]))), json!([{ "mode": "a" }, { "mode": "b" }]), false),
            (list(object(json!([]))), json!([{ "mode": "a" }, {}]), true),
        ] {
            assert_eq!(passes("modes", schema.clone(), required, Some(value.clone())), good, "{schema} {value}");
        }
    }
}

#[test]
fn paths_stay_where_they_are() {
    let text = json!({ "type": "string" });
    for (path, good) in [
        ("/srv/lab/a.py", true),
        ("a..b/c...d", true),
        (".hidden", true),
        ("", true),
        ("../etc/passwd", false),
        ("/srv/../etc", false),
        ("a/..", false),
        ("..\\windows", false),
        ("/srv/%2e%2e/etc", false),
        ("/srv/a\0.py", false),
    ] {
        for (name, value) in [("file_path", json!(path)), ("path", json!(path))] {
            assert_eq!(passes(name, text.clone(), true, Some(value)), good, "{path}");
        }
        assert_eq!(
            passes("paths", json!({ "type": "array", "items": text }), false, Some(json!([path]))),
            good,
            "{path}"
        );
    }
}

#[test]
fn urls_lead_to_public_hosts() {
    for (url, good) in [
        ("https://example.com/a?b#c", true),
        ("HTTP://Example.com:8080", true),
        ("http://203.0.113.7/", true),
        ("https://10.example.com/", false),
        ("https://[2001:db8::1]/", true),
        ("https://example.com/@user", true),
        ("file:///etc/passwd", false),
        ("gopher://example.com", false),
        ("//example.com", false),
        ("https:/example.com", false),
        ("http", false),
        ("", false),
        ("http://localhost:9901/", false),
        ("http://127.0.0.1/", false),
        ("http://127.1/", false),
        ("http://2130706433/", false),
        ("http://0x7f000001/", false),
        ("http://[::1]/", false),
        ("http://[::ffff:10.0.0.1]/", false),
        ("http://[fd00:ec2::254]/", false),
        ("http://10.0.0.1/", false),
        ("http://172.20.1.1/", false),
        ("http://192.168.0.1", false),
        ("http://169.254.169.254/latest/meta-data", false),
        ("http://metadata.google.internal/", false),
        ("http://user@example.com/", false),
        ("http://example.com\\@127.0.0.1/", false),
    ] {
        for required in [true, false] {
            assert_eq!(passes("url", json!({ "type": "string" }), required, Some(json!(url))), good, "{url}");
        }
    }
    for (name, description) in [("database_url", ""), ("url", "An s3:// or https:// URL")] {
        let schema = json!({ "type": "string", "description": description });
        assert!(passes(name, schema, true, Some(json!("s3://bucket/key"))), "{name} {description}");
    }
}

#[test]
fn addresses_and_hosts_are_not_the_servers_own() {
    for (address, good) in [
        ("192.168.1.100", true),
        ("10.0.0.7", true),
        ("2001:db8::7", true),
        ("127.0.0.1", false),
        ("169.254.169.254", false),
        ("::1", false),
        ("0.0.0.0", false),
        ("::ffff:127.0.0.1", false),
    ] {
        for name in ["robot_ip", "ip_address", "host", "hostname"] {
            assert_eq!(passes(name, json!({ "type": "string" }), true, Some(json!(address))), good, "{name} {address}");
        }
    }
    for (host, good) in
        [("robot.example.com", true), ("robot", true), ("localhost", false), ("127.1", false), ("a/b", false)]
    {
        assert_eq!(passes("host", json!({ "type": "string" }), true, Some(json!(host))), good, "{host}");
        assert!(!passes("ip", json!({ "type": "string" }), true, Some(json!(host))), "{host}");
    }
}

#[test]
fn a_check_that_the_schemas_own_default_fails_is_left_out() {
    let schema = json!({ "type": "string", "default": "../shared" });
    assert!(passes("path", schema, false, Some(json!("../shared"))));
}

#[test]
fn arguments_that_a_server_may_confuse_are_left_alone() {
    let schema = json!({ "type": "object", "properties": { "Mode": { "enum": ["a"] }, "mode": { "enum": ["b"] } } });
    assert_eq!(called(&made(&[tool("get_thing", schema)]), "get_thing", &json!({ "Mode": "a", "mode": "b" })), "allow");
}

#[test]
fn a_name_that_is_used_twice_gets_the_graver_class_and_only_common_checks() {
    let with = |description: &str, values: Value| {
        let schema = json!({ "type": "object", "properties": { "mode": { "enum": values } } });
        let tool = json!({ "name": "thing_get", "description": description, "inputSchema": schema });
        serde_json::from_value::<Tool>(tool).unwrap()
    };
    let policy = made(&[with("Get it.", json!(["a"])), with("Get it.", json!(["b"]))]);
    assert_eq!(called(&policy, "thing_get", &json!({ "mode": "b" })), "allow");
    let policy = made(&[with("Get it and delete it.", json!(["a"])), with("Get it.", json!(["a"]))]);
    assert_eq!(called(&policy, "thing_get", &json!({})), "hidden");
}

/// An argument's name, its schema, and values that the schema allows.
fn argument() -> impl Strategy<Value = (Value, Value)> {
    prop_oneof![
        (1_u64..4, 0_u64..4).prop_flat_map(|(least, more)| {
            let schema = json!({ "type": "string", "minLength": least, "maxLength": least + more });
            let lengths = usize::try_from(least).unwrap()..=usize::try_from(least + more).unwrap();
            vec(select(vec!['a', 'é', '\u{1F600}', ' ', '.', '/']), lengths)
                .prop_map(move |text| (schema.clone(), json!(text.into_iter().collect::<String>())))
        }),
        vec("[a-z\\\\\"\n]{0,4}", 1..4).prop_flat_map(|values| {
            let schema = json!({ "enum": values });
            select(values).prop_map(move |value| (schema.clone(), json!(value)))
        }),
        (-1000_i64..1000, 0_i64..1000).prop_flat_map(|(least, more)| {
            let schema = json!({ "type": "integer", "minimum": least, "maximum": least + more });
            (least..=least + more).prop_map(move |value| (schema.clone(), json!(value)))
        }),
        (0.0_f64..1.0)
            .prop_map(|value| (json!({ "type": "number", "minimum": 0, "exclusiveMaximum": 1 }), json!(value))),
        any::<bool>().prop_map(|value| (json!({ "type": "boolean" }), json!(value))),
        "[a-z]{1,9}".prop_map(|value| (json!({ "type": "string", "pattern": "^[a-z]+$" }), json!(value))),
        "[0-9]{4}-[0-9]{2}".prop_map(|value| (json!({ "type": "string", "pattern": r"^\d{4}-\d{2}$" }), json!(value))),
        "\\PC{0,9}".prop_map(|value| (json!({ "type": "string" }), json!(value))),
        ".{0,9}".prop_map(|pattern| (json!({ "enum": [7], "pattern": pattern }), json!(7))),
    ]
}

/// The same, in lists and objects and beside null.
fn nested() -> impl Strategy<Value = (Value, Value)> {
    argument().prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), 0_usize..3).prop_map(|((schema, value), count)| {
                (json!({ "type": "array", "items": schema, "maxItems": 3 }), json!(vec![value; count]))
            }),
            (inner.clone(), any::<bool>()).prop_map(|((schema, value), null)| {
                (json!({ "anyOf": [schema, { "type": "null" }] }), if null { Value::Null } else { value })
            }),
            (inner, "[a-z\"\\\\. ]{1,4}", any::<bool>()).prop_map(|((schema, value), name, required)| {
                let required = if required { vec![name.clone()] } else { vec![] };
                (
                    json!({ "type": "object", "properties": { &name: schema }, "required": required }),
                    json!({ name: value }),
                )
            }),
        ]
    })
}

/// A tool's input schema, and arguments that it allows.
fn arguments() -> impl Strategy<Value = (Value, Value)> {
    let named = ("[a-zA-Z_.\\[\\]\"\\\\é\n]{1,6}", nested(), any::<bool>(), any::<bool>());
    vec(named, 0..4).prop_map(|named| {
        let (mut properties, mut required, mut given) = (Map::new(), Vec::new(), Map::new());
        for (name, (schema, value), must, give) in named {
            // The last of a name counts, here as there.
            required.retain(|other| *other != name);
            given.remove(&name);
            if must {
                required.push(name.clone());
            }
            if must || give {
                given.insert(name.clone(), value);
            }
            properties.insert(name, schema);
        }
        let schema = json!({ "type": "object", "properties": properties, "required": required });
        (schema, Value::Object(given))
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "(get|list|create|run|delete|refund|frob)_[a-z]{1,3}",
        "\\PC{1,12}",
        "[a-z*?/\\\\\"~#\u{7}]{1,6}",
        Just("get_*".to_owned()),
        Just(format!("get_{}", "x".repeat(1020))),
        Just(format!("get_{}", "x".repeat(1021))),
        Just(format!("get_{}", "*".repeat(600))),
        Just(String::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_policy_loads_and_decides_by_class(offered in vec((name(), option::of("\\PC{0,30}"), arguments()), 1..8)) {
        let tools: Vec<Tool> = offered
            .iter()
            .map(|(name, description, (schema, _))| {
                serde_json::from_value(json!({ "name": name, "description": description, "inputSchema": schema })).unwrap()
            })
            .collect();
        let text = write(&judged(&tools)).unwrap();
        let mut reversed = tools.clone();
        reversed.reverse();
        let once = |tool: &&Tool| tools.iter().filter(|other| other.name == tool.name).count() == 1;
        if tools.iter().all(|tool| once(&tool)) {
            prop_assert_eq!(write(&judged(&reversed)).unwrap(), text.clone());
        }
        let policy = document::load(text.as_bytes()).unwrap();
        for (tool, (.., (_, arguments))) in tools.iter().zip(&offered).filter(|(tool, _)| once(tool)) {
            let fits = (1..=1024).contains(&tool.name.replace(['*', '?', '\\'], "xx").len());
            let expected = match classify(tool).class {
                _ if !fits => "(default deny)".to_owned(),
                Class::Destructive => "hidden".to_owned(),
                Class::Financial => "denied".to_owned(),
                Class::Read | Class::Write | Class::Execute => "allow".to_owned(),
            };
            let decided = called(&policy, &tool.name, arguments);
            let decided = if decided.ends_with("/deny_if/0") { "denied".to_owned() } else { decided };
            if decided != "unreadable" {
                prop_assert_eq!(decided, expected, "{} {} {}", text, tool.name, arguments);
            }
        }
    }
}
