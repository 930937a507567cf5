//! Traps and the three failure policies.

use std::time::Duration;

use host_test::{FailPolicy, Fault, HeaderStop, Host, Level};

use crate::guest::{Guest, OK, POST, stream_lines};

/// Traps in the request body, and writes shared data in the headers.
fn trapping_guest() -> Guest {
    let mut guest = Guest::new();
    let key = guest.text("k");
    guest.on("request_headers", format!("(drop (call $set_shared_data {key} {key} (i32.const 0))) (i32.const 0)"));
    guest.on("request_body", "(unreachable)");
    guest
}

fn trap(host: &Host) {
    let mut stream = host.worker(0).request(POST);
    stream.request_body("x", true);
    drop(stream);
    let faults = host.take_faults();
    assert!(matches!(faults.as_slice(), [Fault::Trap { callback: "proxy_on_request_body", .. }]), "{faults:?}");
}

#[test]
fn a_trap_answers_503_and_nothing_of_the_guest_runs_again() {
    let host = trapping_guest().host();
    let mut first = host.worker(0).request(POST);
    let bystander = host.worker(0).request(POST);
    first.request_body("x", true);
    assert_eq!(first.received().status(), Some(503));
    assert_eq!(first.details().as_deref(), Some("wasm_fail_stream"));
    assert!(host.worker(0).has_failed());
    assert!(host.logs().iter().any(|(level, _)| *level == Level::Critical));
    // Every stream of the machine is lost with it, as soon as Envoy asks about it.
    let mut bystander = bystander;
    bystander.request_body("y", true);
    assert_eq!(bystander.received().status(), Some(503));
    assert_eq!(host.worker(0).request(POST).received().status(), Some(503));
    let traps = stream_lines(&host).iter().position(|line| line.starts_with("Function: ")).unwrap();
    assert_eq!(stream_lines(&host)[traps + 1..], Vec::<String>::new());
    assert_eq!(host.take_faults().len(), 1);
}

#[test]
fn closed_stays_closed_until_the_next_configuration() {
    let host = trapping_guest().host();
    trap(&host);
    host.advance(Duration::from_secs(3600));
    assert_eq!(host.worker(0).request(POST).received().status(), Some(503));
    host.reconfigure("new").unwrap();
    assert!(host.worker(0).request(POST).forwarded().headers.is_some());
}

#[test]
fn reload_builds_a_new_machine_after_the_backoff_and_keeps_shared_data() {
    let host = trapping_guest().builder().fail_policy(FailPolicy::Reload).start().unwrap();
    trap(&host);
    assert_eq!(host.worker(0).request(POST).received().status(), Some(503));
    host.advance(Duration::from_secs(1));
    let stream = host.worker(0).request(POST);
    assert!(stream.forwarded().headers.is_some());
    assert_eq!(host.shared_data()[b"k".as_slice()], b"k");
    drop(stream);
    // The next one has to wait again.
    trap(&host);
    assert_eq!(host.worker(0).request(POST).received().status(), Some(503));
}

#[test]
fn open_lets_later_streams_pass_unseen_and_answers_503_to_those_under_way() {
    let host = trapping_guest().builder().fail_policy(FailPolicy::Open).start().unwrap();
    let mut first = host.worker(0).request(POST);
    first.request_body("x", true);
    assert_eq!(first.received().status(), Some(503));
    let mut second = host.worker(0).request(POST);
    second.request_body("x", true).response_headers(OK).response_body("y", true);
    assert_eq!((second.forwarded().text(), second.reply()), ("x".to_owned(), None));
    assert_eq!((second.received().text(), second.has_ended()), ("y".to_owned(), true));
    host.take_faults();
}

#[test]
fn the_other_workers_go_on() {
    let host = trapping_guest().builder().workers(2).start().unwrap();
    trap(&host);
    assert!(host.worker(1).request(POST).forwarded().headers.is_some());
}

#[test]
fn a_trap_in_the_response_is_503_while_its_headers_are_held_and_a_reset_after() {
    let mut guest = Guest::new();
    guest.on("response_headers", "(i32.const 1)").on("response_body", "(unreachable)");
    let host = guest.builder().stop_iteration(HeaderStop::AllowOnHeaders).start().unwrap();
    let mut stream = host.worker(0).request_without_body(POST);
    stream.response_headers(OK).response_body("x", true);
    assert_eq!(stream.received().status(), Some(503));
    host.take_faults();

    let host = Guest::new().on("response_body", "(unreachable)").host();
    let mut stream = host.worker(0).request_without_body(POST);
    stream.response_headers(OK).response_body("x", true);
    assert!(stream.received().reset && stream.received().text().is_empty());
    host.take_faults();
}

#[test]
fn a_reply_asked_for_before_the_trap_is_not_sent() {
    let mut guest = Guest::new();
    let none = guest.text("");
    let reply = format!("(drop (call $send_local_response (i32.const 200) {none} {none} {none} (i32.const -1)))");
    let host = guest.on("request_headers", reply + "(unreachable)").host();
    assert_eq!(host.worker(0).request(POST).received().status(), Some(503));
    host.take_faults();
}

#[test]
fn a_paused_stream_hangs_when_the_machine_fails_behind_its_back() {
    let mut guest = Guest::new();
    guest.on("configure", "(drop (call $set_tick_period_milliseconds (i32.const 10))) (i32.const 1)");
    guest.on("request_headers", "(i32.const 1)").on("tick", "(unreachable)");
    let host = guest.host();
    let stream = host.worker(0).request(POST);
    host.worker(0).tick();
    assert!(!stream.has_ended() && stream.reply().is_none());
    host.take_faults();
}

#[test]
fn a_worker_that_refuses_what_the_canary_took_runs_without_the_filter() {
    let mut guest = Guest::new();
    let key = guest.text("seen");
    // The canary leaves a mark, and whoever finds it refuses.
    guest.on(
        "configure",
        format!(
            "(local.set $x (i32.ne (call $get_shared_data {key} (i32.const 960) (i32.const 964) (i32.const 968)) (i32.const 0)))
             (drop (call $set_shared_data {key} {key} (i32.const 0))) (local.get $x)"
        ),
    );
    let host = guest.host();
    assert_eq!(stream_lines(&host), ["done 1", "delete 1"]);
    let stream = host.worker(0).request_without_body(POST);
    assert!(stream.forwarded().ended);
    drop(stream);
    assert_eq!(stream_lines(&host).len(), 2);
    // Once for the main thread, once for the worker.
    assert_eq!(host.take_faults(), [Fault::Unfiltered, Fault::Unfiltered]);
}

#[test]
fn a_new_machine_that_does_not_come_up_leaves_the_failed_one_in_its_place() {
    let mut guest = trapping_guest();
    let key = guest.text("k");
    // The trapping stream's key is what makes a later configuration refuse.
    guest.on("configure", format!("(call $get_shared_data {key} (i32.const 960) (i32.const 964) (i32.const 968))"));
    let host = guest.builder().fail_policy(FailPolicy::Reload).start().unwrap();
    trap(&host);
    host.advance(Duration::from_secs(1));
    assert_eq!(host.worker(0).request(POST).received().status(), Some(503));
}
