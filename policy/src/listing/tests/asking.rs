//! Denied methods in event streams, and in messages of any shape.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::trees::{any_json, any_message, filter_tree, text};
use super::{Lab, Quiet};
use crate::listing::{EventStream, Filtered, Reason, Shown, Unreadable, filter_message};

const ASKS: &str = r#"{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"message":"password?"}}"#;
const LISTS: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#;

/// What goes on of a stream, and how often something was unreadable in it. Replaces by an empty object.
fn pushed(stream: &str, chunk: usize) -> (String, Vec<Reason>) {
    let mut reasons = Vec::new();
    let mut events = EventStream::new(1000, 16);
    let mut out = Vec::new();
    for chunk in stream.as_bytes().chunks(chunk) {
        out.extend_from_slice(&events.push(chunk, &Quiet, &mut |problem| {
            reasons.push(problem.reason);
            Some(b"{}".to_vec())
        }));
    }
    (String::from_utf8(out).unwrap(), reasons)
}

#[test]
fn an_event_that_is_a_denied_request_keeps_only_what_resumes_the_stream() {
    for (event, left) in [
        (format!("data: {ASKS}\n\n"), ""),
        (format!("event: message\r\ndata: {ASKS}\r\n\r\n"), ""),
        (format!("id: 7\r\n: c\r\nretry: 5\r\ndata: {ASKS}\r\n\r\n"), "id: 7\nretry: 5\n\n"),
        (format!("data: [{ASKS},\nid: 7\ndata: {ASKS}]\n\n"), "id: 7\n\n"),
        (format!("data: [{ASKS},{LISTS}]\n\n"), "data: [LISTS]\n\n"),
    ] {
        let stream = format!("data: 1\n\n{event}data: 2\n\n");
        let expected = format!("data: 1\n\n{}data: 2\n\n", left.replace("LISTS", LISTS));
        for chunk in 1..=stream.len() {
            assert_eq!(pushed(&stream, chunk), (expected.clone(), vec![]), "{event:?} in chunks of {chunk}");
        }
    }
}

#[test]
fn an_event_that_answers_by_asking_is_replaced() {
    let event = "id: 3\ndata: {\"id\":1,\"result\":{\"inputRequests\":{\"a\":{\"method\":\"denied/x\"}}}}\n\n";
    assert_eq!(pushed(event, 1), ("id: 3\ndata: {}\n\n".to_owned(), vec![Reason::DeniedInput]));
}

#[test]
fn a_denied_method_outside_of_the_data_is_dropped_with_its_event() {
    for event in
        [format!("event: x\u{2028}data: {ASKS}\n\n"), format!("DATA: {ASKS}\n\n"), format!("data:\r{ASKS}\n\n")]
    {
        assert_eq!(pushed(&event, 1000), ("data: {}\n\n".to_owned(), vec![Reason::StrayListing]), "{event:?}");
    }
}

/// A request, a notification, or a response that asks; some of them denied.
fn asking() -> impl Strategy<Value = Value> {
    let method = prop::sample::select(vec!["elicitation/create", "denied/x", "roots/list", "notifications/message"]);
    (method, any_json(), 0..4).prop_map(|(method, extra, form)| match form {
        0 => json!({"id": 1, "method": method, "params": extra}),
        1 => json!({"method": method, "params": {"x": extra}}),
        2 => json!({"id": 1, "result": {"inputRequests": {"a": {"method": method, "params": extra}}}}),
        _ => json!({"id": 1, "result": {"structuredContent": {"method": method}}}),
    })
}

fn any_message_that_may_ask() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => any_message(),
        1 => asking(),
        2 => prop::collection::vec(asking(), 0..5).prop_map(Value::from),
    ]
}

/// The methods that a client would be asked.
fn asked(message: &Value) -> Vec<&str> {
    match message {
        Value::Array(batch) => batch.iter().flat_map(asked).collect(),
        _ => {
            let inputs = message["result"]["inputRequests"].as_object();
            let inputs = inputs.into_iter().flatten().filter_map(|(_, input)| input["method"].as_str());
            message["method"].as_str().into_iter().chain(inputs).collect()
        }
    }
}

/// Whether a message of a batch only asks what is denied.
fn is_denied_request(message: &Value) -> bool {
    message["method"].as_str().is_some_and(|method| !Quiet.passes_method(method))
}

proptest! {
    #[test]
    fn what_passes_asks_nothing_denied_and_lacks_nothing_else(message in any_message_that_may_ask(), pretty: bool) {
        let text = text(&message, pretty);
        let left: Value = match filter_message(text.as_bytes(), 64, &Quiet) {
            Ok(Filtered::Unchanged) => message.clone(),
            Ok(Filtered::Changed(bytes)) => serde_json::from_slice(&bytes).unwrap(),
            Err(Unreadable { reason: Reason::DeniedRequest, .. }) => {
                let all = message.as_array().map_or(std::slice::from_ref(&message), Vec::as_slice);
                prop_assert!(!all.is_empty() && all.iter().all(is_denied_request));
                return Ok(());
            }
            Err(Unreadable { reason, .. }) => {
                prop_assert_eq!(reason, Reason::DeniedInput);
                prop_assert!(asked(&message).iter().any(|method| !Quiet.passes_method(method)));
                return Ok(());
            }
        };
        prop_assert!(asked(&left).iter().all(|method| Quiet.passes_method(method)), "{}", left);
        let mut expected = message;
        if let Some(batch) = expected.as_array_mut() {
            batch.retain(|message| !is_denied_request(message));
        }
        filter_tree(&mut expected);
        prop_assert_eq!(left, expected);
    }

    #[test]
    fn methods_that_all_pass_change_nothing_else(message in any_message_that_may_ask(), pretty: bool) {
        let text = text(&message, pretty);
        if asked(&message).iter().all(|method| Quiet.passes_method(method)) {
            prop_assert_eq!(filter_message(text.as_bytes(), 64, &Quiet), filter_message(text.as_bytes(), 64, &Lab));
        }
    }

    #[test]
    fn no_spelling_of_a_denied_request_passes(
        // Each character of key and method in one of its spellings, and something sloppy or nothing beside it.
        escapes in prop::collection::vec(0..3, 24),
        beside in prop::sample::select(vec!["", ",\"x\":NaN", ",\"x\":\"\\ud800\"", ",", ",\"x\":1,\"x\":2", ",\"x\":\"\u{1}\""]),
        spaces in "[ \n\t]{0,2}",
    ) {
        let spell = |text: &str, from: usize| -> String {
            text.chars().zip(&escapes[from..]).map(|(c, escape)| match escape {
                0 => c.to_string(),
                1 => format!("\\u{:04x}", u32::from(c)),
                _ => format!("\\u{:04X}", u32::from(c)),
            }).collect()
        };
        let (key, method) = (spell("method", 0), spell("elicitation/create", 6));
        let text = format!("{{{spaces}\"{key}\"{spaces}:{spaces}\"{method}\"{beside}}}");
        prop_assert!(filter_message(text.as_bytes(), 64, &Quiet).is_err(), "{}", text);
    }
}
