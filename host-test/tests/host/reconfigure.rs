//! A new configuration while streams run.

use host_test::StartCause;

use crate::guest::{Guest, POST, noted, stream_lines};

/// Refuses a configuration of exactly three bytes.
const NOT_THREE: &str = "(i32.ne (local.get $b) (i32.const 3))";

#[test]
fn old_streams_keep_their_root_until_they_have_ended() {
    let host = Guest::new().builder().configuration("old").start().unwrap();
    let worker = host.worker(0);
    let mut before = worker.request(POST);
    host.reconfigure("newer").unwrap();
    assert_eq!(worker.roots(), 2);
    let after = worker.request(POST);
    assert_eq!(stream_lines(&host), ["context_create 4 3", "request_headers 4 4 0"]);
    before.reset();
    assert_eq!(stream_lines(&host)[2..], ["log 2", "done 2", "delete 2", "done 1", "delete 1"]);
    assert_eq!(worker.roots(), 1);
    drop(after);
}

#[test]
fn an_unused_old_root_goes_at_once_and_the_machine_stays() {
    let mut guest = Guest::new();
    guest.field("(global $configured (mut i32) (i32.const 0))");
    let label = guest.text("configured");
    guest.on(
        "configure",
        format!(
            "(global.set $configured (i32.add (global.get $configured) (i32.const 1)))
             (call $note {label} (global.get $configured)) (i32.const 1)"
        ),
    );
    let host = guest.builder().configuration("old").start().unwrap();
    host.reconfigure("newer").unwrap();
    assert_eq!(host.worker(0).roots(), 1);
    // Canary, main thread, worker; another canary, and the other two machines for the second time.
    assert_eq!(noted(&host, "configured"), ["1", "1", "1", "1", "2", "2"]);
    assert_eq!(stream_lines(&host)[1..], ["done 1", "delete 1"]);
}

#[test]
fn a_refused_configuration_leaves_the_old_one_running() {
    let mut guest = Guest::new();
    let host = guest.on("configure", NOT_THREE).builder().configuration("first").start().unwrap();
    let error = host.reconfigure("bad").unwrap_err();
    assert_eq!(error.cause(), &StartCause::ConfigureRefused);
    let stream = host.worker(0).request(POST);
    assert_eq!(stream_lines(&host), ["context_create 2 1", "request_headers 2 4 0"]);
    assert!(stream.forwarded().headers.is_some());
}

#[test]
fn the_same_configuration_again_changes_nothing() {
    let host = Guest::new().builder().configuration("same").start().unwrap();
    host.reconfigure("same").unwrap();
    assert_eq!(host.worker(0).roots(), 1);
    // Only a canary tried it.
    assert_eq!(crate::guest::lines(&host).iter().filter(|line| line.starts_with("configure")).count(), 4);
    assert!(stream_lines(&host).is_empty());
}

#[test]
fn a_root_that_is_not_done_waits_for_its_own_word() {
    let mut guest = Guest::new();
    guest.on("configure", "(drop (call $set_tick_period_milliseconds (i32.const 10))) (i32.const 1)");
    guest.on("done", "(i32.const 0)").on("tick", "(drop (call $done))");
    let host = guest.builder().configuration("old").start().unwrap();
    host.reconfigure("newer").unwrap();
    assert_eq!(host.worker(0).roots(), 2);
    host.worker(0).tick();
    assert_eq!(stream_lines(&host), ["done 1", "tick 1", "delete 1", "tick 2"]);
    assert_eq!(host.worker(0).roots(), 1);
}

#[test]
fn shared_data_outlives_a_configuration() {
    let host = Guest::new().builder().configuration("old").start().unwrap();
    host.set_shared_data(b"k", b"v");
    host.reconfigure("newer").unwrap();
    assert_eq!(host.shared_data()[b"k".as_slice()], b"v");
}
