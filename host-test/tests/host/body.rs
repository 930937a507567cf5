//! How bodies reach the filter, and what its answers hold back.

use host_test::HeaderStop;

use crate::guest::{Guest, OK, POST, noted, stream_lines};

#[test]
fn pause_on_headers_stops_everything_and_the_body_never_arrives() {
    let mut guest = Guest::new();
    let host = guest.on("request_headers", "(i32.const 1)").host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abc", false).request_body("def", true);
    assert_eq!(stream_lines(&host), ["context_create 2 1", "request_headers 2 4 0"]);
    assert_eq!(stream.forwarded().headers, None);
}

#[test]
fn with_allow_on_headers_the_body_arrives_and_continue_lets_all_go() {
    let mut guest = Guest::new();
    guest.on("request_headers", "(i32.const 1)").on("request_body", "(i32.eqz (local.get $c))");
    let host = guest.builder().stop_iteration(HeaderStop::AllowOnHeaders).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abc", false);
    assert_eq!(stream.forwarded().headers, None);
    stream.request_body("def", true);
    assert_eq!(stream_lines(&host)[2..], ["request_body 2 3 0", "request_body 2 6 1"]);
    let forwarded = stream.forwarded();
    assert_eq!((forwarded.header("x-one"), forwarded.text(), forwarded.ended), (Some("1"), "abcdef".to_owned(), true));
}

#[test]
fn a_resume_after_a_stop_of_everything_gives_the_filter_the_whole_body_at_once() {
    let mut guest = Guest::new();
    guest
        .on("request_headers", "(i32.const 1)")
        .on("tick", "(drop (call $set_effective_context (i32.const 2))) (drop (call $continue_stream (i32.const 0)))");
    guest.on("configure", "(drop (call $set_tick_period_milliseconds (i32.const 10))) (i32.const 1)");
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abc", false).request_body("def", true);
    host.worker(0).tick();
    assert_eq!(stream_lines(&host)[2..], ["tick 1", "request_body 2 6 1"]);
    assert_eq!((stream.forwarded().text(), stream.forwarded().ended), ("abcdef".to_owned(), true));
}

#[test]
fn while_paused_the_size_accumulates_and_after_continue_pieces_come_alone() {
    let mut guest = Guest::new();
    guest.on("request_body", "(i32.lt_u (local.get $b) (i32.const 6))");
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abc", false);
    assert_eq!(stream.forwarded().text(), "");
    stream.request_body("def", false).request_body("123456", false).request_body("", true);
    assert_eq!(
        stream_lines(&host)[2..],
        ["request_body 2 3 0", "request_body 2 6 0", "request_body 2 6 0", "request_body 2 0 1"]
    );
    // The last, empty piece was answered with "pause": nothing lets it go.
    assert_eq!((stream.forwarded().text(), stream.forwarded().ended), ("abcdef123456".to_owned(), false));
}

#[test]
fn with_trailers_no_body_callback_has_the_end_and_trailers_finish() {
    let mut guest = Guest::new();
    guest.on("request_body", "(i32.const 1)");
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abc", false);
    assert_eq!(stream.forwarded().text(), "");
    stream.request_trailers(&[("x-sum", "1")]);
    assert_eq!(stream_lines(&host)[2..], ["request_body 2 3 0", "request_trailers 2 1"]);
    let forwarded = stream.forwarded();
    assert_eq!((forwarded.text(), forwarded.ended), ("abc".to_owned(), true));
    assert_eq!(forwarded.trailers.unwrap().get("x-sum"), Some("1"));
}

#[test]
fn the_held_body_can_be_read_in_the_trailers_callback() {
    let mut guest = Guest::new();
    let label = guest.text("body");
    guest.on("request_body", "(i32.const 1)").on(
        "request_trailers",
        format!(
            "(call $note_result {label} (call $get_buffer_bytes (i32.const 0) (i32.const 0) (i32.const 99) (i32.const 960) (i32.const 964)))
             (i32.const 0)"
        ),
    );
    let host = guest.host();
    host.worker(0).request(POST).request_body("abc", false).request_trailers(&[("x", "1")]);
    assert_eq!(noted(&host, "body"), ["0", "abc"]);
}

#[test]
fn a_filter_may_add_trailers_in_its_last_body_callback() {
    let mut guest = Guest::new();
    let text = guest.text("x-sum");
    guest.on(
        "request_body",
        format!(
            "(if (local.get $c) (then (drop (call $add_header_map_value (i32.const 1) {text} {text})))) (i32.const 0)"
        ),
    );
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abc", true);
    let forwarded = stream.forwarded();
    assert_eq!((forwarded.text(), forwarded.ended), ("abc".to_owned(), true));
    assert_eq!(forwarded.trailers.unwrap().get("x-sum"), Some("x-sum"));
}

#[test]
fn a_request_without_a_body_ends_with_its_headers() {
    let host = Guest::new().host();
    let stream = host.worker(0).request_without_body(POST);
    assert_eq!(stream_lines(&host), ["context_create 2 1", "request_headers 2 4 1"]);
    assert!(stream.forwarded().ended);
}

#[test]
fn answer_two_holds_the_peer_up_and_answer_three_drops_what_came() {
    let mut guest = Guest::new();
    guest.on("request_body", "(select (i32.const 0) (i32.const 3) (local.get $c))");
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("dropped", false).request_body("kept", true);
    assert_eq!((stream.forwarded().text(), stream.forwarded().ended), ("kept".to_owned(), true));

    let mut guest = Guest::new();
    guest.on("request_body", "(select (i32.const 0) (i32.const 2) (local.get $c))");
    let host = guest.builder().buffer_limit(4).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("far too long", false).request_body("!", true);
    assert_eq!(stream.reply(), None);
    assert_eq!(stream.forwarded().text(), "far too long!");
}

#[test]
fn the_response_goes_the_same_way() {
    let mut guest = Guest::new();
    guest.on("response_headers", "(i32.const 1)").on("response_body", "(i32.eqz (local.get $c))");
    let host = guest.builder().stop_iteration(HeaderStop::AllowOnHeaders).start().unwrap();
    let mut stream = host.worker(0).request_without_body(POST);
    stream.response_headers(OK).response_body("abc", false);
    assert_eq!(stream.received().headers, None);
    stream.response_body("def", true);
    let received = stream.received();
    assert_eq!((received.status(), received.text(), received.ended), (Some(200), "abcdef".to_owned(), true));
    assert!(stream.has_ended());
}
