//! The connection's buffer limit.

use host_test::HeaderStop;

use crate::guest::{Guest, OK, POST, stream_lines};

#[test]
fn a_request_body_held_beyond_the_limit_is_answered_413() {
    let mut guest = Guest::new();
    guest.on("request_body", "(i32.const 1)");
    let host = guest.builder().buffer_limit(4).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abcd", false);
    assert_eq!(stream.reply(), None);
    stream.request_body("e", false);
    let reply = stream.reply().unwrap();
    assert_eq!((reply.status, reply.by_filter), (413, false));
    assert_eq!(stream.received().text(), "Payload Too Large");
    // The filter is asked about the body that is too long all the same, and then about the reply.
    assert_eq!(
        stream_lines(&host)[2..],
        [
            "request_body 2 4 0",
            "request_body 2 5 0",
            "response_headers 2 3 0",
            "response_body 2 17 1",
            "log 2",
            "done 2",
            "delete 2"
        ]
    );
    assert!(stream.forwarded().reset);
}

#[test]
fn a_request_body_that_is_too_long_in_one_piece_is_answered_413() {
    let mut guest = Guest::new();
    guest.on("request_body", "(i32.const 1)");
    let host = guest.builder().buffer_limit(4).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abcde", true);
    assert_eq!(stream.received().status(), Some(413));
}

#[test]
fn a_response_held_beyond_the_limit_is_500_while_its_headers_are_held_and_a_reset_after() {
    let mut guest = Guest::new();
    guest.on("response_headers", "(i32.const 1)").on("response_body", "(i32.const 1)");
    let host = guest.builder().buffer_limit(4).stop_iteration(HeaderStop::AllowOnHeaders).start().unwrap();
    let mut stream = host.worker(0).request_without_body(POST);
    stream.response_headers(OK).response_body("abcde", false);
    assert_eq!((stream.received().status(), stream.received().ended), (Some(500), true));

    let mut guest = Guest::new();
    guest.on("response_body", "(i32.const 1)");
    let host = guest.builder().buffer_limit(4).start().unwrap();
    let mut stream = host.worker(0).request_without_body(POST);
    stream.response_headers(OK).response_body("abcde", false);
    let received = stream.received();
    assert_eq!((received.status(), received.ended, received.reset), (Some(200), false, true));
}

#[test]
fn the_filter_s_own_reply_to_a_body_beyond_the_limit_comes_too_late() {
    let mut guest = Guest::new();
    let none = guest.text("");
    guest.on(
        "request_body",
        format!(
            "(if (i32.gt_u (local.get $b) (i32.const 4))
               (then (drop (call $send_local_response (i32.const 403) {none} {none} {none} (i32.const -1))))) (i32.const 1)"
        ),
    );
    let host = guest.builder().buffer_limit(4).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abcd", false).request_body("e", true);
    assert_eq!(stream.received().status(), Some(413));
}

#[test]
fn a_stop_of_everything_holds_the_client_up_instead() {
    let mut guest = Guest::new();
    guest.on("request_headers", "(i32.const 1)");
    let host = guest.builder().buffer_limit(4).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abcdefgh", true);
    assert_eq!(stream.reply(), None);
}

#[test]
fn a_filter_that_writes_more_than_the_limit_into_a_held_body_gets_413() {
    let mut guest = Guest::new();
    let data = guest.text("far too long");
    guest.on(
        "request_body",
        format!(
            "(if (local.get $c) (then (drop (call $set_buffer_bytes (i32.const 0) (i32.const 0) (local.get $b) {data})))) (i32.eqz (local.get $c))"
        ),
    );
    let host = guest.builder().buffer_limit(4).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("ab", false).request_body("cd", true);
    assert_eq!(stream.received().status(), Some(413));
    assert_eq!(stream.forwarded().text(), "");
}
