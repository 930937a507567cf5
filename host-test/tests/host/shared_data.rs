//! Shared data and its compare-and-swap.

use crate::guest::{Guest, POST, noted};

/// Sets key `k` to `value` with this number, and notes the status.
fn set(guest: &mut Guest, key: &str, value: &str, cas: &str) -> String {
    let (label, key, value) = (guest.text("set"), guest.text(key), guest.text(value));
    format!("(call $note {label} (call $set_shared_data {key} {value} {cas}))")
}

/// Notes status and value of key `k`, then its number. The number stays at 968.
fn get(guest: &mut Guest, key: &str) -> String {
    let (label, cas, key) = (guest.text("get"), guest.text("cas"), guest.text(key));
    format!(
        "(call $note_result {label} (call $get_shared_data {key} (i32.const 960) (i32.const 964) (i32.const 968)))
         (call $note {cas} (i32.load (i32.const 968)))"
    )
}

const LAST_CAS: &str = "(i32.load (i32.const 968))";

#[test]
fn compare_and_swap_is_exact() {
    let mut guest = Guest::new();
    let steps = [
        get(&mut guest, "k"),
        // A missing key is made whatever the number.
        set(&mut guest, "k", "1", "(i32.const -1)"),
        get(&mut guest, "k"),
        set(&mut guest, "k", "2", LAST_CAS),
        // That number is used up now.
        set(&mut guest, "k", "3", LAST_CAS),
        // A present key is not made again.
        set(&mut guest, "k", "4", "(i32.const -1)"),
        get(&mut guest, "k"),
        // 0 asks no questions.
        set(&mut guest, "k", "5", "(i32.const 0)"),
        set(&mut guest, "other", "", "(i32.const 0)"),
        get(&mut guest, "other"),
    ];
    guest.on("request_headers", steps.concat() + "(i32.const 0)");
    let host = guest.host();
    host.worker(0).request(POST);
    assert_eq!(noted(&host, "set"), ["0", "0", "8", "8", "0", "0"]);
    assert_eq!(noted(&host, "get"), ["1", "0", "1", "0", "2", "0", ""]);
    assert_eq!(noted(&host, "cas"), ["0", "1", "2", "4"]);
    let expected = [(b"k".to_vec(), b"5".to_vec()), (b"other".to_vec(), Vec::new())];
    assert_eq!(host.shared_data(), expected.into());
}

#[test]
fn the_number_belongs_to_the_process_and_steps_over_zero() {
    let mut guest = Guest::new();
    let steps = [set(&mut guest, "k", "1", "(i32.const 0)"), get(&mut guest, "k")];
    guest.on("request_headers", steps.concat() + "(i32.const 0)");
    let host = guest.host();
    host.set_next_cas(u32::MAX);
    let worker = host.worker(0);
    worker.request(POST);
    worker.request(POST);
    assert_eq!(noted(&host, "cas"), ["4294967295", "1"]);
}

#[test]
fn a_host_that_loses_late_writes_says_that_they_are_done() {
    let mut guest = Guest::new();
    let steps = [
        set(&mut guest, "k", "1", "(i32.const -1)"),
        set(&mut guest, "k", "2", "(i32.const -1)"),
        get(&mut guest, "k"),
    ];
    guest.on("request_headers", steps.concat() + "(i32.const 0)");
    let host = guest.builder().lose_late_writes().start().unwrap();
    host.worker(0).request(POST);
    assert_eq!(noted(&host, "set"), ["0", "0"]);
    assert_eq!(noted(&host, "get"), ["0", "1"]);
}

#[test]
fn where_somebody_else_always_comes_before_nothing_is_swapped() {
    let mut guest = Guest::new();
    let steps = [
        get(&mut guest, "k"),
        set(&mut guest, "k", "1", LAST_CAS),
        set(&mut guest, "new", "1", "(i32.const -1)"),
        set(&mut guest, "other", "1", "(i32.const 0)"),
    ];
    let host = guest.on("request_headers", steps.concat() + "(i32.const 0)").host();
    host.set_contended(true);
    host.set_shared_data(b"k", b"0");
    host.worker(0).request(POST);
    assert_eq!(noted(&host, "set"), ["8", "8", "0"]);
    host.set_contended(false);
    host.worker(0).request(POST);
    assert_eq!(noted(&host, "set"), ["8", "8", "0", "0", "0", "0"]);
}

#[test]
fn another_plugin_with_the_same_vm_id_writes_the_same_keys() {
    let mut guest = Guest::new();
    let steps = get(&mut guest, "k");
    let host = guest.on("request_headers", steps + "(i32.const 0)").host();
    host.set_shared_data(b"k", b"foreign");
    host.worker(0).request(POST);
    assert_eq!(noted(&host, "get"), ["0", "foreign"]);
}

#[test]
fn queues_are_not_there() {
    let mut guest = Guest::new();
    let (label, name) = (guest.text("queue"), guest.text("q"));
    let steps = format!("(call $note {label} (call $register_shared_queue {name} (i32.const 960))) (i32.const 0)");
    let host = guest.on("request_headers", steps).host();
    host.worker(0).request(POST);
    assert_eq!(noted(&host, "queue"), ["12"]);
}
