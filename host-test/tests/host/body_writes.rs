//! Reading and writing bodies.

use crate::guest::{Guest, POST, noted};

fn written(start: u32, length: u32, data: &str) -> (String, String) {
    let mut guest = Guest::new();
    let (label, data) = (guest.text("write"), guest.text(data));
    guest.on(
        "request_body",
        format!(
            "(call $note {label} (call $set_buffer_bytes (i32.const 0) (i32.const {start}) (i32.const {length}) {data})) (i32.const 0)"
        ),
    );
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abcd", true);
    (noted(&host, "write")[0].clone(), stream.forwarded().text())
}

#[test]
fn a_body_can_be_written_in_front_instead_and_behind_and_no_other_way() {
    let ok = |text: &str| ("0".to_owned(), text.to_owned());
    let refused = ("2".to_owned(), "abcd".to_owned());
    assert_eq!(written(0, 0, "new"), ok("newabcd"));
    assert_eq!(written(0, 4, "new"), ok("new"));
    assert_eq!(written(0, u32::MAX, "new"), ok("new"));
    assert_eq!(written(0, 4, ""), ok(""));
    assert_eq!(written(4, 0, "new"), ok("abcdnew"));
    assert_eq!(written(9, 9, "new"), ok("abcdnew"));
    assert_eq!(written(0, 3, "new"), refused);
    assert_eq!(written(1, 3, "new"), refused);
    assert_eq!(written(3, 0, "new"), refused);
}

fn read(buffer: u32, start: u32, length: u32) -> Vec<String> {
    let mut guest = Guest::new();
    let label = guest.text("read");
    guest.on(
        "request_body",
        format!(
            "(call $note_result {label} (call $get_buffer_bytes (i32.const {buffer}) (i32.const {start}) (i32.const {length})
               (i32.const 960) (i32.const 964))) (i32.const 0)"
        ),
    );
    let host = guest.host();
    host.worker(0).request(POST).request_body("abcd", true);
    noted(&host, "read")
}

#[test]
fn a_read_beyond_the_end_gives_ok_and_what_there_is() {
    assert_eq!(read(0, 1, 2), ["0", "bc"]);
    assert_eq!(read(0, 2, u32::MAX), ["0", "cd"]);
    assert_eq!(read(0, 4, 1), ["0", ""]);
    assert_eq!(read(0, 99, 1), ["0", ""]);
    assert_eq!(read(0, 0, 0), ["0", ""]);
}

#[test]
fn the_other_body_is_empty_the_configuration_not_found_and_a_wrong_number_bad() {
    assert_eq!(read(1, 0, 9), ["0", ""]);
    assert_eq!(read(7, 0, 9), ["1"]);
    assert_eq!(read(4, 0, 9), ["1"]);
    assert_eq!(read(9, 0, 9), ["2"]);
}

#[test]
fn a_held_body_is_written_as_a_whole() {
    let mut guest = Guest::new();
    let data = guest.text("new");
    guest.on(
        "request_body",
        format!(
            "(if (local.get $c) (then (drop (call $set_buffer_bytes (i32.const 0) (i32.const 0) (local.get $b) {data}))))
             (i32.eqz (local.get $c))"
        ),
    );
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_body("abc", false).request_body("def", true);
    assert_eq!(stream.forwarded().text(), "new");
}

#[test]
fn a_body_cannot_be_written_outside_its_phase() {
    let mut guest = Guest::new();
    let (label, data) = (guest.text("write"), guest.text("new"));
    let write = format!(
        "(call $note {label} (call $set_buffer_bytes (i32.const 0) (i32.const 0) (i32.const 0) {data})) (i32.const 0)"
    );
    guest.on("request_headers", write);
    let host = guest.host();
    host.worker(0).request_without_body(POST);
    assert_eq!(noted(&host, "write"), ["2"]);
}
