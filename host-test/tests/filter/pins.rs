//! Pinned tools, across workers and configurations. What is shown and said is in `scenarios/pins.yaml`.

use host_test::Worker;
use serde_json::{Value, json};

use crate::lab::{Lab, Request, call, envelope, is_forwarded, message, request, tools};

/// SHA-256 of `{"description":"Stops a run.","name":"stop_run"}`.
const STOP_RUN: &str = "37c32939f40eb7df9eca6c85ff8d40262ccc2a361b7c3bf4c3fe65920837fcb9";

fn pinned(sha256: &str) -> Value {
    let policy = tools(json!({ "stop_run": {} }));
    let locks = json!({ "lab": { "version": "1", "tools": { "stop_run": { "sha256": sha256 } } } });
    envelope(policy, json!({ "locks": locks, "routes": [{ "policy": "p", "lock": "lab" }] }))
}

/// A client asks for the list, and the server says this of the tool.
fn list(worker: &Worker, description: &str) {
    let mut stream = Request::post().send(worker, request("tools/list", &json!({})));
    stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
    let tools = json!([{ "name": "stop_run", "description": description }]);
    stream.response_body(json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": tools } }).to_string(), true);
}

fn admits(worker: &Worker) -> bool {
    is_forwarded(&Request::post().send(worker, call("stop_run", &json!({}))))
}

#[test]
fn what_one_worker_sees_all_go_by() {
    let lab = Lab::on_workers(3, &pinned(STOP_RUN));
    let all = || lab.workers().iter().map(admits).collect::<Vec<_>>();
    assert_eq!(all(), [true; 3]);
    list(&lab.worker(0), "Stops a run. And more.");
    assert_eq!(all(), [false; 3]);
    list(&lab.worker(1), "Stops a run. And more.");
    assert_eq!(lab.metric("tools_changed"), 1, "told once");
    assert!(lab.log().contains("the tool \"stop_run\" has changed"), "{}", lab.log());
    list(&lab.worker(2), "Stops a run.");
    assert_eq!(all(), [true; 3]);
}

#[test]
fn a_mark_outlives_a_new_configuration_but_not_a_new_lock() {
    let lab = Lab::new(&pinned(STOP_RUN));
    list(&lab.worker(0), "Stops all runs.");
    let mut same = pinned(STOP_RUN);
    same["denial"] = json!("jsonrpc_error");
    lab.reconfigure(same.to_string()).unwrap();
    assert!(!lab.admits("stop_run"));
    // Somebody has reviewed what it says now.
    let reviewed = policy_digest(r#"{"name":"stop_run","description":"Stops all runs."}"#);
    lab.reconfigure(pinned(&reviewed).to_string()).unwrap();
    assert!(lab.admits("stop_run"));
}

fn policy_digest(definition: &str) -> String {
    policy::pins::Digest::of_definition(definition.as_bytes()).unwrap().to_string()
}

#[test]
fn states_that_are_damaged_let_nothing_pass() {
    let lab = Lab::new(&pinned(STOP_RUN));
    list(&lab.worker(0), "Stops a run.");
    let keys = lab.shared_data().into_keys().filter(|key| String::from_utf8_lossy(key).contains("/pins/"));
    for key in keys.collect::<Vec<_>>() {
        lab.set_shared_data(&key, b"damaged");
    }
    lab.assert_refused(&lab.call("stop_run"), 503);
    // What is listed is judged all the same.
    list(&lab.worker(0), "Stops all runs.");
    assert!(lab.log().contains("are damaged"), "{}", lab.log());
}

/// A server can make a list cost no more than its length.
#[test]
fn a_list_of_one_tool_many_times_or_of_deep_definitions_costs_by_its_length() {
    let many = vec![json!({ "name": "stop_run" }); 20_000];
    let deep = (0..60).fold(json!("x".repeat(1_000)), |inner, _| json!({ "a": inner, "b": "y".repeat(1_000) }));
    for tools in [Value::from(many), json!([{ "name": "stop_run", "inputSchema": deep }])] {
        let mut configuration = pinned(STOP_RUN);
        configuration["max_depth"] = json!(256);
        let lab = Lab::new(&configuration);
        let mut stream = lab.post(request("tools/list", &json!({})));
        stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
        let body = json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": tools } }).to_string();
        let before = lab.worker(0).fuel_used();
        stream.response_body(&body, true);
        let per_byte = (lab.worker(0).fuel_used() - before) / body.len() as u64;
        assert_eq!(message(&stream)["result"]["tools"], json!([]));
        // The digest of an entry of twenty bytes takes a block or two of SHA-256; comparing each with all would take thousands more.
        assert!(per_byte < 1_000, "{per_byte} instructions per byte of {}", body.len());
    }
}

#[test]
fn observing_takes_nothing_out_and_refuses_nothing() {
    let mut observing = pinned(STOP_RUN);
    observing["mode"] = json!("observe");
    let lab = Lab::new(&observing);
    let mut stream = lab.post(request("tools/list", &json!({})));
    stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
    stream.response_body(r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"other"}]}}"#, true);
    assert_eq!(message(&stream)["result"]["tools"], json!([{ "name": "other" }]));
    assert!(lab.admits("other"));
    assert_eq!(lab.metric("hidden"), 1, "recorded");
}
