//! Clocks and ticks.

use std::time::Duration;

use host_test::START_WALL_CLOCK;

use crate::guest::{Guest, POST, noted, stream_lines};

/// Notes the seconds of both clocks: the wall clock's twice, as the proxy function and WASI give it.
fn clock_guest() -> Guest {
    let mut guest = Guest::new();
    guest
        .field("(import \"wasi_snapshot_preview1\" \"clock_time_get\" (func $clock (param i32 i64 i32) (result i32)))");
    let seconds = "(i32.wrap_i64 (i64.div_u (i64.load (i32.const 968)) (i64.const 1000000000)))";
    let (wall, wasi, monotonic, other) =
        (guest.text("wall"), guest.text("wasi"), guest.text("monotonic"), guest.text("other"));
    guest.on(
        "request_headers",
        format!(
            "(drop (call $get_current_time_nanoseconds (i32.const 968))) (call $note {wall} {seconds})
             (drop (call $clock (i32.const 0) (i64.const 0) (i32.const 968))) (call $note {wasi} {seconds})
             (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 968))) (call $note {monotonic} {seconds})
             (call $note {other} (call $clock (i32.const 2) (i64.const 0) (i32.const 968)))
             (i32.const 0)"
        ),
    );
    guest
}

#[test]
fn each_clock_moves_only_when_the_test_moves_it() {
    let host = clock_guest().builder().workers(2).start().unwrap();
    host.worker(0).request(POST);
    host.advance(Duration::from_secs(5));
    host.worker(1).request(POST);
    host.advance_monotonic(Duration::from_secs(7));
    host.turn_wall_clock_back(Duration::from_secs(100));
    host.worker(0).request(POST);
    host.set_wall_clock(42_000_000_000);
    host.worker(0).request(POST);
    let start = START_WALL_CLOCK / 1_000_000_000;
    let wall: Vec<String> = [start, start + 5, start - 95, 42].iter().map(ToString::to_string).collect();
    assert_eq!((noted(&host, "wall"), noted(&host, "wasi")), (wall.clone(), wall));
    let monotonic: Vec<u64> = noted(&host, "monotonic").iter().map(|text| text.parse().unwrap()).collect();
    let passed: Vec<u64> = monotonic.iter().map(|seconds| seconds - monotonic[0]).collect();
    assert_eq!(passed, [0, 5, 12, 12]);
    assert_eq!(noted(&host, "other")[0], "58");
}

#[test]
fn ticks_come_when_the_test_says_so_and_only_to_roots_that_asked() {
    let mut guest = Guest::new();
    let host = guest.host();
    host.worker(0).tick();
    assert!(stream_lines(&host).is_empty());
    assert_eq!(host.worker(0).tick_period(), None);

    guest.on("configure", "(drop (call $set_tick_period_milliseconds (i32.const 250))) (i32.const 1)");
    let host = guest.builder().workers(2).start().unwrap();
    host.worker(1).tick();
    host.main_thread().tick();
    assert_eq!(stream_lines(&host), ["tick 1", "tick 1"]);
    assert_eq!(host.worker(0).tick_period(), Some(250));
}
