//! What a call took is given back for the causes that its limit names, once, and for no other.

use host_test::Stream;
use serde_json::{Value, json};

use crate::lab::{Lab, Request, call, is_forwarded, tools};

const JSON: (&str, &str) = ("content-type", "application/json");
const OK: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;
const IS_ERROR: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":true}}"#;
const ERROR: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}"#;
/// Of Envoy's own answers: no host was found.
const UNSENT: (&str, &str, i64) = ("no_healthy_upstream", "", 0x2);
/// The one that was found could not be connected to.
const UNCONNECTED: (&str, &str, i64) =
    ("upstream_reset_before_response_started{connection_failure}", "10.0.0.1:80", 0x20);
/// Its pool of connections was full.
const OVERFLOWN: (&str, &str, i64) = ("upstream_reset_before_response_started{overflow}", "10.0.0.1:80", 0x80);

fn one_an_hour(refund: &Value) -> Lab {
    Lab::new(&tools(json!({"charge": {"limits": [{"counter": "c", "window": "hour", "max": 1, "refund": refund}]}})))
}

fn send(lab: &Lab) -> Stream {
    Request::post().send(&lab.worker(0), call("charge", &json!({})))
}

/// Calls, has it answered so, and says whether there is room again.
fn is_refunded(refund: &Value, status: &str, kind: (&str, &str), body: &str) -> bool {
    let lab = one_an_hour(refund);
    let mut stream = send(&lab);
    stream.response_headers(&[(":status", status), kind]);
    let (first, rest) = body.as_bytes().split_at(body.len() / 2);
    stream.response_body(first, false);
    stream.response_body(rest, true);
    assert_eq!(stream.received().text(), body, "the answer was changed");
    is_forwarded(&send(&lab))
}

fn is_refunded_by_envoy(refund: &Value, own: (&str, &str, i64)) -> bool {
    is_refunded_after(1, refund, own)
}

/// Whether there is room again after an answer of Envoy's own, at this attempt to send the call.
fn is_refunded_after(attempt: i64, refund: &Value, (details, address, flags): (&str, &str, i64)) -> bool {
    let lab = one_an_hour(refund);
    let request = Request::post().property(&["response", "code_details"], details);
    let request = request.property(&["upstream", "address"], address).property(&["response", "flags"], flags);
    let request = request.property(&["upstream", "request_attempt_count"], attempt);
    let mut stream = request.send(&lab.worker(0), call("charge", &json!({})));
    stream.response_headers(&[(":status", "503"), ("content-type", "text/plain")]);
    stream.response_body("upstream connect error", true);
    is_forwarded(&send(&lab))
}

#[test]
fn each_cause_gives_back_for_itself_alone() {
    let event = |message: &str| format!("event: message\ndata: {message}\n\n");
    let events = ("content-type", "text/event-stream; charset=utf-8");
    for (refund, causes) in [
        (json!("never"), ["", ""]),
        (json!("unsent"), ["", ""]),
        (json!("upstream_5xx"), ["5xx", ""]),
        (json!("jsonrpc_error"), ["jsonrpc_error", ""]),
        (json!("is_error"), ["is_error", ""]),
        (json!(["jsonrpc_error", "is_error"]), ["jsonrpc_error", "is_error"]),
    ] {
        for (cause, status, kind, body) in [
            ("none", "200", JSON, OK.to_owned()),
            ("none", "404", JSON, OK.to_owned()),
            ("5xx", "500", JSON, OK.to_owned()),
            ("5xx", "503", ("content-type", "text/html"), "<html>".to_owned()),
            ("jsonrpc_error", "200", JSON, ERROR.to_owned()),
            ("jsonrpc_error", "400", JSON, ERROR.to_owned()),
            ("jsonrpc_error", "200", events, event(ERROR)),
            ("is_error", "200", JSON, IS_ERROR.to_owned()),
            ("is_error", "200", events, event(IS_ERROR)),
            ("none", "200", JSON, ERROR.replace(":1,", ":2,")),
            ("none", "200", JSON, format!("{ERROR} trailing")),
        ] {
            let refunded = is_refunded(&refund, status, kind, &body);
            assert_eq!(refunded, causes.contains(&cause), "{refund} after {status} {body}");
        }
    }
}

#[test]
fn what_never_reached_a_server_is_given_back_where_the_limit_says_so() {
    let sent = ("upstream_reset_before_response_started{connection_termination}", "10.0.0.1:80", 0x40);
    let timed_out = ("response_timeout", "10.0.0.1:80", 0x4);
    for (refund, unsent) in [(json!("never"), false), (json!("unsent"), true), (json!("upstream_5xx"), false)] {
        for own in [UNSENT, UNCONNECTED, OVERFLOWN] {
            assert_eq!(is_refunded_by_envoy(&refund, own), unsent, "{refund} {own:?}");
        }
        assert!(!is_refunded_by_envoy(&refund, sent), "{refund}");
        assert!(!is_refunded_by_envoy(&refund, timed_out), "{refund}");
    }
}

#[test]
fn what_was_sent_once_is_not_given_back_because_it_could_not_be_sent_again() {
    for own in [UNSENT, UNCONNECTED, OVERFLOWN] {
        assert!(is_refunded_after(1, &json!("unsent"), own), "{own:?}");
        assert!(!is_refunded_after(2, &json!("unsent"), own), "{own:?}");
    }
}

#[test]
fn a_client_that_hangs_up_gets_nothing_back() {
    for refund in [json!("unsent"), json!(["upstream_5xx", "jsonrpc_error", "is_error", "unsent"])] {
        let lab = one_an_hour(&refund);
        send(&lab).reset();
        assert!(!is_forwarded(&send(&lab)), "{refund}");
        let lab = one_an_hour(&refund);
        let mut stream = send(&lab);
        stream.response_headers(&[(":status", "500"), JSON]);
        stream.response_body(&ERROR[..20], false);
        stream.reset();
        assert!(!is_forwarded(&send(&lab)), "{refund}: half an answer");
    }
}

#[test]
fn a_call_is_given_back_once() {
    let lab = Lab::new(&tools(json!({"charge": {"limits": [
        {"counter": "c", "window": "hour", "max": 2, "refund": ["upstream_5xx", "jsonrpc_error", "is_error"]}]}})));
    let kept = send(&lab);
    let mut failed = send(&lab);
    failed.response_headers(&[(":status", "500"), JSON]);
    failed.response_body(ERROR, true);
    failed.finish();
    drop(failed);
    assert!(is_forwarded(&send(&lab)));
    assert!(!is_forwarded(&send(&lab)));
    drop(kept);
}

#[test]
fn amounts_are_given_back_to_the_millionth_and_other_limits_keep_theirs() {
    let lab = Lab::new(&tools(json!({"charge": {"limits": [
        {"counter": "spent", "window": "day", "max": 1, "increment_from": "args.amount", "refund": "is_error"},
        {"counter": "calls", "window": "day", "max": 3}]}})));
    let charge = |amount: f64| lab.post(call("charge", &json!({"amount": amount})));
    assert!(is_forwarded(&charge(0.3)));
    let mut failed = charge(0.7);
    failed.response_headers(&[(":status", "200"), JSON]);
    failed.response_body(IS_ERROR, true);
    assert!(is_forwarded(&charge(0.7)), "the amount was not given back");
    assert_eq!(lab.assert_denied(&charge(0.0), "")["rule"], "/tools/charge/limits/calls");
}

#[test]
fn in_a_batch_each_call_has_an_ending_of_its_own() {
    let lab = Lab::new(&tools(json!({
        "charge": {"limits": [{"counter": "c", "window": "hour", "max": 2, "refund": "is_error"}]}})));
    let charge = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "charge"}});
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}});
    let mut batch = lab.post(json!([notification, charge(1), charge(2)]).to_string());
    assert!(is_forwarded(&batch));
    let answers = format!("[{},{}]", IS_ERROR.replace(":1,", ":2,"), OK);
    batch.response_headers(&[(":status", "200"), JSON]);
    batch.response_body(answers, true);
    assert!(is_forwarded(&send(&lab)));
    assert!(!is_forwarded(&send(&lab)));
}
