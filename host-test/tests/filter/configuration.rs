//! What is taken as a configuration, and what becomes of one that is not.

use host_test::{Level, StartCause, StartError};
use serde_json::json;

use crate::lab::{Lab, Request, assert_forwarded, call, envelope, filter, is_forwarded, request, tools};

#[track_caller]
fn refused(configuration: &str) -> StartError {
    let error = filter().configuration(configuration).start().expect_err(configuration);
    assert_eq!(*error.cause(), StartCause::ConfigureRefused, "{error}");
    error
}

fn errors(error: &StartError) -> String {
    error.logs().iter().filter(|(level, _)| *level == Level::Error).map(|(_, line)| line.clone() + "\n").collect()
}

#[test]
fn a_mistake_is_named_with_its_place_and_the_nearest_word() {
    let policy = "{\"version\": \"1\", \"default\": \"deny\",\n  \"tools\": {\"create_run\": {\"limit\": []}}}";
    let log = errors(&refused(policy));
    for part in ["/tools/create_run/limit", "unknown field `limit`", "did you mean `limits`?", "line 2", "column 28"] {
        assert!(log.contains(part), "`{part}` is missing in: {log}");
    }
}

#[test]
fn every_mistake_of_a_configuration_is_named() {
    let policy = json!({"version": "1", "default": "dney", "tools": {"a": {"action": "denny"}}, "hid": []});
    let log = errors(&refused(&envelope(policy, json!({"mode": "observing"})).to_string()));
    for part in [
        "/policies/p/default",
        "`deny`",
        "/policies/p/tools/a/action",
        "/policies/p/hid",
        "`hide`",
        "/mode",
        "`observe`",
    ] {
        assert!(log.contains(part), "`{part}` is missing in: {log}");
    }
}

#[test]
fn text_that_is_not_strict_json_is_refused_with_its_line() {
    for (text, line) in [
        ("{\"version\": \"1\",\n\"default\": \"deny\",}", "line 2"),
        ("{\"version\": \"1\", \"default\": \"deny\"} x", "line 1"),
        ("{\"version\": \"1\",\n\n\"version\": \"1\", \"default\": \"deny\"}", "line 3"),
        ("// c\n{\"version\": \"1\", \"default\": \"deny\"}", "line 1"),
        ("[]", "line 1"),
        ("null", "line 1"),
    ] {
        let log = errors(&refused(text));
        assert!(log.contains(line), "{text}: {log}");
    }
}

#[test]
fn nothing_is_no_configuration() {
    for text in ["", " ", "{}"] {
        refused(text);
    }
}

#[test]
fn a_bad_configuration_leaves_the_old_one_enforcing() {
    let lab = Lab::on_workers(2, &tools(json!({"get_run": {}})));
    for bad in
        ["", "{", "{\"version\": \"2\", \"default\": \"allow\"}", "{\"version\": \"1\", \"default\": \"allowed\"}"]
    {
        lab.reconfigure(bad).unwrap_err();
        for worker in lab.workers() {
            assert!(is_forwarded(&Request::post().send(&worker, call("get_run", &json!({})))));
            assert!(!is_forwarded(&Request::post().send(&worker, call("other", &json!({})))));
        }
    }
}

#[test]
fn a_stream_is_judged_by_the_configuration_it_began_under() {
    let lab = Lab::new(&tools(json!({"old": {}})));
    let mut before = Request::post().open(&lab.worker(0));
    lab.reconfigure(tools(json!({"new": {}})).to_string()).unwrap();
    before.request_body(call("old", &json!({})), true);
    assert_forwarded(&before, call("old", &json!({})));
    assert!(lab.admits("new") && !lab.admits("old"));
    drop(before);
    assert_eq!(lab.worker(0).roots(), 1, "the old configuration is let go");
}

#[test]
fn what_is_not_supported_is_refused_and_never_ignored() {
    let approvals =
        envelope(tools(json!({"a": {"action": "require_approval"}})), json!({"approvals": {"cluster": "desk"}}));
    let log = errors(&refused(&approvals.to_string()));
    assert!(log.contains("not supported"), "{log}");
}

#[test]
fn observe_mode_refuses_hides_and_withholds_nothing_and_says_so() {
    let mut policy = tools(json!({"get_run": {}, "limited": {"rate_limit": "1/day"}, "stop": {"action": "deny"}}));
    policy["hide"] = json!(["delete_*"]);
    let lab = Lab::with(policy, json!({"mode": "observe"}));
    assert!(lab.logs().iter().any(|(level, line)| *level == Level::Warn && line.contains("observe")));
    for tool in ["get_run", "stop", "delete_run", "unnamed", "limited", "limited"] {
        let body = call(tool, &json!({}));
        assert_forwarded(&lab.post(&body), &body);
    }
    for (name, count) in [("denied", 2), ("hidden", 1), ("limited", 1)] {
        assert_eq!(lab.metric(name), count, "{name}");
    }
    for body in ["not json", "[]", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"method\":\"y\"}"] {
        assert_forwarded(&lab.post(body), body);
    }
    assert_eq!(lab.metric("invalid"), 3);
    let list = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete_run"}]}}"#;
    let mut stream = lab.post(request("tools/list", &json!({})));
    stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]).response_body(list, true);
    assert_eq!(stream.received().text(), list);
    assert!(is_forwarded(&Request::bare("PUT").send_without_body(&lab.worker(0))));
}

#[test]
fn observe_mode_lets_callers_without_a_grant_through_and_still_records_what_they_do() {
    let identity = json!({"mode": "observe", "identity": {"grant": [{"header": "x-user"}], "required": true}});
    let lab = Lab::with(tools(json!({})), identity);
    let body = call("other", &json!({}));
    assert_forwarded(&lab.post(&body), &body);
    let twice = Request::post().add("x-user", "a").add("x-user", "b").send(&lab.worker(0), &body);
    assert_forwarded(&twice, &body);
    assert_eq!(lab.metric("denied"), 2, "the call itself is judged as well");
}

#[test]
fn observe_mode_holds_no_body_back_after_an_answer_that_came_early() {
    let lab = Lab::with(tools(json!({})), json!({"mode": "observe"}));
    let body = call("other", &json!({}));
    let mut stream = Request::post().open(&lab.worker(0));
    stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
    stream.request_body(&body, true);
    assert_eq!((stream.forwarded().text(), stream.forwarded().ended), (body, true));
}

#[test]
fn observe_mode_counts_as_if_it_enforced() {
    let lab = Lab::with(tools(json!({"limited": {"rate_limit": "2/day"}})), json!({"mode": "observe"}));
    for _ in 0..5 {
        assert!(lab.admits("limited"));
    }
    assert_eq!((lab.metric("allowed"), lab.metric("limited")), (2, 3));
}

#[test]
fn a_sse_route_takes_no_call_that_is_not_judged() {
    let configuration = json!({"policies": {"p": tools(json!({"a": {}}))},
        "routes": [{"path": "/sse/*", "policy": "p", "transport": "sse"}], "unmatched": "pass"});
    let Ok(host) = filter().configuration(configuration.to_string()).start() else { return };
    let post = Request::post().set(":path", "/sse/messages").send(&host.worker(0), call("b", &json!({})));
    let forwarded = post.forwarded().text();
    assert!(forwarded.is_empty() || forwarded.contains("policy/denied"), "{forwarded}");
    // The server may not send clients to where nothing is judged.
    let mut stream = Request::get().set(":path", "/sse/events").send_without_body(&host.worker(0));
    if stream.reply().is_none() {
        stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
        stream.response_body("event: endpoint\ndata: /elsewhere?session=1\n\n", false);
        assert!(!stream.received().text().contains("/elsewhere"));
    }
}
