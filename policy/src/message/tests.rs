use super::*;

fn call(body: &str) -> Result<Message<'_>, ReadError> {
    read(body.as_bytes(), 64)
}

fn problem(body: &str) -> ReadProblem {
    call(body).map(|_| ()).expect_err(body).problem
}

#[test]
fn a_tools_call_is_read_wherever_its_members_stand() {
    for body in [
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_run","arguments":{"run_id":"a"}}}"#,
        r#"{"params":{"arguments":{"run_id":"a"},"name":"get_run"},"method":"tools/call","id":7,"jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools\/call","params":{"name":"get\u005frun","arguments":{"run_id":"a"}}}"#,
    ] {
        let Ok(Message::Request { id, method, params }) = call(body) else { panic!("{body}") };
        assert_eq!((id.as_json(), &*method, params.name.as_deref()), (&b"7"[..], "tools/call", Some("get_run")));
        let [(key, Value::String(text))] = params.arguments.members() else { panic!("{body}") };
        assert_eq!((key.as_bytes(), &*text.decode()), (&b"run_id"[..], "a"));
    }
}

#[test]
fn ids_are_echoed_as_written() {
    for id in [r#""a\u0062\n""#, "0", "-1", "9007199254740991", r#""""#] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let Ok(Message::Request { id: read, .. }) = call(&body) else { panic!("{body}") };
        assert_eq!(read.as_json(), id.as_bytes());
    }
}

#[test]
fn ids_that_servers_read_differently_are_refused() {
    for id in ["null", "true", "{}", "[]", "1.5", "1.0", "1e3", "9007199254740992", "99999999999999999999999"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        assert_eq!(problem(&body), ReadProblem::BadId, "{id}");
    }
}

#[test]
fn a_message_is_a_request_a_notification_or_a_response() {
    assert!(matches!(
        call(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
        Ok(Message::Notification { method, .. }) if method == "notifications/initialized"
    ));
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"a","error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#,
    ] {
        assert!(matches!(call(body), Ok(Message::Response)), "{body}");
    }
}

#[test]
fn what_is_not_one_clear_message_is_refused() {
    use ReadProblem::*;
    for (body, expected) in [
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, Batch),
        (r#""ping""#, NotAnObject),
        (r#"{"id":1,"method":"ping"}"#, Version),
        (r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, Version),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, Version),
        (r#"{"jsonrpc":"2.0","id":1}"#, NoMethod),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, MixedMessage),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","error":{}}"#, MixedMessage),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, MixedMessage),
        (r#"{"jsonrpc":"2.0","id":null,"result":{}}"#, BadId),
        (r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#, Missing("id")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, Missing("params.name")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}"#, Missing("params.name")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"name":"x"}}"#, Missing("params.uri")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{}}"#, Missing("params.ref")),
    ] {
        assert_eq!(problem(body), expected, "{body}");
    }
}

#[test]
fn what_rules_judge_is_asked_for_with_an_id() {
    for (method, params) in [
        ("tools/call", r#"{"name":"a"}"#),
        ("prompts/get", r#"{"name":"a"}"#),
        ("resources/read", r#"{"uri":"file:///a"}"#),
        ("resources/subscribe", r#"{"uri":"file:///a"}"#),
        ("resources/unsubscribe", r#"{"uri":"file:///a"}"#),
        ("completion/complete", r#"{"ref":{"type":"ref/prompt","name":"a"}}"#),
        ("subscriptions/listen", r#"{"notifications":{"resourceSubscriptions":["file:///a"]}}"#),
    ] {
        let message = |id: &str| format!(r#"{{"jsonrpc":"2.0",{id}"method":"{method}","params":{params}}}"#);
        assert_eq!(problem(&message("")), ReadProblem::Missing("id"), "{method}");
        assert_eq!(problem(&message(r#""id":null,"#)), ReadProblem::BadId, "{method}");
        assert!(matches!(call(&message(r#""id":1,"#)), Ok(Message::Request { .. })), "{method}");
    }
    // Others may be notifications, as far as the filter can know.
    let own = r#"{"jsonrpc":"2.0","method":"x/own","params":{"name":"a"}}"#;
    assert!(matches!(call(own), Ok(Message::Notification { .. })));
}

#[test]
fn members_of_the_wrong_type_are_refused() {
    for (body, at) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":["tools/call"]}"#, "method"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["get_run"]}"#, "params"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}"#, "params.name"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[]}}"#, "params.arguments"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":null}}"#,
            "params.arguments",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":"{}"}}"#,
            "params.arguments",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":1}}"#, "params._meta"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt"}}}"#,
            "params.ref",
        ),
    ] {
        assert!(matches!(problem(body), ReadProblem::WrongType { member, .. } if member == at), "{body}");
    }
}

#[test]
fn names_and_uris_have_an_end() {
    for (member, method, most) in [("name", "tools/call", 1024), ("uri", "resources/read", 8000)] {
        let body = |length| {
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"{member}":"{}"}}}}"#,
                "x".repeat(length)
            )
        };
        assert!(call(&body(most)).is_ok());
        assert!(matches!(problem(&body(most + 1)), ReadProblem::WrongType { expected: "shorter", .. }));
    }
}

#[test]
fn keys_that_a_folding_server_takes_for_known_ones_are_refused() {
    for (body, name) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}"#, "method"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","param\u017f":{}}"#, "params"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","method\u0000":"tools/call"}"#, "method"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","NAME":"b"}}"#, "name"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","argument\u017f":{}}}"#, "arguments"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"tas\u212aId":"b"}}"#, "taskId"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_META":{}}}"#, "_meta"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"ref":{"type":"ref/prompt","name":"a","Name":"b"}}}"#,
            "name",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"ref":{"type":"ref/prompt","name":"a","uri\u0000":"b"}}}"#,
            "uri",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"Notification\u017f":{}}}"#, "notifications"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"notifications":{"resourcesubscriptions":[]}}}"#,
            "resourceSubscriptions",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolversion":"2025-06-18"}}}"#,
            "io.modelcontextprotocol/protocolVersion",
        ),
    ] {
        assert_eq!(problem(body), ReadProblem::LookalikeKey(name), "{body}");
    }
}

#[test]
fn unknown_members_pass() {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","extra":1,"params":{"name":"a","task":{"ttl":1},"cursor":null}}"#;
    assert!(matches!(call(body), Ok(Message::Request { .. })));
}

#[test]
fn errors_say_what_and_where_and_echo_nothing() {
    let error = call(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"secret","name":"b"}}"#);
    assert_eq!(error.unwrap_err().to_string(), "duplicate key at byte 72");
}
