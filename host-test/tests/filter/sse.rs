//! HTTP with SSE, the transport of revision 2024-11-05: answers to POSTs come on an event stream of their own.

use host_test::Stream;
use serde_json::{Value, json};

use super::lab::{Lab, Request, assert_forwarded, call, in_both_modes, is_forwarded, message, request};

fn policy() -> Value {
    json!({"version": "1", "default": "deny", "hide": ["secret"], "tools": {"get_run": {}, "create_run": {"rate_limit": "1/minute"}}})
}

fn routes(route: Value) -> Value {
    let mut sse = json!({"path": "/lab/*", "policy": "p", "transport": "sse"});
    sse.as_object_mut().unwrap().extend(route.as_object().unwrap().clone());
    json!([sse, {"path": "/other/*", "policy": "q"}, {"path": "/lab2/*", "policy": "p", "transport": "sse"}, {"path": "/streamable", "policy": "p"}])
}

fn lab(route: Value) -> Lab {
    Lab::new(&json!({
        "policies": {"p": policy(), "q": {"version": "1", "default": "allow"}},
        "routes": routes(route),
        "pass_paths": ["/lab/free"],
        "unmatched": "pass",
    }))
}

fn post(lab: &Lab, body: &str) -> Stream {
    Request::post().set(":path", "/lab/messages?session_id=1").send(&lab.worker(0), body)
}

#[test]
fn a_refused_request_goes_on_as_a_method_that_no_server_has() {
    in_both_modes(&policy(), &json!({"routes": [{"policy": "p", "transport": "sse"}]}), |lab| {
        for (tool, arguments) in [("delete_run", json!({})), ("secret", json!({"key": "value"}))] {
            let body = call(tool, &arguments);
            let stream = lab.post(&body);
            let forwarded = stream.forwarded().text();
            // No header has to change, so the length must not.
            assert_eq!(forwarded.len(), body.len());
            let forwarded: Value = serde_json::from_str(&forwarded).unwrap();
            assert_eq!(forwarded, json!({"jsonrpc": "2.0", "id": 1, "method": "policy/denied"}));
            assert!(is_forwarded(&stream));
        }
        let body = call("get_run", &json!({}));
        assert_forwarded(&lab.post(&body), &body);
        // A limit that is used up is told in the same way.
        let body = call("create_run", &json!({}));
        assert_forwarded(&lab.post(&body), &body);
        assert!(lab.post(&body).forwarded().text().contains("policy/denied"));
        assert_eq!((lab.metric("denied"), lab.metric("hidden"), lab.metric("limited")), (1, 1, 1));
    });
}

#[test]
fn a_refused_request_may_be_answered_with_403_instead() {
    let lab = lab(json!({"sse_denial": "status"}));
    let stream = post(&lab, &call("delete_run", &json!({})));
    lab.assert_refused(&stream, 403);
    assert!(is_forwarded(&post(&lab, &call("get_run", &json!({})))));
}

#[test]
fn a_refused_request_that_is_too_short_to_be_rewritten_is_answered_with_403() {
    let lab = lab(json!({}));
    lab.assert_refused(&post(&lab, r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#), 403);
}

#[test]
fn a_refused_notification_is_dropped_and_an_unclear_body_refused() {
    let lab = lab(json!({}));
    let stream = post(&lab, r#"{"jsonrpc":"2.0","method":"custom/run"}"#);
    lab.assert_nothing_forwarded(&stream);
    assert_eq!(stream.received().status(), Some(202));
    lab.assert_refused(&post(&lab, "{"), 400);
}

#[test]
fn the_body_may_come_in_pieces_and_end_with_trailers() {
    let lab = lab(json!({}));
    let body = call("delete_run", &json!({}));
    let mut stream = Request::post().set(":path", "/lab/messages").open(&lab.worker(0));
    for byte in body.as_bytes() {
        stream.request_body([*byte], false);
    }
    stream.request_trailers(&[("x", "y")]);
    assert_eq!(stream.forwarded().text().trim_end(), r#"{"jsonrpc":"2.0","id":1,"method":"policy/denied"}"#);
}

#[test]
fn the_answer_to_a_post_passes_and_the_lists_on_the_stream_are_filtered() {
    let lab = lab(json!({}));
    let mut stream = post(&lab, &request("tools/list", &json!({})));
    stream.response_headers(&[(":status", "202"), ("content-type", "text/plain")]);
    stream.response_body("Accepted", true);
    assert_eq!(stream.received().text(), "Accepted");
    let list =
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"secret\"}]}}\n\n";
    assert_eq!(streamed(&lab, list), list.replace("{\"name\":\"secret\"}", ""));
}

/// What a client sees of an event stream that it opens at `/lab/sse`.
fn streamed(lab: &Lab, events: &str) -> String {
    let mut stream = Request::get().set(":path", "/lab/sse").send_without_body(&lab.worker(0));
    stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
    stream.response_body(events, false);
    stream.received().text()
}

#[test]
fn the_endpoint_must_lie_under_the_policies_of_the_stream() {
    let lab = lab(json!({}));
    let endpoint = |uri: &str| {
        let events = format!("event: endpoint\ndata: {uri}\n\n");
        let seen = streamed(&lab, &events);
        assert!(seen == events || !seen.contains(uri), "{seen:?}");
        seen == events
    };
    for uri in [
        "/lab/messages?session_id=1",
        "/lab/messages/",
        "messages?session_id=1",
        "?session_id=1",
        "./messages",
        "https://mcp.example.com/lab/messages",
        "HTTPS://MCP.example.com/lab/messages",
        // The same policies, by another route.
        "/lab2/messages",
    ] {
        assert!(endpoint(uri), "{uri}");
    }
    for uri in [
        "/other/messages",
        "/elsewhere",
        "../messages",
        "../lab/messages",
        "/lab/x/%2E%2e/messages",
        "#x",
        "/lab/messages#x",
        "\u{a0}/lab/messages",
        "\"tools\"",
        "/lab/../messages",
        "/lab/free",
        "/streamable",
        "/lab%2fmessages",
        "/LAB/messages",
        "//elsewhere.example/lab/messages",
        "https://elsewhere.example/lab/messages",
        "https://mcp.example.com:8443/lab/messages",
        "https://mcp.example.com@elsewhere.example/lab/messages",
        "http://mcp.example.com/lab/messages",
        "https:/lab/messages",
        "https:lab/messages",
        "javascript:alert(1)",
        "/lab\\messages",
        "/lab/mess ages",
    ] {
        assert!(!endpoint(uri), "{uri}");
    }
    assert!(lab.metric("lists_withheld") > 0);
}

#[test]
fn a_stream_of_another_transport_may_not_send_its_client_elsewhere() {
    let lab = lab(json!({}));
    let events = "event: endpoint\ndata: /elsewhere\n\n";
    let mut stream = Request::get().set(":path", "/streamable").send_without_body(&lab.worker(0));
    stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
    stream.response_body(events, false);
    assert_eq!(stream.received().text(), "");
}

#[test]
fn an_answer_that_came_early_goes_on_when_the_request_is_refused() {
    let lab = lab(json!({}));
    let mut stream = Request::post().set(":path", "/lab/messages").open(&lab.worker(0));
    stream.response_headers(&[(":status", "202"), ("content-type", "text/plain")]);
    stream.request_body(call("delete_run", &json!({})), true);
    assert!(stream.forwarded().text().contains("policy/denied"));
    stream.response_body("Accepted", true);
    assert_eq!((stream.received().status(), stream.received().text()), (Some(202), "Accepted".to_owned()));
}

#[test]
fn observe_mode_changes_nothing() {
    let lab = Lab::new(&json!({
        "policies": {"p": policy()}, "routes": [{"policy": "p", "transport": "sse"}], "mode": "observe",
    }));
    let body = call("delete_run", &json!({}));
    assert_forwarded(&lab.post(&body), &body);
    let events = "event: endpoint\ndata: //elsewhere.example/\n\n";
    assert_eq!(streamed(&lab, events), events);
}

#[test]
fn a_call_without_credential_is_asked_to_sign_in() {
    let lab = Lab::new(&json!({
        "policies": {"p": policy()}, "routes": [{"policy": "p", "transport": "sse"}],
        "identity": {"grant": [{"header": "x-user"}], "required": true},
    }));
    let stream = lab.post(call("get_run", &json!({})));
    assert_eq!(stream.received().status(), Some(401));
    assert_eq!(message(&stream)["id"], Value::Null);
}

#[test]
fn a_request_that_no_policy_covers_is_refused_where_it_is_posted() {
    let lab = Lab::new(&json!({
        "policies": {"p": policy()},
        "routes": [{"policy": "p", "transport": "sse", "when": {"claims.team": "robots"}}],
    }));
    lab.assert_refused(&lab.post(call("get_run", &json!({}))), 403);
    let lab = Lab::new(&json!({
        "policies": {"p": policy()}, "routes": [{"policy": "p", "transport": "sse"}],
        "identity": {"grant": [{"header": "x-user"}]},
    }));
    let request = Request::post().add("x-user", "a").add("x-user", "b");
    lab.assert_refused(&request.send(&lab.worker(0), call("get_run", &json!({}))), 403);
}
