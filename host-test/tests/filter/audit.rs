//! The record that a judged body leaves for Envoy's access log.

use std::time::Duration;

use host_test::{Answer, Cluster, Stream, Value as Property};
use serde_json::{Value, json};

use crate::claims::jwt;
use crate::lab::{Lab, Request, SECRET, call, call_as, filter, is_forwarded, request, tools};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn policy() -> Value {
    let lab_only = json!({"path": "args.robot_ip", "op": "cidr", "value": "10.0.0.0/8"});
    let mut policy = tools(json!({
        "get_run": {},
        "create_run": {
            "require": [{"conditions": [lab_only]}], "rate_limit": "1/day", "record": ["args.robot_ip", "args.steps[*].n"],
        },
        "home": {"action": "require_approval"},
    }));
    policy["hide"] = json!(["delete_*"]);
    policy["all_tools"] = json!({"record": ["args.robot_ip", "request.headers.x-env"]});
    policy
}

fn lab(members: Value) -> Lab {
    let mut members = members;
    members["audit"] = json!({"digest_key": KEY});
    Lab::with(policy(), members)
}

/// The record of a stream.
#[track_caller]
fn record(stream: &Stream) -> Value {
    let text = stream.filter_state("mcp_policy.audit").expect("there is a record");
    assert!(!text.contains(&b'\n') && text.len() <= 8192);
    serde_json::from_slice(&text).expect("the record is JSON")
}

/// What a record says of its only call: outcome and rule.
#[track_caller]
fn outcome(stream: &Stream) -> (String, String) {
    let record = record(stream);
    let [call] = record["calls"].as_array().unwrap().as_slice() else { panic!("{record}") };
    (call["outcome"].as_str().unwrap().to_owned(), call["rule"].as_str().unwrap_or_default().to_owned())
}

fn is(outcome: &str, rule: &str) -> (String, String) {
    (outcome.to_owned(), rule.to_owned())
}

#[test]
fn every_outcome_is_recorded_with_its_rule() {
    let lab = lab(json!({}));
    assert_eq!(outcome(&lab.call("get_run")), is("allowed", ""));
    assert_eq!(outcome(&lab.call("other")), is("denied", "(default deny)"));
    assert_eq!(outcome(&lab.call("delete_run")), is("hidden", "(hidden)"));
    assert_eq!(outcome(&lab.call("home")), is("approval_required", "/tools/home"));
    let create = |ip: &str| lab.post(call("create_run", &json!({"robot_ip": ip})));
    assert_eq!(outcome(&create("8.8.8.8")), is("denied", "/tools/create_run/require/args.robot_ip-cidr"));
    assert_eq!(outcome(&create("10.0.0.1")), is("allowed", ""));
    assert_eq!(outcome(&create("10.0.0.1")), is("limited", "/tools/create_run/rate_limit"));
    assert_eq!(outcome(&lab.post(request("ping", &json!({})))), is("allowed", ""));
}

#[test]
fn a_record_names_the_time_the_policies_and_what_rules_opt_in() {
    let lab = lab(json!({}));
    let arguments = json!({"robot_ip": "10.0.0.1", "steps": [{"n": 1}, {"n": 2.50}], "note": SECRET});
    let stream = Request::post().set("x-env", "lab").send(&lab.worker(0), call("create_run", &arguments));
    assert!(is_forwarded(&stream));
    let record = record(&stream);
    assert_eq!(record["v"], 1);
    assert_eq!(record["time"], "2026-01-01T00:00:00.000Z");
    assert_eq!(record["clock_us"], 86_412_345_678_u64);
    assert_eq!((&record["policies"], &record["grant"]), (&json!(["p"]), &json!("anonymous")));
    assert_eq!(
        record["calls"],
        json!([{
            "method": "tools/call", "name": "create_run", "outcome": "allowed",
            "values": {"args.robot_ip": "10.0.0.1", "args.steps[*].n": [1, 2.5], "request.headers.x-env": "lab"},
        }])
    );
    assert_eq!(lab.metric("audit_lost"), 0);
}

#[test]
fn all_messages_of_a_batch_are_in_its_record() {
    let lab = lab(json!({}));
    let batch = |tools: &[&str]| {
        let calls: Vec<String> =
            tools.iter().enumerate().map(|(id, tool)| call_as(&json!(id), tool, &json!({}))).collect();
        lab.post(format!("[{}]", calls.join(",")))
    };
    let outcomes = |stream: &Stream| -> Vec<(String, String)> {
        let record = record(stream);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        record["calls"].as_array().unwrap().iter().map(|call| (text(&call["outcome"]), text(&call["rule"]))).collect()
    };
    assert_eq!(outcomes(&batch(&["get_run", "get_run"])), [is("allowed", ""), is("allowed", "")]);
    assert_eq!(outcomes(&batch(&["get_run", "other"])), [is("denied", "(batch)"), is("denied", "(default deny)")]);
}

#[test]
fn what_could_not_be_judged_is_recorded_with_its_status() {
    let lab = lab(json!({"max_body_bytes": 4096}));
    let record_of = |body: &str| record(&lab.post(body));
    let unreadable = record_of("{");
    assert_eq!((&unreadable["calls"], &unreadable["refused"]["status"]), (&json!([]), &json!(400)));
    assert_eq!(unreadable["refused"]["why"], "unexpected end at byte 1");
    assert_eq!(record_of(&" ".repeat(5000))["refused"]["status"], 413);
    let stream = Request::post().set("mcp-method", "ping").send(&lab.worker(0), call("get_run", &json!({})));
    assert_eq!(record(&stream)["refused"]["status"], 400);
}

#[test]
fn nothing_is_recorded_unless_the_configuration_says_so() {
    let lab = Lab::with(policy(), json!({}));
    for stream in [lab.call("get_run"), lab.call("other"), lab.post("{")] {
        assert_eq!(stream.filter_state("mcp_policy.audit"), None);
    }
}

#[test]
fn no_argument_credential_session_or_grant_is_in_a_record() {
    let identity = json!({"grant": [{"jwt_claim": "sub"}, {"header": "x-key"}]});
    let lab = lab(json!({"identity": identity}));
    let ask = |tool: &str, arguments: &Value, by: &Request| {
        let request = by.clone().set("authorization", SECRET).set("cookie", SECRET).set("mcp-session-id", SECRET);
        let stream =
            request.property(&["source", "address"], "192.0.2.77:4711").send(&lab.worker(0), call(tool, arguments));
        let text = String::from_utf8(stream.filter_state("mcp_policy.audit").unwrap()).unwrap();
        assert!(!text.contains(SECRET) && !text.contains("192.0.2.77"), "{text}");
        record(&stream)
    };
    let arguments = json!({"robot_ip": "10.0.0.1", "password": SECRET, SECRET: 1, "steps": [{"x": SECRET}]});
    let by_header = ask("create_run", &arguments, &Request::post().set("x-key", SECRET));
    let token = Property::Bytes(jwt(json!({"sub": SECRET, "iss": "i", "team": SECRET})));
    let by_token = ask("get_run", &arguments, &Request::post().property(&["metadata"], token));
    assert_ne!(by_header["grant"], by_token["grant"]);
    assert_ne!(by_header["session"], by_token["session"], "a session is one of its grant");
    assert_eq!(by_header["client_ip"], by_token["client_ip"]);
    for digest in ["grant", "session", "client_ip"] {
        assert_eq!(by_header[digest].as_str().map(str::len), Some(32), "{digest}");
    }
}

#[test]
fn a_grant_has_one_digest_on_every_worker_and_another_under_another_key() {
    let grant_of = |key: &str, worker: usize| {
        let members = json!({"audit": {"digest_key": key}, "identity": {"grant": [{"header": "x-key"}]}});
        let configuration = crate::lab::envelope(policy(), members).to_string();
        let host = filter().configuration(configuration).workers(2).start().unwrap();
        let stream = Request::post().set("x-key", "ada").send(&host.worker(worker), call("get_run", &json!({})));
        record(&stream)["grant"].clone()
    };
    assert_eq!(grant_of(KEY, 0), grant_of(KEY, 1));
    assert_ne!(grant_of(KEY, 0), grant_of(&KEY.replace('0', "z"), 0));
}

#[test]
fn a_grant_that_is_not_clear_is_recorded_as_that() {
    let lab = lab(json!({"identity": {"grant": [{"header": "x-key"}]}}));
    let twice = Request::post().add("x-key", "a").add("x-key", "b");
    let record = record(&twice.send(&lab.worker(0), call("get_run", &json!({}))));
    assert_eq!((&record["grant"], &record["policies"]), (&json!("unclear"), &json!([])));
    assert_eq!(record["calls"][0]["rule"], "(no grant)");
}

#[test]
fn observed_refusals_are_recorded_as_such() {
    let lab = lab(json!({"mode": "observe"}));
    let stream = lab.call("other");
    assert!(is_forwarded(&stream));
    assert_eq!(record(&stream)["observed"], true);
    assert_eq!(outcome(&stream), is("denied", "(default deny)"));
}

#[test]
fn what_a_rate_limit_service_says_is_in_the_record() {
    let limit = json!({"counter": "c", "window": "minute", "align": "calendar", "max": 5, "store": "global"});
    let service = json!({"cluster": "ratelimit", "digest_key": KEY});
    let members = json!({"global_counters": service, "audit": {"digest_key": KEY}});
    let lab = Lab::with(tools(json!({"charge": {"limits": [limit]}})), members);
    lab.set_cluster("ratelimit", Some(Cluster::Up));
    let answered = |answer| {
        let judged_at_once = record(&lab.call("other"))["clock_us"].clone();
        let stream = lab.call("charge");
        assert_eq!(stream.filter_state("mcp_policy.audit"), None, "it is not known yet");
        let [question] = lab.pending_callouts().try_into().expect("one question");
        lab.advance(Duration::from_millis(40));
        lab.answer(question.id, answer).unwrap();
        // What is counted here was counted before the service was asked.
        assert_eq!(record(&stream)["clock_us"], judged_at_once);
        outcome(&stream)
    };
    // A `RateLimitResponse` that applied 5 a minute: over it, and within it.
    let response = |code: u8| Answer::GrpcMessage(vec![0x08, code, 0x12, 8, 0x08, code, 0x12, 4, 0x08, 5, 0x10, 2]);
    assert_eq!(answered(response(2)), is("limited", "/tools/charge/limits/c"));
    assert_eq!(answered(response(1)), is("allowed", ""));
}
