//! The order of callbacks, and what works in which of them.

use host_test::{Fault, StartCause};

use crate::guest::{Guest, OK, POST, lines, noted, stream_lines};

#[test]
fn a_plain_stream_ends_with_log_done_and_delete() {
    let host = Guest::new().host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("x", true).response_headers(OK).response_body("y", true);
    assert_eq!(
        stream_lines(&host),
        [
            "context_create 2 1",
            "request_headers 2 4 0",
            "request_body 2 1 1",
            "response_headers 2 2 0",
            "response_body 2 1 1",
            "log 2",
            "done 2",
            "delete 2"
        ]
    );
    stream.finish();
    drop(stream);
    assert_eq!(stream_lines(&host).len(), 8);
}

#[test]
fn a_reset_logs_too_and_an_early_answer_resets_the_upstream() {
    let host = Guest::new().host();
    let mut stream = host.worker(0).request(POST);
    stream.reset();
    assert_eq!(stream_lines(&host)[2..], ["log 2", "done 2", "delete 2"]);
    assert!(stream.received().reset && stream.forwarded().reset);

    let mut stream = host.worker(0).request(POST);
    stream.response_without_body(OK);
    assert!(stream.received().ended && stream.forwarded().reset);
}

#[test]
fn a_canary_tries_the_configuration_first_then_the_main_thread_and_each_worker_take_it() {
    let host = Guest::new().builder().configuration("{}").workers(2).start().unwrap();
    let start = ["context_create 1 0", "vm_start 1 0", "configure 1 2"];
    assert_eq!(lines(&host), [start, start, start, start].concat());
}

#[test]
fn the_configuration_can_be_read_only_while_the_root_is_made_and_configured() {
    let mut guest = Guest::new();
    let label = guest.text("read");
    let read = format!(
        "(call $note {label} (call $get_buffer_bytes (i32.const 7) (i32.const 0) (i32.const 9) (i32.const 960) (i32.const 964)))"
    );
    guest.on("context_create", read.clone()).on("vm_start", format!("{read} (i32.const 1)"));
    guest.on("configure", format!("{read} (i32.const 1)")).on("request_headers", format!("{read} (i32.const 0)"));
    let host = guest.builder().configuration("{}").start().unwrap();
    let canary_main_thread_and_worker = 3 * 3;
    host.worker(0).request(POST);
    let noted = noted(&host, "read");
    assert_eq!(noted[..canary_main_thread_and_worker], [["0", "1", "0"]; 3].concat());
    // A stream's own creation, then its headers.
    assert_eq!(noted[canary_main_thread_and_worker..], ["1", "1"]);
}

#[test]
fn a_refused_configuration_starts_no_host_and_says_why() {
    let mut guest = Guest::new();
    let why = guest.text("not like this");
    guest.on("configure", format!("(drop (call $log (i32.const 4) {why})) (i32.const 0)"));
    let error = guest.builder().start().unwrap_err();
    assert_eq!(error.cause(), &StartCause::ConfigureRefused);
    assert_eq!(error.logs().last().unwrap().1, "not like this");

    let mut guest = Guest::new();
    let error = guest.on("vm_start", "(i32.const 0)").builder().start().unwrap_err();
    assert_eq!(error.cause(), &StartCause::VmStartRefused);
}

#[test]
fn before_initialisation_only_logging_works() {
    let mut guest = Guest::new();
    let hello = guest.text("hello");
    guest.field(&format!("(func (export \"_initialize\") (drop (call $log (i32.const 2) {hello})))"));
    assert_eq!(lines(&guest.host())[0], "hello");

    let mut guest = Guest::new();
    guest.field("(func (export \"_initialize\") (drop (call $get_current_time_nanoseconds (i32.const 960))))");
    let error = guest.builder().start().unwrap_err();
    assert!(matches!(error.cause(), StartCause::Trap(why) if why.contains("restricted")), "{error}");
}

#[test]
fn missing_callbacks_let_everything_pass() {
    let mut guest = Guest::new();
    for name in ["context_create", "vm_start", "configure", "request_headers", "request_body", "response_headers"] {
        guest.without(name);
    }
    for name in ["response_body", "done", "log", "delete"] {
        guest.without(name);
    }
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("x", true).response_headers(OK).response_body("y", true);
    assert_eq!((stream.forwarded().text(), stream.received().text()), ("x".to_owned(), "y".to_owned()));
}

#[test]
fn a_close_from_the_filter_resets_the_stream() {
    let mut guest = Guest::new();
    guest.on("request_headers", "(drop (call $close_stream (i32.const 0))) (i32.const 0)");
    let host = guest.host();
    let stream = host.worker(0).request(POST);
    assert!(stream.has_ended() && stream.received().reset);
    assert_eq!(stream.details().as_deref(), Some("wasm_close_stream"));
}

#[test]
fn what_crashes_envoy_is_a_fault() {
    let mut guest = Guest::new();
    guest.on("request_headers", "(drop (call $continue_stream (i32.const 1))) (i32.const 0)");
    guest.on("log", "(drop (call $close_stream (i32.const 0)))");
    let host = guest.host();
    host.worker(0).request(POST).reset();
    let crashes = host.take_faults();
    assert!(matches!(crashes[..], [Fault::Crash { context: 2, .. }, Fault::Crash { context: 2, .. }]), "{crashes:?}");
}

#[test]
fn a_changed_body_under_an_old_length_is_a_fault() {
    let mut guest = Guest::new();
    let longer = guest.text("longer");
    let write = |body: u32| {
        format!("(drop (call $set_buffer_bytes (i32.const {body}) (i32.const 0) (i32.const 9) {longer})) (i32.const 0)")
    };
    guest.on("request_body", write(0)).on("response_body", write(1));
    let host = guest.host();
    let mut stream = host.worker(0).request(&[(":method", "POST"), ("content-length", "3")]);
    stream.request_body("abc", true);
    assert_eq!(host.take_faults(), [Fault::WrongLength { context: 2, announced: 3, sent: 6 }]);
    stream.response_headers(&[(":status", "200"), ("content-length", "3")]).response_body("abc", true);
    assert_eq!(host.take_faults(), [Fault::WrongLength { context: 2, announced: 3, sent: 6 }]);
}

#[test]
fn a_header_that_forges_another_is_a_fault() {
    let mut guest = Guest::new();
    let (name, value) = (guest.text("x-a"), guest.text("1\r\nx-b: 2"));
    let add = format!("(drop (call $add_header_map_value (i32.const 0) {name} {value})) (i32.const 0)");
    let host = guest.on("request_headers", add).host();
    host.worker(0).request(POST);
    assert_eq!(host.take_faults(), [Fault::InvalidHeader { name: "x-a".to_owned() }]);
}

#[test]
fn a_resume_within_the_headers_callback_is_a_fault() {
    let mut guest = Guest::new();
    guest.on("request_headers", "(drop (call $continue_stream (i32.const 0))) (i32.const 1)");
    let host = guest.host();
    let stream = host.worker(0).request(POST);
    assert_eq!(host.take_faults(), [Fault::ResumeInHeaders { context: 2 }]);
    assert!(stream.forwarded().headers.is_some());
}
