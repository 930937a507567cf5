//! Metrics.

use crate::guest::{Guest, POST, noted};

/// Defines a metric and keeps its id at an address.
fn define(guest: &mut Guest, kind: u32, name: &str, at: u32) -> String {
    let (status, name) = (guest.text("define"), guest.text(name));
    format!("(call $note {status} (call $define_metric (i32.const {kind}) {name} (i32.const {at})))")
}

#[test]
fn counters_grow_gauges_move_and_histograms_take_samples() {
    let mut guest = Guest::new();
    let status = guest.text("status");
    let defined = [
        define(&mut guest, 0, "calls", 700),
        define(&mut guest, 0, "calls", 704),
        define(&mut guest, 1, "open", 708),
        define(&mut guest, 2, "size", 712),
        define(&mut guest, 3, "none", 716),
    ];
    guest.on("configure", defined.concat() + "(i32.const 1)");
    let calls = [
        "(call $increment_metric (i32.load (i32.const 700)) (i64.const 2))",
        "(call $increment_metric (i32.load (i32.const 704)) (i64.const 1))",
        // A counter is not incremented by nothing, nor by less.
        "(call $increment_metric (i32.load (i32.const 700)) (i64.const 0))",
        "(call $increment_metric (i32.load (i32.const 700)) (i64.const -1))",
        "(call $increment_metric (i32.load (i32.const 708)) (i64.const 5))",
        "(call $increment_metric (i32.load (i32.const 708)) (i64.const -2))",
        "(call $record_metric (i32.load (i32.const 712)) (i64.const 7))",
        "(call $increment_metric (i32.load (i32.const 712)) (i64.const 7))",
        "(call $get_metric (i32.load (i32.const 712)) (i32.const 968))",
        "(call $increment_metric (i32.const 400) (i64.const 1))",
        "(call $get_metric (i32.load (i32.const 704)) (i32.const 968))",
    ];
    let steps: String = calls.iter().map(|call| format!("(call $note {status} {call})")).collect();
    let value = guest.text("value");
    guest.on("request_headers", format!("{steps} (call $note {value} (i32.load (i32.const 968))) (i32.const 0)"));
    let host = guest.builder().workers(2).start().unwrap();
    host.worker(0).request(POST);
    assert_eq!(noted(&host, "define")[..5], ["0", "0", "0", "0", "2"]);
    assert_eq!(noted(&host, "status"), ["0", "0", "2", "2", "0", "0", "0", "2", "2", "1", "0"]);
    // All workers and both ids of one name count into one statistic.
    host.worker(1).request(POST);
    assert_eq!(noted(&host, "value"), ["3", "6"]);
    assert_eq!(host.metrics(), [("calls".to_owned(), 6), ("open".to_owned(), 6)].into());
    assert_eq!(host.histograms()["size"], [7, 7]);
}
