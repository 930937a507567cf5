//! Bodies made to be misread or to be expensive.

use serde_json::json;

use crate::lab::{Lab, Request, assert_forwarded, filter, is_forwarded, message, tools};

fn call_text(name: &str, arguments: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}","arguments":{arguments}}}}}"#)
}

#[test]
fn a_tool_is_the_same_however_its_name_is_spelled() {
    let mut policy = tools(json!({"get_run": {}}));
    policy["hide"] = json!(["delete_*"]);
    let lab = Lab::new(&policy);
    for name in [r"delete\u005frun", r"\u0064elete_run"] {
        let stream = lab.post(call_text(name, "{}"));
        lab.assert_nothing_forwarded(&stream);
        assert_eq!(message(&stream)["error"]["message"], "Unknown tool: delete_run");
    }
    let body = call_text(r"get\u005Frun", "{}");
    assert_forwarded(&lab.post(&body), &body);
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools\u002fcall","params":{"name":"delete_run"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"meth\u006fd":"tools/call","params":{"n\u0061me":"delete_run"}}"#,
        r#"{"params":{"name":"delete_run"},"method":"tools/call","id":1,"jsonrpc":"2.0"}"#,
    ] {
        lab.assert_nothing_forwarded(&lab.post(body));
    }
}

#[test]
fn methods_are_compared_as_they_are() {
    let lab = Lab::new(&tools(json!({"get_run": {}})));
    for method in ["Tools/call", "tools/Call", "tools/call ", "tools/call\\u0000", " tools/call", "tools//call", ""] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"name":"get_run"}}}}"#);
        let stream = lab.post(body);
        assert!(!is_forwarded(&stream), "{method:?}");
        lab.assert_nothing_forwarded(&stream);
    }
}

#[test]
fn a_log_line_cannot_be_forged() {
    let lab = Lab::new(&tools(json!({})));
    let forged = "x\\nmcp_policy: allowed\\u001b[2J";
    lab.post(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{forged}"}}"#));
    lab.post(call_text(forged, "{}"));
    for (_, line) in lab.logs() {
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(!line.contains("allowed"), "{line:?}");
    }
}

#[test]
fn a_body_of_the_largest_size_costs_in_proportion_whatever_its_shape() {
    let condition = json!({"path": "args.a[*].b", "op": "ends_with", "value": "y"});
    let policy = json!({"version": "1", "default": "deny", "tools": {"t": {"deny_if": [{"conditions": [condition]}]}}});
    let host = filter().configuration(policy.to_string()).start().unwrap();
    let worker = host.worker(0);
    let fill = |element: &dyn Fn(usize) -> String, open: &str, close: &str| {
        let mut text = open.to_owned();
        for index in 0.. {
            if text.len() > 1_000_000 {
                break;
            }
            if index > 0 {
                text.push(',');
            }
            text += &element(index);
        }
        text + close
    };
    let shapes = [
        ("many keys", fill(&|index| format!(r#""{index:x}":1"#), "{", "}")),
        ("keys with one prefix", fill(&|index| format!(r#""{}{index:x}":1"#, "k".repeat(40)), "{", "}")),
        ("escaped keys", fill(&|index| format!(r#""\u0061{index:x}":1"#), "{", "}")),
        ("empty lists", fill(&|_| "[]".to_owned(), r#"{"a":["#, "]}")),
        ("small objects", fill(&|_| r#"{"b":"x"}"#.to_owned(), r#"{"a":["#, "]}")),
        ("numbers", fill(&|_| "1".to_owned(), r#"{"a":["#, "]}")),
        ("one number", format!(r#"{{"a":{}}}"#, "1".repeat(1_000_000))),
        ("one text", format!(r#"{{"a":[{{"b":"{}"}}]}}"#, "x".repeat(1_000_000))),
        ("one escaped text", format!(r#"{{"a":[{{"b":"{}"}}]}}"#, r"\u0078".repeat(170_000))),
        ("one key", format!(r#"{{"{}":1}}"#, "k".repeat(1_000_000))),
        ("spaces", format!("{{{}}}", " ".repeat(1_000_000))),
    ];
    for (shape, arguments) in shapes {
        let body = call_text("t", &arguments);
        let before = worker.fuel_used();
        let stream = Request::post().send(&worker, &body);
        assert!(is_forwarded(&stream) || stream.reply().is_some_and(|reply| reply.by_filter), "{shape}");
        drop(stream);
        assert_eq!(host.take_faults(), [], "{shape}");
        let per_byte = (worker.fuel_used() - before) / u64::try_from(body.len()).unwrap();
        assert!(per_byte < 600, "{shape}: {per_byte} instructions per byte");
    }
    assert!(worker.memory_bytes() < 48 << 20, "{} MiB", worker.memory_bytes() >> 20);
}

#[test]
fn a_listing_of_the_largest_size_costs_in_proportion() {
    let host = filter()
        .configuration(json!({"version": "1", "default": "allow", "hide": ["delete_*"]}).to_string())
        .start()
        .unwrap();
    let worker = host.worker(0);
    let tools: Vec<String> = (0..20_000).map(|index| format!(r#"{{"name":"delete_{index}","d":"x"}}"#)).collect();
    let list = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{}]}}}}"#, tools.join(","));
    for (content_type, body) in [("application/json", list.clone()), ("text/event-stream", format!("data: {list}\n\n"))]
    {
        let before = worker.fuel_used();
        let mut stream = Request::post().send(&worker, crate::lab::request("tools/list", &json!({})));
        stream.response_headers(&[(":status", "200"), ("content-type", content_type)]);
        for piece in body.as_bytes().chunks(1000) {
            stream.response_body(piece, false);
        }
        stream.response_body("", true);
        assert!(stream.received().ended && !stream.received().text().contains("delete"));
        drop(stream);
        let per_byte = (worker.fuel_used() - before) / u64::try_from(body.len()).unwrap();
        assert!(per_byte < 600, "{content_type}: {per_byte} instructions per byte");
    }
}

#[test]
fn a_regular_expression_runs_in_linear_time() {
    let condition = json!({"path": "args.text", "op": "regex", "value": "(x+x+)+y"});
    let host = filter()
        .configuration(tools(json!({"t": {"deny_if": [{"conditions": [condition]}]}})).to_string())
        .start()
        .unwrap();
    let worker = host.worker(0);
    let cost = |length: usize| {
        let before = worker.fuel_used();
        let body = call_text("t", &format!(r#"{{"text":"{}"}}"#, "x".repeat(length)));
        assert_forwarded(&Request::post().send(&worker, &body), &body);
        worker.fuel_used() - before
    };
    cost(1000);
    // More than 16 KiB are refused before the expression looks at them.
    let (small, large) = (cost(4_000), cost(16_000));
    assert!(large < small * 5, "four times the text costs {large} instead of {small}");
}

#[test]
fn conditions_cost_a_bounded_time_whatever_they_look_at() {
    let rule = |count: usize, path: &str, op: &str, value: serde_json::Value| json!({"deny_if": vec![json!({"conditions": [{"path": path, "op": op, "value": value}]}); count]});
    let numbers = |count: u32| (0..count).collect::<Vec<_>>();
    let networks = |count: u32| (0..count).map(|nth| format!("10.{}.{}.0/24", nth >> 8, nth & 255)).collect::<Vec<_>>();
    let host = filter()
        .configuration(
            tools(json!({
                "none": {},
                "fields": rule(100, "args.a[*].x2", "eq", json!(2)),
                "numbers": rule(100, "args.a[*]", "gt", json!(1e20)),
                "list": rule(4, "args.a[*]", "in", json!(numbers(4096))),
                "short_list": rule(100, "args.a[*]", "in", json!(numbers(20))),
                "networks": rule(4, "args.a[*]", "cidr", json!(networks(4096))),
                "number": rule(100, "args.a", "gte", json!(100)),
                "text": rule(100, "args.a", "contains", json!("needle")),
                "elements": rule(100, "args.a", "contains", json!("needle")),
                "length": rule(100, "args.a", "length_gte", json!(10_000_000)),
                "names": rule(100, "args.b", "eq", json!(2)),
            }))
            .to_string(),
        )
        .start()
        .unwrap();
    let worker = host.worker(0);
    let room = (1 << 20) - 400;
    let elements = |element: &str| format!(r#"{{"a":[{}]}}"#, vec![element; room / (element.len() + 1)].join(","));
    let names = || {
        let names = (0x1_0000..).filter_map(char::from_u32).map(|name| format!(r#","{name}":0"#));
        format!(r#"{{"b":1{}}}"#, names.take(room / 9).collect::<String>())
    };
    for (tool, arguments) in [
        ("fields", elements(r#"{"x":1}"#)),
        ("fields", elements(r#"{"x2":1,"X":[{}]}"#)),
        ("numbers", elements("1e1")),
        ("numbers", elements("0")),
        ("list", elements("-1")),
        ("short_list", elements("-1")),
        ("networks", elements(r#""1.1.1.1""#)),
        ("number", format!(r#"{{"a":1.5{}}}"#, "0".repeat(room))),
        ("text", format!(r#"{{"a":"{}"}}"#, "n".repeat(room))),
        ("text", format!(r#"{{"a":"{}"}}"#, r"\n".repeat(room / 2))),
        ("elements", elements(r#""n""#)),
        ("elements", elements("1e1")),
        ("length", elements("0")),
        ("names", names()),
    ] {
        let cost = |tool: &str| {
            let before = worker.fuel_used();
            drop(Request::post().send(&worker, call_text(tool, &arguments)));
            (worker.fuel_used() - before) / 1_000_000
        };
        let (none, more) = (cost("none"), cost(tool));
        let sample: String = arguments.chars().take(24).collect();
        let cost = format!("{tool}, {sample}…: {none} million instructions without conditions, {more} with");
        eprintln!("{cost}");
        assert!(none > 0 && more < 800, "{cost}");
    }
}
