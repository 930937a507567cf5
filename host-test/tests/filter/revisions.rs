//! What differs from revision to revision.

use serde_json::{Value, json};

use super::lab::{Lab, Request, assert_forwarded, is_forwarded, message, request};

const RESPONSE: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"action":"accept"}}"#;

fn lab() -> Lab {
    Lab::new(&json!({"version": "1", "default": "deny", "tools": {"get_run": {}},
        "resources": {"default": "deny", "uris": {"file:///srv/*": {}}}}))
}

/// A request of 2026-07-28, with the headers that it needs.
fn modern(method: &str, mut params: Value) -> (Request, String) {
    params["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    let name = params.get("name").or(params.get("uri")).and_then(Value::as_str).map(str::to_owned);
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let request = Request::post().set("mcp-protocol-version", "2026-07-28").set("mcp-method", method);
    (name.iter().fold(request, |request, name| request.set("mcp-name", name)), body)
}

#[test]
fn clients_answer_the_server_only_where_the_revision_lets_it_ask() {
    let lab = lab();
    let post = |version: &str| Request::post().set("mcp-protocol-version", version).send(&lab.worker(0), RESPONSE);
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        assert_forwarded(&post(version), RESPONSE);
    }
    assert_forwarded(&lab.post(RESPONSE), RESPONSE);
    lab.assert_refused(&post("2026-07-28"), 400);
}

#[test]
fn headers_that_repeat_arguments_must_equal_one() {
    let lab = lab();
    let (request, body) = modern("tools/call", json!({"name": "get_run", "arguments": {"region": "eu", "count": 42}}));
    let send = |request: &Request| request.send(&lab.worker(0), &body);
    for value in ["eu", "42", "=?base64?ZXU=?="] {
        assert_forwarded(&send(&request.clone().set("mcp-param-region", value)), &body);
    }
    for refused in [
        request.clone().set("mcp-param-region", "us"),
        request.clone().set("mcp-param-region", "=?base64?dXM=?="),
        request.clone().set("mcp-param-region", "=?base64?%%?="),
        request.clone().add("mcp-param-region", "eu").add("mcp-param-region", "eu"),
    ] {
        let stream = send(&refused);
        lab.assert_nothing_forwarded(&stream);
        let reply = message(&stream);
        assert_eq!(
            (stream.received().status(), &reply["error"]["code"], &reply["id"]),
            (Some(400), &json!(-32020), &json!(1))
        );
        assert!(!reply.to_string().contains("us"), "a value was echoed: {reply}");
    }
}

#[test]
fn each_watched_resource_must_be_allowed() {
    let lab = lab();
    let listen = |uris: Value| {
        let (request, body) = modern("subscriptions/listen", json!({"notifications": {"resourceSubscriptions": uris}}));
        request.send(&lab.worker(0), body)
    };
    assert!(is_forwarded(&listen(json!([]))));
    assert!(is_forwarded(&listen(json!(["file:///srv/a", "file:///srv/b"]))));
    let stream = listen(json!(["file:///srv/a", "file:///etc/passwd"]));
    lab.assert_nothing_forwarded(&stream);
    assert_eq!(message(&stream)["error"]["data"]["rule"], "(default deny)");
    lab.assert_refused(&listen(json!([7])), 400);
}

#[test]
fn a_call_that_becomes_a_task_is_judged_like_any_call() {
    let lab = lab();
    let call = |tool: &str| {
        lab.post(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "task": {"ttl": 60000}}}).to_string())
    };
    assert!(is_forwarded(&call("get_run")));
    lab.assert_denied(&call("delete_run"), "not allowed");
}

#[test]
fn the_result_of_a_task_is_filtered_like_the_answer_itself() {
    let lab = Lab::new(&json!({"version": "1", "default": "allow", "hide": ["secret"]}));
    for method in ["tasks/result", "tasks/get"] {
        let mut stream =
            lab.post(json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"taskId": "t"}}).to_string());
        stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
        stream.response_body(r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"secret"}]}}"#, true);
        assert_eq!(stream.received().text(), r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#);
    }
}

#[test]
fn a_task_over_an_event_stream_is_filtered_event_by_event() {
    let lab = Lab::new(&json!({"version": "1", "default": "allow", "hide": ["secret"]}));
    for method in ["tasks/result", "tasks/get"] {
        let mut stream = lab.post(request(method, &json!({"taskId": "t"})));
        stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
        let status = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tasks/status\"}\n\n";
        stream.response_body(status, false);
        assert_eq!(stream.received().text(), status, "an event is held for no longer than to its end");
        let list = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"secret"},{"name":"open"}]}}"#;
        for piece in format!("data: {list}\n\n").as_bytes().chunks(7) {
            stream.response_body(piece, false);
        }
        stream.response_body("", true);
        let shown = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"open"}]}}"#;
        assert_eq!(stream.received().text(), format!("{status}data: {shown}\n\n"), "{method}");
    }
}

#[test]
fn what_a_task_asks_of_the_client_is_judged_by_the_rules_for_methods() {
    let lab = Lab::new(&json!({"version": "1", "default": "allow",
        "methods": {"elicitation/create": {"action": "deny", "reason": "Nobody is asked here."}}}));
    let answered = |method: &str, kind: &str, body: &str| {
        let mut stream = lab.post(request(method, &json!({"taskId": "t"})));
        stream.response_headers(&[(":status", "200"), ("content-type", kind)]);
        stream.response_body(body, true);
        stream.received().text()
    };
    let asks = r#"{"jsonrpc":"2.0","id":1,"result":{"taskId":"t","status":"input_required","inputRequests":{"k":{"method":"elicitation/create","params":{"message":"Your password?"}}}}}"#;
    let result = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;
    for method in ["tasks/result", "tasks/get"] {
        for (kind, body) in [("application/json", asks.to_owned()), ("text/event-stream", format!("data: {asks}\n\n"))]
        {
            let seen = answered(method, kind, &body);
            assert!(seen.contains("/methods/elicitation~1create") && seen.contains(r#""id":1"#), "{seen}");
            assert!(!seen.contains("password"), "{seen}");
        }
        assert_eq!(answered(method, "application/json", result), result);
        // While the task runs, the server asks on the stream that waits for its result.
        let question =
            r#"{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{"message":"Your password?"}}"#;
        let seen = answered(method, "text/event-stream", &format!("data: {question}\n\ndata: {result}\n\n"));
        assert_eq!(seen, format!("data: {result}\n\n"));
    }
}

#[test]
fn tasks_are_refused_where_a_rule_for_methods_says_so() {
    let lab = Lab::new(&json!({"version": "1", "default": "allow", "methods": {"tasks/*": {"action": "deny"}}}));
    for method in ["tasks/get", "tasks/result", "tasks/cancel", "tasks/list"] {
        let stream = lab.post(request(method, &json!({"taskId": "t"})));
        lab.assert_nothing_forwarded(&stream);
        assert_eq!(message(&stream)["error"]["data"]["rule"], "/methods/tasks~1*", "{method}");
    }
}
