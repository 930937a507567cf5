use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::json::Reader;

fn id(text: &str) -> Id {
    Id::from_value(&Reader::new(text.as_bytes(), 8).unwrap().value().unwrap()).unwrap()
}

fn read(form: Form, ids: &[&str], body: &[u8], pieces: usize) -> Vec<Option<Ending>> {
    let mut answers = Answers::new(form, ids.iter().map(|text| id(text)).collect(), 4096, 64);
    body.chunks(pieces.max(1)).for_each(|piece| answers.push(piece));
    answers.finish()
}

fn document(body: &Value) -> Option<Ending> {
    read(Form::Document, &["7"], body.to_string().as_bytes(), 5)[0]
}

#[test]
fn a_document_says_how_its_call_ended() {
    let with = |member: &str, value: Value| document(&json!({"jsonrpc": "2.0", "id": 7, member: value}));
    assert_eq!(with("result", json!({"content": []})), Some(Ending::Result));
    assert_eq!(with("result", json!({"content": [], "isError": false})), Some(Ending::Result));
    assert_eq!(with("result", json!({"content": [], "isError": true})), Some(Ending::IsError));
    assert_eq!(with("error", json!({"code": -32000, "message": "no"})), Some(Ending::JsonRpcError));
}

#[test]
fn what_is_not_clearly_an_answer_has_not_failed() {
    for body in [
        json!({"jsonrpc": "2.0", "id": 8, "error": {"code": 1, "message": ""}}),
        json!({"jsonrpc": "2.0", "id": "7", "error": {"code": 1, "message": ""}}),
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": ""}}),
        json!({"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": ""}, "result": {}}),
        json!({"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": ""}, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 7, "error": "no"}),
        json!({"jsonrpc": "2.0", "id": 7}),
        json!("error"),
    ] {
        assert_eq!(document(&body), None, "{body}");
    }
    assert_eq!(document(&json!({"jsonrpc": "2.0", "id": 7, "result": {"isError": "true"}})), Some(Ending::Result));
    for body in [r#"{"id":7,"error":{},"error":{}}"#, r#"{"id":7,"error":{}"#, r#"{"id":7,"error":{}} x"#, "", "<html>"]
    {
        assert_eq!(read(Form::Document, &["7"], body.as_bytes(), 3), [None], "{body}");
    }
}

#[test]
fn a_batch_answers_each_of_its_requests() {
    let body = json!([
        {"jsonrpc": "2.0", "id": "b", "result": {"isError": true}},
        {"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": ""}},
    ]);
    let endings = read(Form::Document, &["1", "\"b\"", "3"], body.to_string().as_bytes(), 9);
    assert_eq!(endings, [Some(Ending::JsonRpcError), Some(Ending::IsError), None]);
}

#[test]
fn events_are_read_until_the_answer_and_the_first_answer_counts() {
    let body = "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\r\n\r\n\
                : alive\n\nid: 3\ndata: {\"jsonrpc\":\"2.0\",\"id\":7,\ndata: \"error\":{\"code\":1}}\n\n\
                data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\n\n";
    for pieces in [1, 2, 7, 1000] {
        assert_eq!(read(Form::Events, &["7"], body.as_bytes(), pieces), [Some(Ending::JsonRpcError)], "{pieces}");
    }
    let unfinished = "data: {\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{}}\n";
    assert_eq!(read(Form::Events, &["7"], unfinished.as_bytes(), 4), [None]);
}

#[test]
fn what_is_too_large_is_not_looked_at_and_not_held() {
    let answer = |padding: usize| format!("{{\"id\":7,\"error\":{{\"message\":\"{}\"}}}}", "x".repeat(padding));
    assert_eq!(read(Form::Document, &["7"], answer(5_000).as_bytes(), 100), [None]);
    let events = format!("data: {}\n\ndata: {}\n\n", answer(5_000), answer(10));
    assert_eq!(read(Form::Events, &["7"], events.as_bytes(), 100), [Some(Ending::JsonRpcError)]);
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_read_alike(body: Vec<u8>, one in 1..9usize, other in 1..9usize, events: bool) {
        let form = if events { Form::Events } else { Form::Document };
        prop_assert_eq!(read(form, &["7"], &body, one), read(form, &["7"], &body, other));
    }
}
