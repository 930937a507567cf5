//! Per what a limit counts.

use host_test::Value as Property;
use serde_json::{Value, json};

use crate::claims::jwt;
use crate::lab::{Lab, Request, call, envelope, is_forwarded, tools};

/// One call per hour and scope.
fn once_per(scope: &str) -> Value {
    tools(json!({"create_run": {"limits": [{"counter": "runs", "window": "hour", "max": 1, "scope": scope}]}}))
}

fn admits(lab: &Lab, request: &Request) -> bool {
    is_forwarded(&request.send(&lab.worker(0), call("create_run", &json!({}))))
}

/// Each of the requests has a count of its own.
fn assert_apart(lab: &Lab, requests: &[Request]) {
    for (index, request) in requests.iter().enumerate() {
        assert!(admits(lab, request), "request {index} shares a count with one before");
    }
    for (index, request) in requests.iter().enumerate() {
        assert!(!admits(lab, request), "request {index} is not counted");
    }
}

/// All of the requests share one count.
fn assert_together(lab: &Lab, requests: &[Request]) {
    for (index, request) in requests.iter().enumerate() {
        assert_eq!(admits(lab, request), index == 0, "request {index}");
    }
}

fn from(address: &str) -> Request {
    Request::post().property(&["source", "address"], address)
}

fn with(name: &str, value: &str) -> Request {
    Request::post().set(name, value)
}

fn claims(claims: Value) -> Request {
    Request::post().property(&["metadata"], Property::Bytes(jwt(claims)))
}

#[test]
fn grant_is_the_default_scope() {
    let policy = tools(json!({"create_run": {"limits": [{"counter": "runs", "window": "hour", "max": 1}]}}));
    let lab = Lab::with(policy, json!({"identity": {"grant": [{"header": "x-key"}]}}));
    assert_apart(&lab, &[with("x-key", "a"), with("x-key", "A"), with("x-key", "a "), Request::post()]);
    assert_together(&Lab::new(&once_per("grant")), &[with("x-key", "a"), with("x-key", "b"), Request::post()]);
}

#[test]
fn session_counts_by_the_session_id_and_without_one_by_the_grant() {
    let lab = Lab::new(&once_per("session"));
    assert_apart(&lab, &[with("mcp-session-id", "one"), with("mcp-session-id", "two"), Request::post()]);
    let lab = Lab::with(once_per("session"), json!({"identity": {"grant": [{"header": "x-key"}]}}));
    assert_apart(&lab, &[with("x-key", "a"), with("x-key", "b"), with("x-key", "a").set("mcp-session-id", "s")]);
}

/// A counter per session and one per grant are two, whatever their names.
#[test]
fn a_call_without_a_session_counts_for_no_counter_of_the_grant() {
    let lab = Lab::new(&tools(json!({
        "create_run": {"limits": [
            {"counter": "calls", "window": "minute", "max": 100},
            {"counter": "calls", "window": "hour", "max": 3, "scope": "session"},
        ]},
        "get_run": {"limits": [{"counter": "calls", "window": "minute", "max": 100}]},
    })));
    assert_eq!((0..50).filter(|_| lab.admits("get_run")).count(), 50);
    assert_eq!((0..50).filter(|_| lab.admits("create_run")).count(), 3);
    assert_eq!((0..50).filter(|_| lab.admits("get_run")).count(), 47);
}

#[test]
fn sessions_of_different_grants_do_not_share() {
    let lab = Lab::with(once_per("session"), json!({"identity": {"grant": [{"header": "x-key"}]}}));
    let session = |key: &str| with("x-key", key).set("mcp-session-id", "guessed");
    assert_apart(&lab, &[session("a"), session("b")]);
}

#[test]
fn client_ip_is_the_address_without_port() {
    let lab = Lab::new(&once_per("client_ip"));
    assert_together(&lab, &[from("10.0.0.1:1000"), from("10.0.0.1:2000"), from("10.0.0.1:65535")]);
    assert_apart(&lab, &[from("10.0.0.2:1000"), from("10.0.0.3:1000"), from("[2001:db8::1]:1000")]);
}

#[test]
fn client_ip_takes_ipv6_by_its_64_bit_prefix() {
    let lab = Lab::new(&once_per("client_ip"));
    assert_together(&lab, &[from("[2001:db8:0:1::1]:1"), from("[2001:db8:0:1:ffff:ffff:ffff:ffff]:2")]);
    assert_apart(&lab, &[from("[2001:db8:0:2::1]:1"), from("[2001:db8:0:3::1]:1")]);
}

#[test]
fn an_ipv4_address_inside_ipv6_counts_as_ipv4() {
    let lab = Lab::new(&once_per("client_ip"));
    assert_apart(&lab, &[from("[::ffff:10.0.0.1]:1"), from("[::ffff:10.0.0.2]:1")]);
    assert!(!admits(&lab, &from("10.0.0.1:5")), "the same address in its other form");
}

#[test]
fn client_ip_without_an_address_is_one_shared_count() {
    let lab = Lab::new(&once_per("client_ip"));
    assert_together(&lab, &[Request::post(), from("/tmp/socket"), from("")]);
}

#[test]
fn global_is_one_count_for_all() {
    let lab = Lab::with(once_per("global"), json!({"identity": {"grant": [{"header": "x-key"}]}}));
    assert_together(&lab, &[with("x-key", "a"), with("x-key", "b"), Request::post()]);
}

#[test]
fn claim_counts_by_the_claims_value_and_type() {
    let lab = Lab::new(&once_per("claim:team"));
    assert_apart(
        &lab,
        &[
            claims(json!({"team": "a"})),
            claims(json!({"team": "b"})),
            claims(json!({"team": "5"})),
            claims(json!({"team": 5})),
            claims(json!({"team": ["a"]})),
        ],
    );
    let lab = Lab::new(&once_per("claim:team"));
    assert_together(&lab, &[claims(json!({"team": "a", "sub": "x"})), claims(json!({"team": "a", "sub": "y"}))]);
    let lab = Lab::new(&once_per("claim:team"));
    assert_together(&lab, &[claims(json!({})), Request::post()]);
}

#[test]
fn header_counts_by_the_headers_value() {
    let lab = Lab::new(&once_per("header:x-env"));
    assert_apart(&lab, &[with("x-env", "test"), with("x-env", "production"), Request::post()]);
}

#[test]
fn a_headers_count_is_not_that_of_another_scope_with_the_same_value() {
    let policy = tools(json!({"create_run": {"limits": [
        {"counter": "runs", "window": "hour", "max": 1, "scope": "header:x-a"}]},
        "other": {"limits": [{"counter": "runs", "window": "hour", "max": 1, "scope": "header:x-b"}]}}));
    let lab = Lab::new(&envelope(policy, json!({})));
    let both = with("x-a", "v").set("x-b", "v");
    assert!(admits(&lab, &both));
    assert!(is_forwarded(&both.send(&lab.worker(0), call("other", &json!({})))));
}
