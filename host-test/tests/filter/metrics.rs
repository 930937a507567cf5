//! Each outcome is counted once, under its own name.

use serde_json::json;

use crate::lab::{Lab, Request, SECRET, call, request, tools};

fn lab() -> Lab {
    Lab::new(&json!({
        "version": "1", "default": "deny", "hide": ["delete_*"],
        "tools": {"get_run": {}, "limited": {"rate_limit": "0/day"}, "home": {"action": "require_approval"}},
    }))
}

/// Does something with a fresh filter, after which only this counter stands at 1.
#[track_caller]
fn assert_counts(name: &str, act: impl FnOnce(&Lab)) {
    let lab = lab();
    assert!(lab.metrics().values().all(|count| *count == 0));
    act(&lab);
    let counted: Vec<(String, u64)> = lab.metrics().into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(counted, [(format!("mcp_policy.{name}"), 1)]);
}

#[test]
fn each_outcome_has_its_counter() {
    assert_counts("allowed", |lab| drop(lab.call("get_run")));
    assert_counts("denied", |lab| drop(lab.call("other")));
    assert_counts("hidden", |lab| drop(lab.call("delete_run")));
    assert_counts("limited", |lab| drop(lab.call("limited")));
    assert_counts("approval_required", |lab| drop(lab.call("home")));
    assert_counts("invalid", |lab| drop(lab.post("{")));
    assert_counts("invalid", |lab| drop(Request::bare("PUT").send_without_body(&lab.worker(0))));
}

#[test]
fn lists_are_counted_when_they_are_filtered_or_withheld() {
    let headers = [(":status", "200"), ("content-type", "application/json")];
    for (body, name) in [
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete_run"}]}}"#, "lists_filtered"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete_run"}"#, "lists_withheld"),
    ] {
        let lab = lab();
        let mut stream = lab.post(request("tools/list", &json!({})));
        stream.response_headers(&headers).response_body(body, true);
        assert_eq!(lab.metric(name), 1, "{name}");
    }
    let events = [(":status", "200"), ("content-type", "text/event-stream")];
    let lab = lab();
    let mut stream = lab.post(request("tools/list", &json!({})));
    stream.response_headers(&events);
    stream.response_body(
        "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"delete_run\"}]}}\n\n",
        true,
    );
    assert_eq!(lab.metric("lists_filtered"), 1, "in events too");
}

#[test]
fn calls_that_cannot_be_counted_are_counted_as_that() {
    let lab = Lab::new(&json!({"version": "1", "default": "deny", "tools": {"a": {"rate_limit": "9/day"}}}));
    assert!(lab.admits("a"));
    for key in lab.shared_data().into_keys() {
        lab.set_shared_data(&key, b"damaged");
    }
    assert!(!lab.admits("a"));
    assert_eq!((lab.metric("uncounted"), lab.metric("failed")), (1, 1));
    assert_eq!((lab.metric("counters_damaged"), lab.metric("counters_full")), (1, 0));
}

#[test]
fn nothing_that_a_client_chose_names_a_metric() {
    let lab = lab();
    let before: Vec<String> = lab.metrics().into_keys().collect();
    lab.post(call(SECRET, &json!({})));
    lab.post(request(SECRET, &json!({})));
    Request::post().set(":path", SECRET).set("mcp-session-id", SECRET).send(&lab.worker(0), "{}");
    let after: Vec<String> = lab.metrics().into_keys().collect();
    assert_eq!(before, after);
}

#[test]
fn observe_mode_shows_in_a_counter() {
    for (mode, observed) in [("observe", 2), ("enforce", 0)] {
        let lab = Lab::with(tools(json!({"get_run": {}})), json!({"mode": mode}));
        lab.call("get_run");
        lab.call("stop_run");
        assert_eq!(lab.metric("observed"), observed, "{mode}");
    }
}
