//! Lists in forms that a client still reads: none of them shows what is hidden.

use host_test::Stream;
use serde_json::{Value, json};

use crate::lab::{Lab, Request, request};

fn lab() -> Lab {
    let policy: Value = json!({"version": "1", "default": "allow", "hide": ["delete_*"]});
    Lab::new(&policy)
}

/// The answer to a list, whole, with these headers.
fn answered(lab: &Lab, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Stream {
    let mut stream = lab.post(request("tools/list", &json!({})));
    stream.response_headers(&[&[(":status", "200")], headers].concat()).response_body(body, true);
    stream
}

#[track_caller]
fn assert_hidden(stream: &Stream) {
    let text = stream.received().text();
    assert!(!text.contains("delete"), "{text}");
    assert!(stream.received().ended);
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const EVENTS: &[(&str, &str)] = &[("content-type", "text/event-stream")];
const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"delete_run"},{"name":"get_run"}]}}"#;

#[test]
fn a_name_is_hidden_however_it_is_spelled() {
    let lab = lab();
    for name in [r"delete\u005frun", r"\u0064elete_run", r"d\u0065lete_\u0072un"] {
        let list = LIST.replace("delete_run", name);
        let text = answered(&lab, JSON, &list).received().text();
        assert!(!text.contains("lete_") && !text.contains("run\"},{") && text.contains("get_run"), "{text}");
        let text = answered(&lab, EVENTS, format!("data: {list}\n\n")).received().text();
        assert!(!text.contains("lete_") && text.contains("get_run"), "{text}");
    }
}

#[test]
fn the_content_type_may_be_anything_or_missing() {
    let lab = lab();
    for headers in [&[][..], &[("content-type", "text/plain")], &[("content-type", "application/json; charset=utf-8")]]
    {
        assert_hidden(&answered(&lab, headers, LIST));
    }
    for content_type in ["Text/Event-Stream", "text/event-stream; charset=utf-8", "text/event-stream;charset=UTF-8"] {
        assert_hidden(&answered(&lab, &[("content-type", content_type)], format!("data: {LIST}\n\n")));
    }
}

#[test]
fn an_answer_in_another_encoding_is_withheld() {
    let lab = lab();
    let utf_16: Vec<u8> = LIST.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let stream = answered(&lab, &[("content-type", "application/json; charset=utf-16le")], &utf_16);
    let shown: Vec<u8> = stream.received().body.into_iter().filter(|byte| *byte != 0).collect();
    assert!(!String::from_utf8_lossy(&shown).contains("delete"));
    // Compressed, and nobody says so.
    let stream = answered(&lab, JSON, b"\x1f\x8b\x08\0\0delete_run");
    assert_hidden(&stream);
}

#[test]
fn a_list_in_a_batch_of_answers_is_filtered_or_withheld() {
    let lab = lab();
    assert_hidden(&answered(&lab, JSON, format!("[{LIST}]")));
    assert_hidden(&answered(&lab, JSON, format!(r#"[{{"jsonrpc":"2.0","id":2,"result":{{}}}},{LIST}]"#)));
    assert_hidden(&answered(&lab, EVENTS, format!("data: [{LIST}]\n\n")));
}

#[test]
fn events_are_filtered_in_every_spelling_that_clients_read() {
    let lab = lab();
    for stream in [
        format!("\u{feff}data: {LIST}\n\n"),
        format!("data:{LIST}\n\n"),
        format!("data: {LIST}\r\r"),
        format!("data: {LIST}\r\n\r\n"),
        format!("data: {LIST}\r\n\n"),
        format!("id: 1\nretry: 5\nevent: message\ndata: {LIST}\nid: 2\n\n"),
        format!("event: other\ndata: {LIST}\n\n"),
        format!("data\ndata: {LIST}\ndata\n\n"),
        format!(":c\ndata: {LIST}\n:c\n\n"),
        format!("unknown: x\ndata: {LIST}\n\n"),
        // Not ended: clients should drop it, and not all do.
        format!("data: {LIST}"),
        format!("data: {LIST}\n"),
    ] {
        assert_hidden(&answered(&lab, EVENTS, &stream));
        let mut get = Request::get().send_without_body(&lab.worker(0));
        get.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
        for byte in stream.as_bytes() {
            get.response_body([*byte], false);
        }
        get.response_body("", true);
        assert_hidden(&get);
    }
}

#[test]
fn a_list_among_events_of_a_call_on_the_same_answer_is_no_way_around() {
    // The request's own answer is a listing only for list methods; a resumed stream may hold any.
    let lab = lab();
    let mut stream = Request::get().set("last-event-id", "7").send_without_body(&lab.worker(0));
    stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
    stream.response_body(format!("data: {{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{{}}}}\n\ndata: {LIST}\n\n"), true);
    let text = stream.received().text();
    assert!(!text.contains("delete") && text.contains("\"id\":4") && text.contains("get_run"), "{text}");
}

#[test]
fn an_empty_list_and_a_list_of_hidden_tools_only_stay_lists() {
    let lab = lab();
    let empty = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#;
    assert_eq!(answered(&lab, JSON, empty).received().text(), empty);
    let hidden = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[ {"name":"delete_a"} , {"name":"delete_b"} ]}}"#;
    let stream = answered(&lab, JSON, hidden);
    assert_eq!(crate::lab::message(&stream), serde_json::from_str::<Value>(empty).unwrap());
}

#[test]
fn a_list_whose_answer_begins_before_the_request_was_judged_shows_nothing_hidden() {
    // Only where request headers stream ahead can a server be so early.
    let lab = lab();
    for (headers, list) in [(JSON, LIST.to_owned()), (EVENTS, format!("data: {LIST}\n\n"))] {
        let mut stream = Request::post().open(&lab.worker(0));
        stream.response_headers(&[&[(":status", "200")], headers].concat());
        stream.request_body(request("tools/list", &json!({})), true);
        // A server that was not asked lists nothing.
        if !stream.forwarded().text().is_empty() {
            stream.response_body(&list, true);
        }
        assert!(!stream.received().text().contains("delete"), "{}", stream.received().text());
        drop(stream);
        lab.assert_at_most_late();
    }
}
