use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::decision::{Facts, Header, Refusal, RefusalKind, Target};
use crate::document::path::Path;
use crate::global::DigestKey;
use crate::message::{Message, read};
use crate::quota::Principal;

/// A table of facts.
#[derive(Default)]
struct Table {
    claims: Vec<(&'static str, &'static str)>,
    headers: Vec<(&'static str, Header<'static>)>,
}

impl Facts for Table {
    fn grant(&self) -> Option<&str> {
        None
    }

    fn claim(&self, name: &str) -> Option<&[u8]> {
        self.claims.iter().find(|(key, _)| *key == name).map(|(_, json)| json.as_bytes())
    }

    fn header(&self, name: &str) -> Header<'_> {
        let header = self.headers.iter().find(|(key, _)| *key == name);
        header.map_or(Header::Absent, |(_, header)| header.clone())
    }

    fn unix_seconds(&self) -> u64 {
        0
    }
}

fn body(name: &str, arguments: &str) -> String {
    let name = json!(name);
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":{name},"arguments":{arguments}}}}}"#)
}

/// The record of a call that passed, with what these paths lead to.
fn record(name: &str, arguments: &str, paths: &[&str], facts: &Table) -> Vec<u8> {
    let body = body(name, arguments);
    let Ok(Message::Request { method, params, .. }) = read(body.as_bytes(), 64) else { panic!("{body}") };
    let paths: Vec<Path> = paths.iter().map(|path| Path::parse(path).unwrap()).collect();
    let values: Vec<(&Path, Found)> =
        paths.iter().map(|path| (path, Found::at(path, &params.arguments, facts))).collect();
    let who = Who { grant: "anonymous".to_owned(), ..Who::default() };
    let head = Head { wall_ms: 1_795_716_000_123, clock_us: 7, policies: &["lab"], observed: false, who: &who };
    let mut record = Record::begin(&head);
    record.call(&Call { method: &method, target: &Target::of(&method, &params), refused: None }, &values);
    record.finish()
}

fn values(arguments: &str, paths: &[&str]) -> Json {
    let record: Json = serde_json::from_slice(&record("t", arguments, paths, &Table::default())).unwrap();
    json!([record["calls"][0]["values"], record["calls"][0]["marks"]])
}

#[test]
fn a_record_says_who_what_and_what_became_of_it() {
    let who = Who { grant: "g".to_owned(), session: Some("s".to_owned()), client_ip: Some("c".to_owned()) };
    let head = Head { wall_ms: 1_795_716_000_123, clock_us: 7, policies: &["base", "lab"], observed: true, who: &who };
    let mut record = Record::begin(&head);
    let refusal = Refusal { kind: RefusalKind::Hidden, rule: "(hidden)", reason: "r".into() };
    let refused = Some(("lab", refusal));
    record.call(&Call { method: "tools/call", target: &Target::Tool("t\"\n"), refused }, &[]);
    record.call(&Call { method: "ping", target: &Target::Passes, refused: None }, &[]);
    let text = String::from_utf8(record.finish()).unwrap();
    let expected = concat!(
        r#"{"v":1,"time":"2026-11-26T18:00:00.123Z","clock_us":7,"policies":["base","lab"],"observed":true,"grant":"g","#,
        r#""session":"s","client_ip":"c","calls":["#,
        r#"{"method":"tools/call","name":"t\"\n","outcome":"hidden","policy":"lab","rule":"(hidden)"},"#,
        r#"{"method":"ping","outcome":"allowed"}]}"#,
    );
    assert_eq!(text, expected);
    let refused =
        String::from_utf8(Record::begin(&Head { policies: &[], observed: false, ..head }).refused(400, "why"));
    assert!(refused.unwrap().ends_with(r#""calls":[],"refused":{"status":400,"why":"why"}}"#));
}

#[test]
fn only_what_is_opted_in_is_recorded() {
    let text = record("t", r#"{"amount": 5, "secret": "hunter2"}"#, &["args.amount"], &Table::default());
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(r#""values":{"args.amount":5}"#) && !text.contains("hunter2"), "{text}");
}

#[test]
fn absent_null_unclear_and_too_long_are_told_apart() {
    let long = format!(r#"{{"a": null, "b": 1, "c": "{}", "D": 1, "d": 2}}"#, "x".repeat(MAX_VALUE));
    assert_eq!(
        values(&long, &["args.a", "args.b.x", "args.c", "args.d", "args.e"]),
        json!([
            { "args.a": null },
            { "args.b.x": "unclear", "args.c": "too_long", "args.d": "lookalike", "args.e": "absent" },
        ])
    );
}

#[test]
fn values_stand_as_they_are_written_on_one_line() {
    let text = record("t", "{\"a\": {\"x\" :\n[1e2,\"a \\\" b\\n\"] }}", &["args.a"], &Table::default());
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(r#""values":{"args.a":{"x":[1e2,"a \" b\n"]}}"#), "{text}");
}

#[test]
fn every_element_is_recorded_and_marked_by_its_index() {
    let paths = ["args.l[*].p", "args.none[*]"];
    assert_eq!(
        values(r#"{"l": [{"p": 1}, {}, 3, {"p": null}], "none": []}"#, &paths),
        json!([
            { "args.l[*].p": [1, null, null, null] },
            { "args.l[*].p": { "1": "absent", "2": "unclear" }, "args.none[*]": "absent" },
        ])
    );
    let many = format!(r#"{{"l": [{}1]}}"#, "1,".repeat(100_000));
    assert_eq!(values(&many, &["args.l[*]"]), json!([null, { "args.l[*]": "too_long" }]));
}

#[test]
fn claims_and_headers_are_recorded() {
    let facts = Table {
        claims: vec![("team", r#"["a","b"]"#), ("bad", "")],
        headers: vec![("x-env", Header::Once("lab\u{1}".into())), ("x-two", Header::Unclear)],
    };
    let paths = [
        "identity.claims.team[*]",
        "identity.claims.team",
        "identity.claims.bad",
        "request.headers.x-env",
        "request.headers.x-two",
    ];
    let record: Json = serde_json::from_slice(&record("t", "{}", &paths, &facts)).unwrap();
    assert_eq!(
        json!([record["calls"][0]["values"], record["calls"][0]["marks"]]),
        json!([
            { "identity.claims.team[*]": ["a", "b"], "identity.claims.team": ["a", "b"], "request.headers.x-env": "lab\u{1}" },
            { "identity.claims.bad": "unclear", "request.headers.x-two": "unclear" },
        ])
    );
}

#[test]
fn names_that_are_too_long_and_uris_that_may_hold_credentials_are_withheld() {
    let call = |target: &Target<'_>, method: &str| -> Json {
        let who = Who::default();
        let head = Head { wall_ms: 0, clock_us: 0, policies: &[""], observed: false, who: &who };
        let mut record = Record::begin(&head);
        record.call(&Call { method, target, refused: None }, &[]);
        serde_json::from_slice::<Json>(&record.finish()).unwrap()["calls"][0].clone()
    };
    let long = "x".repeat(MAX_NAME + 1);
    assert_eq!(call(&Target::Tool(&long), "tools/call")["withheld"], "name");
    assert_eq!(call(&Target::Method, &long), json!({ "method": "", "withheld": "method", "outcome": "allowed" }));
    assert_eq!(call(&Target::Resource("file:///a".into()), "resources/read")["uri"], "file:///a");
    for uri in ["https://h/a?sig=s", "https://u:p@h/a", "https://h/#t"] {
        let call = call(&Target::Resource(uri.into()), "resources/read");
        assert_eq!((&call["withheld"], &call["uri"]), (&json!("uri"), &Json::Null));
    }
}

#[test]
fn digests_depend_on_the_key_and_on_who_it_is() {
    let key = |byte: &str| DigestKey::new(&byte.repeat(32)).unwrap();
    let ada = Principal::Grant { source: "header:x", issuer: "", value: "ada" };
    let one = grant(&key("a"), ada);
    assert_eq!(one, grant(&key("a"), ada));
    assert_eq!(one.len(), 32);
    let of_metadata = Principal::Grant { source: "metadata:x", issuer: "", value: "ada" };
    let others = [
        grant(&key("b"), ada),
        grant(&key("a"), of_metadata),
        session(&key("a"), ada, ""),
        session(&key("a"), Principal::Anonymous, ""),
        client_ip(&key("a"), "10.0.0.1".parse().unwrap()),
    ];
    for other in &others {
        assert_ne!(*other, one);
        assert_eq!(others.iter().filter(|another| *another == other).count(), 1);
    }
    assert_eq!(grant(&key("a"), Principal::Anonymous), "anonymous");
    let network = |address: &str| client_ip(&key("a"), address.parse().unwrap());
    assert_eq!(network("2001:db8::1"), network("2001:db8::2"));
    assert_eq!(network("::ffff:10.0.0.1"), network("10.0.0.1"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_is_one_bounded_line_of_json_whatever_clients_send(
        names in prop::collection::vec(".{0,200}", 0..60),
        value in prop::collection::vec(any::<char>(), 0..300).prop_map(|chars| chars.into_iter().collect::<String>()),
    ) {
        let arguments = json!({ "a": value, "b": { "c": [value, { "d": value }] } }).to_string();
        let body = body("t", &arguments);
        let Ok(Message::Request { params, .. }) = read(body.as_bytes(), 64) else { panic!("{body}") };
        let paths: Vec<Path> =
            ["args.a", "args.b", "args.b.c[*].d", "args.\"x\\"].iter().filter_map(|path| Path::parse(path).ok()).collect();
        let who = Who { grant: value.chars().take(32).collect(), ..Who::default() };
        let head = Head { wall_ms: 0, clock_us: 0, policies: &["p"; 200], observed: false, who: &who };
        let mut record = Record::begin(&head);
        for name in &names {
            let found = paths.iter().map(|path| (path, Found::at(path, &params.arguments, &Table::default())));
            let found: Vec<(&Path, Found)> = found.collect();
            record.call(&Call { method: name, target: &Target::Tool(name), refused: None }, &found);
        }
        let record = record.finish();
        prop_assert!(record.len() <= MAX_RECORD && !record.contains(&b'\n'), "{}", record.len());
        let json: Json = serde_json::from_slice(&record).unwrap();
        let calls = json["calls"].as_array().unwrap();
        let more = usize::try_from(json["more"].as_u64().unwrap_or(0)).unwrap();
        prop_assert_eq!(calls.len() + more, names.len());
        for (call, name) in calls.iter().zip(&names) {
            prop_assert!(call["withheld"].is_string() == (name.len() > MAX_NAME));
            if call["left_out"].is_null() && call["marks"]["args.a"].is_null() {
                prop_assert_eq!(&call["values"]["args.a"], &json!(value));
            }
        }
    }
}
