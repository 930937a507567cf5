//! Several workers, on several threads.

use std::thread;

use host_test::Host;

use crate::guest::{Guest, POST, lines};

/// Adds one to the four bytes under `n`, by compare-and-swap until it succeeds.
fn counting_guest() -> Guest {
    let mut guest = Guest::new();
    let key = guest.text("n");
    guest.on(
        "request_headers",
        format!(
            "(loop $again
               (if (call $get_shared_data {key} (i32.const 960) (i32.const 964) (i32.const 968))
                 (then (i32.store (i32.const 972) (i32.const 0)) (i32.store (i32.const 968) (i32.const -1)))
                 (else (i32.store (i32.const 972) (i32.load (i32.load (i32.const 960))))))
               (i32.store (i32.const 972) (i32.add (i32.load (i32.const 972)) (i32.const 1)))
               (br_if $again (call $set_shared_data {key} (i32.const 972) (i32.const 4) (i32.load (i32.const 968)))))
             (i32.const 0)"
        ),
    );
    guest
}

fn count(host: &Host) -> u32 {
    u32::from_le_bytes(host.shared_data()[b"n".as_slice()].as_slice().try_into().unwrap())
}

#[test]
fn eight_machines_on_eight_threads_lose_no_count() {
    let host = counting_guest().builder().workers(8).start().unwrap();
    thread::scope(|scope| {
        for worker in host.workers() {
            scope.spawn(move || {
                for _ in 0..200 {
                    worker.request_without_body(POST);
                }
            });
        }
    });
    assert_eq!(count(&host), 1600);
}

#[test]
fn streams_can_move_between_threads() {
    let host = counting_guest().host();
    let mut stream = host.worker(0).request(POST);
    thread::spawn(move || stream.request_body("x", true).forwarded()).join().unwrap();
    assert_eq!(count(&host), 1);
}

#[test]
fn each_worker_has_its_own_machine_the_main_thread_too_and_the_canary_one_more() {
    let mut guest = Guest::new();
    let label = guest.text("seen");
    guest.field("(global $seen (mut i32) (i32.const 0))");
    let step = format!(
        "(global.set $seen (i32.add (global.get $seen) (i32.const 1))) (call $note {label} (global.get $seen)) (i32.const 0)"
    );
    let host = guest.on("request_headers", step).builder().workers(2).start().unwrap();
    for worker in [0, 0, 1] {
        host.worker(worker).request(POST);
    }
    assert_eq!(crate::guest::noted(&host, "seen"), ["1", "2", "1"]);
    assert_eq!(lines(&host).iter().filter(|line| line.starts_with("configure")).count(), 4);
}
