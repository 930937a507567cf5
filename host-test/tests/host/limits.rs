//! What a test bounds that Envoy does not: fuel; and memory, which Envoy bounds at 1 GiB.

use host_test::{Fault, StartCause};

use crate::guest::{Guest, POST, noted};

#[test]
fn a_guest_that_runs_away_traps() {
    let mut guest = Guest::new();
    let host = guest.on("request_headers", "(loop $for_ever (br $for_ever)) (i32.const 0)").builder();
    let host = host.fuel_limit(1_000_000).start().unwrap();
    assert_eq!(host.worker(0).request(POST).received().status(), Some(503));
    let faults = host.take_faults();
    assert!(matches!(&faults[0], Fault::Trap { message, .. } if message.contains("fuel")), "{faults:?}");
}

#[test]
fn memory_beyond_the_limit_is_not_given() {
    let mut guest = Guest::new();
    let label = guest.text("grown");
    let host = guest
        .on("request_headers", format!("(call $note {label} (memory.grow (i32.const 60))) (i32.const 0)"))
        .builder();
    let host = host.memory_limit(64 * 65536).start().unwrap();
    assert_eq!(host.worker(0).memory_bytes(), 4 * 65536);
    let worker = host.worker(0);
    worker.request(POST);
    worker.request(POST);
    assert_eq!(noted(&host, "grown"), ["4", "4294967295"]);
    assert_eq!(worker.memory_bytes(), 64 * 65536);
}

#[test]
fn a_module_that_begins_with_too_much_memory_does_not_start() {
    let error = Guest::new().builder().memory_limit(65536).start().unwrap_err();
    assert!(matches!(error.cause(), StartCause::Link(_)), "{error}");
}

#[test]
fn fuel_says_how_much_work_a_request_is() {
    let host = Guest::new().host();
    let worker = host.worker(0);
    let cost = || {
        let before = worker.fuel_used();
        worker.request(POST);
        worker.fuel_used() - before
    };
    let (first, second) = (cost(), cost());
    assert!(first > 100 && first.abs_diff(second) < 100, "{first} {second}");
}

#[test]
fn a_range_outside_the_memory_is_an_invalid_access() {
    let mut guest = Guest::new();
    let label = guest.text("status");
    let calls = [
        "(call $log (i32.const 2) (i32.const 262140) (i32.const 5))",
        "(call $log (i32.const 2) (i32.const -1) (i32.const 2))",
        "(call $log (i32.const 2) (i32.const 262145) (i32.const 0))",
        "(call $get_current_time_nanoseconds (i32.const 262137))",
        "(call $log (i32.const 6) (i32.const 0) (i32.const 0))",
    ];
    let steps: String = calls.iter().map(|call| format!("(call $note {label} {call})")).collect();
    let host = guest.on("request_headers", steps + "(i32.const 0)").host();
    host.worker(0).request(POST);
    assert_eq!(noted(&host, "status"), ["6", "6", "6", "6", "2"]);
}

#[test]
fn an_allocator_that_gives_nothing_is_an_invalid_access_and_one_that_traps_fails_the_machine() {
    let read = |guest: &mut Guest| {
        let (label, name) = (guest.text("status"), guest.text(":method"));
        format!(
            "(call $note {label} (call $get_header_map_value (i32.const 0) {name} (i32.const 960) (i32.const 964))) (i32.const 0)"
        )
    };
    let mut guest = Guest::new();
    let steps = read(&mut guest);
    guest.field("(func (export \"malloc\") (param i32) (result i32) (i32.const 0))");
    let host = guest.on("request_headers", steps).host();
    host.worker(0).request(POST);
    assert_eq!(noted(&host, "status"), ["6"]);

    let mut guest = Guest::new();
    let steps = read(&mut guest);
    guest.field("(func (export \"malloc\") (param i32) (result i32) (unreachable))");
    let host = guest.on("request_headers", steps).host();
    assert_eq!(host.worker(0).request(POST).received().status(), Some(503));
    assert_eq!(host.take_faults().len(), 1);
}
