//! Whatever comes: forwarded exactly, or answered properly. Never a trap, never silence.

use std::cell::RefCell;

use host_test::{HeaderStop, Host, Stream};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::edits::{edit, edited};
use crate::lab::{Request, call, envelope, filter, is_forwarded, request, tools};

fn policy() -> Value {
    let ip = json!({"path": "args.robot_ip", "op": "cidr", "value": "10.0.0.0/8"});
    let mut policy = tools(json!({
        "get_run": {},
        "create_run": {"require": [{"conditions": [ip]}], "limits": [
            {"counter": "runs", "window": "second", "max": 3},
            {"counter": "spent", "window": "day", "max": 1_000_000, "increment_from": "args.n"}],
            "record": ["args.n", "args.robot_ip", "args.list[*].x", "args.a"]},
    }));
    policy["hide"] = json!(["delete_*"]);
    policy
}

thread_local! {
    /// One host per thread and mode: starting one for each case would take most of the time.
    static HOSTS: RefCell<Vec<Host>> = RefCell::default();
}

fn with_hosts(test: impl Fn(&Host)) {
    HOSTS.with_borrow_mut(|hosts| {
        if hosts.is_empty() {
            for (mode, stop) in [("stream", HeaderStop::StopAll), ("hold", HeaderStop::AllowOnHeaders)] {
                let configuration = envelope(
                    policy(),
                    json!({
                        "request_headers": mode, "max_body_bytes": 4096,
                        "audit": {"digest_key": "0123456789abcdef0123456789abcdef"},
                    }),
                );
                hosts.push(filter().stop_iteration(stop).configuration(configuration.to_string()).start().unwrap());
            }
        }
        hosts.iter().for_each(&test);
    });
}

/// The promise that holds for every body.
fn check(host: &Host, stream: &Stream, body: &[u8]) -> Result<(), TestCaseError> {
    prop_assert_eq!(host.take_faults(), vec![]);
    if let Some(record) = stream.filter_state("mcp_policy.audit") {
        prop_assert!(record.len() <= 8192 && !record.contains(&b'\n'));
        serde_json::from_slice::<Value>(&record).expect("the record is JSON");
    }
    if is_forwarded(stream) {
        prop_assert_eq!(&stream.forwarded().body, body);
        // Only what is clearly one message goes on, and only an allowed tool.
        let message: Value = serde_json::from_slice(body).expect("forwarded, and not even JSON");
        if message["method"] == "tools/call" {
            prop_assert!(message["params"]["name"] == "get_run" || message["params"]["name"] == "create_run");
        }
        return Ok(());
    }
    prop_assert_eq!(stream.forwarded().body, Vec::<u8>::new());
    let reply = stream.reply();
    prop_assert!(reply.as_ref().is_some_and(|reply| reply.by_filter), "neither forwarded nor answered");
    let received = stream.received();
    let answer = || serde_json::from_slice::<Value>(&received.body);
    match received.status() {
        // The id as a server would read it.
        Some(200) => {
            let asked: Value = serde_json::from_slice(body).expect("answered, and not even JSON");
            prop_assert_eq!(&answer().expect("not JSON")["id"], &asked["id"]);
        }
        Some(202) => prop_assert!(received.body.is_empty()),
        Some(400 | 413) => {
            let answer = answer().expect("not JSON");
            prop_assert!(answer["id"].is_null() && answer["error"]["code"].is_i64());
        }
        status => prop_assert!(false, "{:?}", status),
    }
    Ok(())
}

/// Sends the body in pieces of this size.
fn send(host: &Host, body: &[u8], piece: usize) -> Stream {
    let mut stream = Request::post().open(&host.worker(0));
    for piece in body.chunks(piece) {
        stream.request_body(piece, false);
    }
    stream.request_body("", true);
    stream
}

fn valid_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(call("get_run", &json!({"id": "a", "list": [1, {"x": null}]}))),
        Just(call("create_run", &json!({"robot_ip": "10.0.0.1", "n": 1.5}))),
        Just(call("create_run", &json!({"robot_ip": "192.168.0.1", "n": 2}))),
        Just(call("delete_run", &json!({}))),
        Just(request("tools/list", &json!({"cursor": "x"}))),
        Just(request("resources/read", &json!({"uri": "file:///a/../b"}))),
        Just(request("completion/complete", &json!({"ref": {"type": "ref/prompt", "name": "p"}, "argument": {}}))),
        Just(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned()),
        Just(r#"{"jsonrpc":"2.0","id":"x","result":{"a":[]}}"#.to_owned()),
    ]
    .prop_map(String::into_bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_valid_message_with_edits_is_forwarded_exactly_or_answered(
        body in valid_body(), edits in prop::collection::vec(edit(), 0..6), piece in 1..200_usize,
    ) {
        let body = edited(body, &edits);
        let result = RefCell::new(Ok(()));
        with_hosts(|host| {
            let outcome = check(host, &send(host, &body, piece), &body);
            if outcome.is_err() {
                *result.borrow_mut() = outcome;
            }
        });
        result.into_inner()?;
    }

    #[test]
    fn random_bytes_are_answered_and_never_forwarded(body in prop::collection::vec(any::<u8>(), 0..300), piece in 1..99_usize) {
        let result = RefCell::new(Ok(()));
        with_hosts(|host| {
            let outcome = check(host, &send(host, &body, piece), &body);
            if outcome.is_err() {
                *result.borrow_mut() = outcome;
            }
        });
        result.into_inner()?;
    }

    #[test]
    fn random_events_never_trap_and_never_show_what_is_hidden(
        start in prop::collection::vec(any::<u8>(), 0..80), edits in prop::collection::vec(edit(), 0..4), piece in 1..64_usize,
    ) {
        let list = b"\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"delete_run\"}]}}\n\n";
        let body = [edited(start, &edits), list.to_vec()].concat();
        with_hosts(|host| {
            let mut stream = Request::get().send_without_body(&host.worker(0));
            stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
            for piece in body.chunks(piece) {
                stream.response_body(piece, false);
            }
            stream.response_body("", true);
            assert!(!stream.received().text().contains("delete_run"));
            assert!(stream.received().ended && host.take_faults().is_empty());
        });
    }
}

#[test]
fn clients_that_go_away_at_any_time_leave_nothing_behind() {
    with_hosts(|host| {
        let worker = host.worker(0);
        let body = call("get_run", &json!({}));
        for _ in 0..50 {
            Request::post().open(&worker).reset();
            let mut stream = Request::post().open(&worker);
            stream.request_body(&body[..20], false);
            stream.reset();
            let mut stream = Request::post().send(&worker, request("tools/list", &json!({})));
            stream
                .response_headers(&[(":status", "200"), ("content-type", "application/json")])
                .response_body("{", false);
            stream.reset();
        }
        assert!(is_forwarded(&Request::post().send(&worker, &body)));
    });
}

#[test]
fn memory_stays_flat_over_ten_thousand_requests() {
    let host = filter().configuration(policy().to_string()).start().unwrap();
    let worker = host.worker(0);
    let bodies = [
        call("get_run", &json!({"text": "x".repeat(2000)})),
        call("create_run", &json!({"robot_ip": "10.0.0.1", "n": 1})),
        call("delete_run", &json!({})),
        "{\"broken\"".to_owned(),
    ];
    let list = [(":status", "200"), ("content-type", "application/json")];
    let round = |count: usize| {
        for index in 0..count {
            drop(Request::post().send(&worker, &bodies[index % bodies.len()]));
            if index % 10 == 0 {
                let mut stream = Request::post().send(&worker, request("tools/list", &json!({})));
                let body = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete_run"},{"name":"x"}]}}"#;
                stream.response_headers(&list).response_body(body, true);
            }
        }
    };
    round(500);
    let before = worker.memory_bytes();
    round(10_000);
    assert_eq!(worker.memory_bytes(), before);
}
