//! Resuming.

use host_test::{Fault, HeaderStop};

use crate::guest::{Guest, OK, POST, noted, stream_lines};

const TICKS: &str = "(drop (call $set_tick_period_milliseconds (i32.const 10))) (i32.const 1)";

/// A tick that resumes stream 2, then tries to read a header and the body.
fn resuming_guest(direction: u32, map: u32) -> Guest {
    let mut guest = Guest::new();
    let (before, after, name) = (guest.text("before"), guest.text("after"), guest.text("content-type"));
    let read = format!("(call $get_header_map_value (i32.const {map}) {name} (i32.const 960) (i32.const 964))");
    guest.on("configure", TICKS).on(
        "tick",
        format!(
            "(drop (call $set_effective_context (i32.const 2)))
             (call $note {before} {read})
             (drop (call $continue_stream (i32.const {direction})))
             (call $note {after} {read})"
        ),
    );
    guest
}

#[test]
fn a_resume_of_the_request_takes_its_headers_away_at_once() {
    let mut guest = resuming_guest(0, 0);
    let host = guest.on("request_headers", "(i32.const 1)").host();
    let stream = host.worker(0).request_without_body(&[("content-type", "a")]);
    host.worker(0).tick();
    assert_eq!((noted(&host, "before"), noted(&host, "after")), (vec!["0".to_owned()], vec!["2".to_owned()]));
    assert!(stream.forwarded().ended);
}

#[test]
fn a_resume_of_the_response_leaves_its_headers() {
    let mut guest = resuming_guest(1, 2);
    let host = guest.on("response_headers", "(i32.const 1)").host();
    let mut stream = host.worker(0).request_without_body(POST);
    stream.response_headers(OK).response_body("abc", true);
    assert_eq!(stream.received().headers, None);
    host.worker(0).tick();
    assert_eq!((noted(&host, "before"), noted(&host, "after")), (vec!["0".to_owned()], vec!["0".to_owned()]));
    assert_eq!((stream.received().text(), stream.received().ended), ("abc".to_owned(), true));
}

#[test]
fn a_held_body_goes_on_without_another_callback() {
    let mut guest = resuming_guest(0, 0);
    guest.on("request_headers", "(i32.const 1)").on("request_body", "(i32.const 1)");
    let host = guest.builder().stop_iteration(HeaderStop::AllowOnHeaders).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abc", false).request_body("def", true);
    host.worker(0).tick();
    assert_eq!(stream_lines(&host)[4..], ["tick 1", "before 1", "after 2"]);
    assert_eq!((stream.forwarded().text(), stream.forwarded().ended), ("abcdef".to_owned(), true));
}

#[test]
fn held_trailers_go_on_with_the_rest() {
    let mut guest = resuming_guest(0, 0);
    guest.on("request_body", "(i32.const 1)").on("request_trailers", "(i32.const 1)");
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abc", false).request_trailers(&[("x-sum", "1")]);
    assert_eq!(stream.forwarded().text(), "");
    host.worker(0).tick();
    let forwarded = stream.forwarded();
    assert_eq!((forwarded.text(), forwarded.ended), ("abc".to_owned(), true));
    assert_eq!(forwarded.trailers.unwrap().get("x-sum"), Some("1"));
}

#[test]
fn a_resume_of_what_was_not_paused_does_nothing_and_of_what_has_ended_is_a_fault() {
    let mut guest = resuming_guest(0, 0);
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    host.worker(0).tick();
    stream.request_body("abc", true).response_without_body(OK);
    assert!(stream.has_ended());
    // The context is gone by now, so it cannot even be made the effective one.
    host.worker(0).tick();
    assert_eq!(host.take_faults(), [Fault::NoStream { context: 1, call: "proxy_continue_stream" }]);
}

#[test]
fn a_resume_in_the_body_callback_lets_go_what_was_held_before_it() {
    let mut guest = Guest::new();
    guest.on("request_body", "(drop (call $continue_stream (i32.const 0))) (i32.const 1)");
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abc", false);
    assert_eq!(stream.forwarded().text(), "");
    stream.request_body("", true);
    assert_eq!((stream.forwarded().text(), stream.forwarded().ended), ("abc".to_owned(), true));
}
