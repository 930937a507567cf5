//! JSON-RPC batches, which revision 2025-03-26 has: all of one goes on, or none.

use host_test::Stream;
use serde_json::{Value, json};

use super::lab::{
    Lab, Request, assert_forwarded, call_as, envelope, filter, in_both_modes, is_forwarded, message, tools,
};

fn policy() -> Value {
    json!({"version": "1", "default": "deny", "hide": ["secret"], "tools": {
        "get_run": {}, "create_run": {"rate_limit": "3/minute"}, "home": {"action": "require_approval"}, "stop": {"action": "deny"}}})
}

fn batch(messages: &[String]) -> String {
    format!("[{}]", messages.join(","))
}

fn call(id: u64, tool: &str) -> String {
    call_as(&json!(id), tool, &json!({}))
}

const NOTIFICATION: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const RESPONSE: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

/// One answer for each id, in order; what each says.
#[track_caller]
fn answers(stream: &Stream) -> Vec<(Value, String)> {
    assert_eq!(stream.received().status(), Some(200), "{}", stream.received().text());
    let answers = message(stream);
    let answers = answers.as_array().unwrap_or_else(|| panic!("not a batch: {answers}"));
    let said = |answer: &Value| match &answer["result"]["content"][0]["text"] {
        Value::String(text) => format!("{text} {}", answer["result"]["_meta"]["rule"]),
        _ => answer["error"].to_string(),
    };
    answers.iter().map(|answer| (answer["id"].clone(), said(answer))).collect()
}

#[test]
fn a_batch_whose_messages_are_all_allowed_goes_on_as_it_came() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let body = batch(&[call(1, "get_run"), NOTIFICATION.into(), call(2, "create_run"), RESPONSE.into()]);
        assert_forwarded(&lab.post(&body), &body);
        let spaced = format!(" [\n{} ] ", call(7, "get_run"));
        assert_forwarded(&lab.post(&spaced), &spaced);
    });
}

#[test]
fn one_refused_message_refuses_the_batch_with_an_answer_to_each_request() {
    in_both_modes(&policy(), &json!({}), |lab| {
        let stream = lab.post(batch(&[
            call(1, "get_run"),
            call(2, "delete_run"),
            NOTIFICATION.into(),
            call(3, "secret"),
            call(4, "stop"),
        ]));
        lab.assert_nothing_forwarded(&stream);
        let [first, second, third, fourth] = answers(&stream).try_into().unwrap();
        assert_eq!(first.0, 1);
        assert!(
            first.1.contains("Another message of this batch is refused") && first.1.contains("(batch)"),
            "{first:?}"
        );
        assert!(second.0 == 2 && second.1.contains("(default deny)"), "{second:?}");
        assert!(third.0 == 3 && third.1.contains("Unknown tool: secret"), "{third:?}");
        assert!(fourth.0 == 4 && fourth.1.contains("/tools/stop"), "{fourth:?}");
    });
}

#[test]
fn the_limits_of_a_batch_are_taken_together_or_not_at_all() {
    let lab = Lab::new(&policy());
    // Two of three are left after the first.
    assert!(is_forwarded(&lab.post(call(0, "create_run"))));
    let three = batch(&[call(1, "create_run"), call(2, "create_run"), call(3, "create_run")]);
    let stream = lab.post(&three);
    lab.assert_nothing_forwarded(&stream);
    let [.., third] = <[_; 3]>::try_from(answers(&stream)).unwrap();
    assert!(third.1.contains("/tools/create_run/rate_limit"), "{third:?}");
    // Nothing was taken for the refused batch.
    assert!(is_forwarded(&lab.post(batch(&[call(1, "create_run"), call(2, "create_run")]))));
    assert!(!lab.admits("create_run"));
}

#[test]
fn nobody_is_asked_to_approve_a_part_of_a_batch() {
    let lab = Lab::new(&policy());
    let stream = lab.post(batch(&[call(1, "home"), call(2, "create_run")]));
    lab.assert_nothing_forwarded(&stream);
    assert!(answers(&stream)[0].1.contains("Approval required"), "{:?}", answers(&stream));
    for _ in 0..3 {
        assert!(lab.admits("create_run"));
    }
}

#[test]
fn a_refused_batch_of_notifications_is_dropped() {
    let lab = Lab::with(json!({"version": "1", "default": "deny"}), json!({}));
    let custom = r#"{"jsonrpc":"2.0","method":"custom/run"}"#;
    let stream = lab.post(batch(&[custom.into(), NOTIFICATION.into()]));
    lab.assert_nothing_forwarded(&stream);
    assert_eq!((stream.received().status(), stream.received().text()), (Some(202), String::new()));
}

#[test]
fn a_client_that_takes_only_events_gets_an_event_per_answer() {
    let lab = Lab::new(&policy());
    let request = Request::post().set("accept", "text/event-stream");
    let stream = request.send(&lab.worker(0), batch(&[call(1, "get_run"), call(2, "nothing")]));
    let text = stream.received().text();
    let events: Vec<Value> = text
        .split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("event: message\ndata: ").unwrap()).unwrap())
        .collect();
    assert_eq!(events.iter().map(|event| event["id"].clone()).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn what_is_unreadable_in_a_batch_makes_the_batch_unreadable() {
    let lab = Lab::new(&policy());
    for body in [
        "[]".to_owned(),
        "[[]]".to_owned(),
        batch(&[call(1, "get_run"), call(1, "get_run")]),
        batch(&[
            call(1, "get_run"),
            r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_run","name":"stop"}}"#.into(),
        ]),
        batch(&vec![NOTIFICATION.to_owned(); 51]),
    ] {
        lab.assert_refused(&lab.post(&body), 400);
    }
}

#[test]
fn batches_are_refused_where_the_revision_the_transport_or_the_operator_has_none() {
    let body = batch(&[call(1, "get_run")]);
    let lab = Lab::new(&policy());
    for (version, taken) in [("2025-03-26", true), ("2025-06-18", false), ("2025-11-25", false), ("2026-07-28", false)]
    {
        let stream = Request::post().set("mcp-protocol-version", version).send(&lab.worker(0), &body);
        if taken {
            assert_forwarded(&stream, &body);
        } else {
            lab.assert_refused(&stream, 400);
        }
    }
    let twice = Request::post().add("mcp-protocol-version", "2025-03-26").add("mcp-protocol-version", "2025-03-26");
    lab.assert_refused(&twice.send(&lab.worker(0), &body), 400);
    let lab = Lab::with(policy(), json!({"batches": "refuse"}));
    lab.assert_refused(&lab.post(&body), 400);
    let sse = json!({"policies": {"p": policy()}, "routes": [{"policy": "p", "transport": "sse"}]});
    let lab = Lab::new(&sse);
    lab.assert_refused(&lab.post(&body), 400);
}

#[test]
fn headers_that_name_one_message_do_not_agree_with_a_batch() {
    let lab = Lab::new(&policy());
    let body = batch(&[call(1, "get_run"), r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#.into()]);
    let stream = Request::post().set("mcp-method", "tools/call").send(&lab.worker(0), &body);
    assert_eq!((stream.received().status(), &message(&stream)["error"]["code"]), (Some(400), &json!(-32020)));
}

#[test]
fn the_listings_that_answer_a_batch_are_filtered_or_withheld() {
    let lab = Lab::new(&policy());
    let body = batch(&[
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.into(),
        r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#.into(),
    ]);
    let answered = |kind: &str, answer: &str| {
        let mut stream = lab.post(&body);
        stream.response_headers(&[(":status", "200"), ("content-type", kind)]);
        stream.response_body(answer, true);
        stream.received().text()
    };
    let list = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get_run"},{"name":"secret"}]}}"#;
    let pong = r#"{"jsonrpc":"2.0","id":2,"result":{}}"#;
    let shown = list.replace(r#",{"name":"secret"}"#, "");
    assert_eq!(answered("application/json", &format!("[{list},{pong}]")), format!("[{shown},{pong}]"));
    assert_eq!(
        answered("text/event-stream", &format!("data: {list}\n\ndata: {pong}\n\n")),
        format!("data: {shown}\n\ndata: {pong}\n\n")
    );
    let withheld: Value = serde_json::from_str(&answered("application/json", &format!("[{list}"))).unwrap();
    let ids: Vec<&Value> = withheld.as_array().unwrap().iter().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [1, 2]);
}

#[test]
fn expressions_of_a_whole_batch_look_at_so_much_and_no_more() {
    let tool = json!({"t": {"require": [{"conditions": [{"path": "args.x", "op": "regex", "value": "^a+$"}]}]}});
    let lab = Lab::new(&tools(tool));
    let call = |id: u64| call_as(&json!(id), "t", &json!({"x": "a".repeat(6 * 1024)}));
    assert!(is_forwarded(&lab.post(batch(&[call(1), call(2)]))));
    assert!(!is_forwarded(&lab.post(batch(&[call(1), call(2), call(3)]))));
}

#[test]
fn observe_mode_records_a_refused_batch_and_lets_it_pass() {
    let host = filter().configuration(envelope(policy(), json!({"mode": "observe"})).to_string()).start().unwrap();
    let body = batch(&[call(1, "get_run"), call(2, "nothing")]);
    assert_forwarded(&Request::post().send(&host.worker(0), &body), &body);
    assert!(host.logs().iter().any(|(_, line)| line.contains("observed: would be denied: tools/call nothing")));
}
