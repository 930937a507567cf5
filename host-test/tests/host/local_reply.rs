//! Local replies.

use host_test::{Fault, HeaderStop};

use crate::guest::{Guest, OK, POST, noted, stream_lines};

/// A call that answers with this status and body, and the header `x-by: filter`.
fn reply(guest: &mut Guest, status: u32, body: &str) -> String {
    let pairs = guest.text(b"\x01\0\0\0\x04\0\0\0\x06\0\0\0X-By\0filter\0");
    let (details, body) = (guest.text("so it is"), guest.text(body));
    format!("(drop (call $send_local_response (i32.const {status}) {details} {body} {pairs} (i32.const -1)))")
}

#[test]
fn a_reply_to_the_headers_passes_the_response_callbacks_and_ends_the_stream() {
    let mut guest = Guest::new();
    let steps = reply(&mut guest, 403, "no");
    let host = guest.on("request_headers", steps + "(i32.const 0)").host();
    let mut stream = host.worker(0).request(POST);
    assert_eq!(
        stream_lines(&host),
        [
            "context_create 2 1",
            "request_headers 2 4 0",
            "response_headers 2 4 0",
            "response_body 2 2 1",
            "log 2",
            "done 2",
            "delete 2"
        ]
    );
    let received = stream.received();
    assert_eq!((received.status(), received.text(), received.ended), (Some(403), "no".to_owned(), true));
    assert_eq!(received.header("x-by"), Some("filter"));
    assert_eq!((received.header("content-length"), received.header("content-type")), (Some("2"), Some("text/plain")));
    assert_eq!(stream.forwarded().headers, None);
    let reply = stream.reply().unwrap();
    assert_eq!(
        (reply.status, reply.grpc_status, reply.details.as_str(), reply.by_filter),
        (403, None, "so_it_is", true)
    );
    // What the client goes on sending is dropped.
    stream.request_body("late", true);
    assert_eq!(stream_lines(&host).len(), 7);
}

#[test]
fn an_empty_reply_has_no_body_callback_nor_a_length() {
    let mut guest = Guest::new();
    let steps = reply(&mut guest, 202, "");
    let host = guest.on("request_headers", steps + "(i32.const 0)").host();
    let stream = host.worker(0).request(POST);
    assert_eq!(stream_lines(&host)[2..], ["response_headers 2 2 1", "log 2", "done 2", "delete 2"]);
    assert_eq!(stream.received().header("content-length"), None);
}

#[test]
fn whatever_the_callback_returns_after_a_reply_nothing_goes_on() {
    let mut guest = Guest::new();
    let steps = reply(&mut guest, 403, "no");
    let host = guest.on("request_body", steps + "(i32.const 0)").host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("evil", false).request_body("more", true);
    assert_eq!(stream.forwarded().text(), "");
    // The head of the request had gone: the upstream sees it break off.
    assert!(stream.forwarded().reset);
    assert_eq!(stream.received().status(), Some(403));
}

#[test]
fn the_reply_waits_until_the_callback_has_returned() {
    let mut guest = Guest::new();
    let after = guest.text("after");
    let steps = reply(&mut guest, 403, "no") + &format!("(call $note {after} (i32.const 1)) (i32.const 0)");
    let host = guest.on("request_headers", steps).host();
    host.worker(0).request(POST);
    assert_eq!(stream_lines(&host)[2..4], ["after 1", "response_headers 2 4 0"]);
}

#[test]
fn a_reply_together_with_a_resume_still_lets_the_request_go_upstream() {
    let mut guest = Guest::new();
    let steps = reply(&mut guest, 403, "no");
    guest.on("configure", "(drop (call $set_tick_period_milliseconds (i32.const 10))) (i32.const 1)");
    guest.on("request_headers", "(i32.const 1)").on(
        "tick",
        format!(
            "(drop (call $set_effective_context (i32.const 2))) {steps} (drop (call $continue_stream (i32.const 0)))"
        ),
    );
    let host = guest.host();
    let stream = host.worker(0).request_without_body(POST);
    host.worker(0).tick();
    assert_eq!(stream.received().status(), Some(403));
    assert!(stream.forwarded().ended);
}

#[test]
fn a_second_reply_is_a_fault_and_its_effect_depends_on_how_far_the_first_has_come() {
    let second = |callbacks: &[&'static str]| {
        let mut guest = Guest::new();
        let (first, second) = (reply(&mut guest, 403, "no"), reply(&mut guest, 500, "no, no"));
        guest.on("request_headers", first.clone() + "(i32.const 0)");
        for callback in callbacks {
            let steps = if *callback == "request_headers" { first.clone() + &second } else { second.clone() };
            guest.on(callback, steps + "(i32.const 0)");
        }
        let host = guest.host();
        let received = host.worker(0).request(POST).received();
        let faults = host.take_faults();
        assert!(faults.contains(&Fault::SecondReply { context: 2 }), "{faults:?}");
        (received.status(), received.text(), received.reset)
    };
    // The first has been prepared only: it is the one that is sent.
    assert_eq!(second(&["request_headers"]), (Some(403), "no".to_owned(), false));
    // Its headers have not gone out: the second takes its place.
    assert_eq!(second(&["response_headers"]), (Some(500), "no, no".to_owned(), false));
    // They have: the client sees it break off.
    assert_eq!(second(&["response_body"]), (Some(403), String::new(), true));
}

#[test]
fn a_host_that_is_dropped_with_a_fault_fails_the_test() {
    let mut guest = Guest::new();
    let (first, second) = (reply(&mut guest, 403, "no"), reply(&mut guest, 500, "no, no"));
    let host = guest.on("request_headers", first + &second + "(i32.const 0)").host();
    host.worker(0).request(POST);
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(host)));
    let message = *dropped.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("SecondReply"), "{message}");
}

#[test]
fn a_reply_while_response_headers_are_held_goes_straight_to_the_client() {
    let mut guest = Guest::new();
    let steps = reply(&mut guest, 200, "instead");
    guest.on("response_headers", "(i32.const 1)").on("response_body", steps + "(i32.const 0)");
    let host = guest.builder().stop_iteration(HeaderStop::AllowOnHeaders).start().unwrap();
    let mut stream = host.worker(0).request_without_body(POST);
    stream.response_headers(OK).response_body("secret", true);
    assert_eq!(
        stream_lines(&host)[2..],
        ["response_headers 2 2 0", "response_body 2 6 1", "log 2", "done 2", "delete 2"]
    );
    let received = stream.received();
    assert_eq!(
        (received.text(), received.header("x-by"), received.ended),
        ("instead".to_owned(), Some("filter"), true)
    );
}

#[test]
fn a_reply_after_the_response_headers_went_out_is_a_reset_and_a_fault() {
    let mut guest = Guest::new();
    let steps = reply(&mut guest, 403, "no");
    let host = guest.on("response_body", steps + "(i32.const 0)").host();
    let mut stream = host.worker(0).request_without_body(POST);
    stream.response_headers(OK).response_body("secret", true);
    let received = stream.received();
    assert_eq!((received.status(), received.text(), received.reset), (Some(200), String::new(), true));
    assert_eq!(host.take_faults(), [Fault::ReplyAfterHeaders { context: 2 }]);
}

#[test]
fn from_the_root_context_a_reply_needs_the_effective_context() {
    let mut guest = Guest::new();
    let steps = reply(&mut guest, 403, "no");
    guest.on("configure", "(drop (call $set_tick_period_milliseconds (i32.const 10))) (i32.const 1)");
    guest.on("request_headers", "(i32.const 1)").on("tick", &*steps);
    let host = guest.host();
    let stream = host.worker(0).request(POST);
    host.worker(0).tick();
    assert_eq!(stream.reply(), None);
    assert_eq!(host.take_faults(), [Fault::NoStream { context: 1, call: "proxy_send_local_response" }]);

    guest.on("tick", format!("(drop (call $set_effective_context (i32.const 2))) {steps}"));
    let host = guest.host();
    let stream = host.worker(0).request(POST);
    host.worker(0).tick();
    assert_eq!(stream.received().status(), Some(403));
}

#[test]
fn a_head_request_gets_the_length_but_no_body_and_grpc_its_own_form() {
    let mut guest = Guest::new();
    let steps = reply(&mut guest, 403, "no");
    let host = guest.on("request_headers", steps + "(i32.const 0)").host();
    let stream = host.worker(0).request_without_body(&[(":method", "HEAD")]);
    assert_eq!((stream.received().text(), stream.received().header("content-length")), (String::new(), Some("2")));
    let stream = host.worker(0).request(&[(":method", "POST"), ("content-type", "application/grpc+proto")]);
    let received = stream.received();
    assert_eq!((received.status(), received.header("grpc-status")), (Some(200), Some("7")));
    assert_eq!((received.header("grpc-message"), received.text()), (Some("no"), String::new()));
}

#[test]
fn pairs_that_do_not_parse_or_exceed_a_limit_are_no_pairs() {
    let mut guest = Guest::new();
    let label = guest.text("set");
    let bad = guest.text(b"\x01\0\0\0\x04\0\0\0\x06\0\0\0X-By\0filter");
    guest.on(
        "request_headers",
        format!("(call $note {label} (call $set_header_map_pairs (i32.const 0) {bad})) (i32.const 0)"),
    );
    let host = guest.host();
    let stream = host.worker(0).request(POST);
    assert_eq!(noted(&host, "set"), ["0"]);
    assert!(stream.forwarded().headers.unwrap().is_empty());
}

#[test]
fn a_reply_for_another_stream_stops_the_stream_whose_callback_asked_for_it() {
    let mut guest = Guest::new();
    let steps = reply(&mut guest, 403, "no");
    // Stream 3 answers for stream 2.
    let as_two = format!("(drop (call $set_effective_context (i32.const 2))) {steps}");
    guest.on("request_headers", format!("(if (i32.eq (local.get $a) (i32.const 3)) (then {as_two})) (i32.const 0)"));
    let host = guest.host();
    let (two, three) = (host.worker(0).request(POST), host.worker(0).request(POST));
    assert_eq!((two.received().status(), three.received().status()), (Some(403), None));
    assert!(two.forwarded().reset && three.forwarded().headers.is_none());
}

#[test]
fn the_effective_context_ends_with_the_callback() {
    let mut guest = Guest::new();
    let (label, name) = (guest.text("read"), guest.text("x-one"));
    guest.on("configure", "(drop (call $set_tick_period_milliseconds (i32.const 10))) (i32.const 1)");
    guest.on("tick", "(drop (call $set_effective_context (i32.const 2)))");
    let read = "(call $get_header_map_value (i32.const 0)";
    guest.on(
        "request_headers",
        format!("(call $note_result {label} {read} {name} (i32.const 960) (i32.const 964))) (i32.const 1)"),
    );
    let host = guest.host();
    let _first = host.worker(0).request(&[("x-one", "first")]);
    host.worker(0).tick();
    let _second = host.worker(0).request(&[("x-one", "second")]);
    assert_eq!(noted(&host, "read"), ["0", "first", "0", "second"]);
}
