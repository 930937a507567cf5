//! What servers ask of clients, as far as `methods` rules deny it.

use host_test::Stream;
use serde_json::{Value, json};

use super::lab::{Lab, Request, call, request};

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";
const ELICITS: &str = r#"{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{"message":"Your password?"}}"#;
const SAMPLES: &str = r#"{"jsonrpc":"2.0","id":10,"method":"sampling/createMessage","params":{}}"#;
const ANSWER: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;

fn lab() -> Lab {
    Lab::new(&json!({"version": "1", "default": "allow", "hide": ["secret"], "methods": {
        "elicitation/create": {"action": "deny", "reason": "Nobody is asked here."}, "roots/list": {}}}))
}

fn answered(lab: &Lab, status: &str, kind: &str, body: &str) -> String {
    received(lab.post(call("get_run", &json!({}))), status, kind, body)
}

fn received(mut stream: Stream, status: &str, kind: &str, body: &str) -> String {
    stream.response_headers(&[(":status", status), ("content-type", kind)]);
    stream.response_body(body, true);
    stream.received().text()
}

#[track_caller]
fn assert_denied(text: &str) {
    let json = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or(text);
    let reply: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(reply["id"], 1, "{reply}");
    assert_eq!(reply["error"]["data"]["rule"], "/methods/elicitation~1create", "{reply}");
    assert!(reply["error"]["message"].as_str().unwrap().contains("Nobody is asked here."), "{reply}");
    assert!(!text.contains("password"), "{text}");
}

#[test]
fn a_denied_request_of_the_server_is_taken_out_of_streams_and_others_stay() {
    let lab = lab();
    let events = format!("id: 1\ndata: {SAMPLES}\n\nid: 2\ndata: {ELICITS}\n\ndata: {ANSWER}\n\n");
    let seen = answered(&lab, "200", EVENTS, &events);
    assert!(seen.contains(SAMPLES) && seen.contains(ANSWER) && seen.contains("id: 2"), "{seen}");
    assert!(!seen.contains("elicitation"), "{seen}");
    let get = received(Request::get().send_without_body(&lab.worker(0)), "200", EVENTS, &events);
    assert_eq!(get, seen);
    assert_eq!(lab.metric("denied"), 2);
}

#[test]
fn an_answer_that_asks_for_it_is_replaced_by_a_denial() {
    let lab = lab();
    for ask in [
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"message":"password"}}}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32042,"message":"password","data":{"elicitations":[{"mode":"url","url":"https://x"}]}}}"#,
    ] {
        assert_denied(&answered(&lab, "200", JSON, ask));
        assert_denied(&answered(&lab, "200", EVENTS, &format!("data: {ask}\n\n")));
        // Some clients read errors there.
        assert_denied(&answered(&lab, "404", JSON, ask));
    }
    let roots = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}}}"#;
    assert_eq!(answered(&lab, "200", JSON, roots), roots);
    assert_eq!(answered(&lab, "404", "text/html", "<p>not found"), "<p>not found");
    assert_eq!(answered(&lab, "404", JSON, "not found"), "not found");
    assert_eq!(answered(&lab, "200", "text/html; charset=iso-8859-1", "<p>hello"), "<p>hello");
    assert_eq!(answered(&lab, "202", "text/plain", "Accepted"), "Accepted");
}

#[test]
fn what_answers_a_notification_or_a_response_cannot_ask_either() {
    let lab = lab();
    for posted in
        [r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, r#"{"jsonrpc":"2.0","id":3,"result":{}}"#]
    {
        for (kind, body) in [(JSON, ELICITS.to_owned()), (EVENTS, format!("data: {ELICITS}\n\n"))] {
            let seen = received(lab.post(posted), "200", kind, &body);
            assert!(!seen.contains("password"), "{seen}");
        }
    }
}

#[test]
fn a_large_answer_that_has_to_be_read_is_withheld() {
    let lab = lab();
    let large = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":"{}"}}}}"#, "x".repeat(1 << 20));
    assert!(answered(&lab, "200", JSON, &large).contains("withheld"));
}

#[test]
fn results_of_calls_are_no_listings() {
    let lab = lab();
    let odd = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"tools":"\ud800"}}"#;
    assert_eq!(answered(&lab, "200", JSON, odd), odd);
    let tools = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"secret"}]}}"#;
    assert_eq!(answered(&lab, "200", JSON, tools), tools);
    let list = lab.post(request("tools/list", &json!({})));
    assert_eq!(received(list, "200", JSON, tools), tools.replace(r#"{"name":"secret"}"#, ""));
}

#[test]
fn without_such_rules_nothing_of_a_call_is_looked_at() {
    for methods in [json!({}), json!({"logging/setLevel": {"action": "deny"}}), json!({"sampling/*": {}})] {
        let lab = Lab::new(&json!({"version": "1", "default": "allow", "hide": ["secret"], "methods": methods}));
        let events = format!("data: {ELICITS}\n\ndata: {{\"broken\n\n");
        assert_eq!(answered(&lab, "200", EVENTS, &events), events);
    }
}

#[test]
fn an_answer_in_a_charset_that_hides_what_it_says_is_withheld() {
    let lab = lab();
    for kind in
        ["text/event-stream; charset=utf-7", "application/json; charset=\"UTF-16\"", "application/json;charset=utf-32"]
    {
        let list = lab.post(request("tools/list", &json!({})));
        let seen = received(list, "200", kind, "data: {}\n\n");
        assert!(seen.contains("charset") && seen.contains("\"id\":1"), "{seen}");
    }
    let list = lab.post(request("tools/list", &json!({})));
    assert_eq!(received(list, "200", "application/json; charset=UTF-8", ANSWER), ANSWER);
}

#[test]
fn an_answer_made_to_be_read_slowly_costs_in_proportion() {
    let lab = lab();
    let worker = lab.worker(0);
    for (shape, unit) in [
        ("objects", r#""method":{"#),
        ("arrays", r#""method":["#),
        ("numbers", r#""method":1"#),
        ("spaces", r#""method" : "#),
        ("texts", r#""method":"roots/list","#),
        ("escapes", r#""m\u0065thod":"#),
    ] {
        let body = format!(r#"{{"a":NaN,{}"#, unit.repeat(1_000_000 / unit.len()));
        let before = worker.fuel_used();
        answered(&lab, "200", JSON, &body);
        let per_byte = (worker.fuel_used() - before) / body.len() as u64;
        assert!(per_byte < 600, "{shape}: {per_byte} instructions per byte");
    }
}
