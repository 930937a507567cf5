//! Which header maps can be read and changed, and when.

use crate::guest::{Guest, OK, POST, noted, stream_lines};

/// Reads request header `x-one` (map 0) into the log under `label`.
fn read(guest: &mut Guest, label: &str, map: u32, name: &str) -> String {
    let (label, name) = (guest.text(label), guest.text(name));
    format!(
        "(call $note_result {label} (call $get_header_map_value (i32.const {map}) {name} (i32.const 960) (i32.const 964)))"
    )
}

/// Notes the byte length of a whole map.
fn pairs(guest: &mut Guest, label: &str, map: u32) -> String {
    let (status, length) = (guest.text(format!("{label}-status")), guest.text(label));
    format!(
        "(call $note {status} (call $get_header_map_pairs (i32.const {map}) (i32.const 960) (i32.const 964)))
         (call $note {length} (i32.load (i32.const 964)))"
    )
}

#[test]
fn after_continue_a_header_is_a_bad_argument_and_the_map_is_empty() {
    let mut guest = Guest::new();
    let headers = [read(&mut guest, "then", 0, "x-one"), pairs(&mut guest, "then-map", 0)].concat();
    let body = [read(&mut guest, "later", 0, "x-one"), pairs(&mut guest, "later-map", 0)].concat();
    guest.on("request_headers", headers + "(i32.const 0)").on("request_body", body + "(i32.const 0)");
    let host = guest.host();
    host.worker(0).request(POST).request_body("x", true);
    assert_eq!(noted(&host, "then"), ["0", "1"]);
    assert_eq!(noted(&host, "later"), ["2"]);
    assert_eq!(
        (noted(&host, "then-map-status"), noted(&host, "later-map-status")),
        (vec!["0".into()], vec!["0".into()])
    );
    assert_ne!(noted(&host, "then-map"), ["0"]);
    assert_eq!(noted(&host, "later-map"), ["0"]);
}

#[test]
fn headers_that_wait_can_be_read_and_changed_in_the_body_callback() {
    let mut guest = Guest::new();
    let (name, value) = (guest.text("x-new"), guest.text("2"));
    let read = read(&mut guest, "later", 0, "X-One");
    guest.on("request_headers", "(i32.const 1)").on(
        "request_body",
        format!("{read} (drop (call $add_header_map_value (i32.const 0) {name} {value})) (i32.const 0)"),
    );
    let host = guest.builder().stop_iteration(host_test::HeaderStop::AllowOnHeaders).start().unwrap();
    let mut stream = host.worker(0).request(POST);
    assert_eq!(stream.forwarded().headers, None);
    stream.request_body("x", true);
    assert_eq!(noted(&host, "later"), ["0", "1"]);
    assert_eq!(stream.forwarded().header("x-new"), Some("2"));
}

#[test]
fn the_response_map_is_not_there_in_the_request_nor_the_other_way_round() {
    let mut guest = Guest::new();
    let early = read(&mut guest, "early", 2, ":status");
    let late = read(&mut guest, "late", 0, "x-one") + &read(&mut guest, "status", 2, ":status");
    guest.on("request_headers", early + "(i32.const 0)").on("response_headers", late + "(i32.const 0)");
    let host = guest.host();
    host.worker(0).request_without_body(POST).response_without_body(OK);
    assert_eq!((noted(&host, "early"), noted(&host, "late")), (vec!["2".to_owned()], vec!["2".to_owned()]));
    assert_eq!(noted(&host, "status"), ["0", "200"]);
}

#[test]
fn while_logging_all_headers_can_be_read_and_none_changed() {
    let mut guest = Guest::new();
    let (label, name) = (guest.text("change"), guest.text("x"));
    let log = [
        read(&mut guest, "request", 0, "x-one"),
        read(&mut guest, "response", 2, ":status"),
        read(&mut guest, "trailer", 3, "x-end"),
        read(&mut guest, "absent", 1, "x-end"),
        format!("(call $note {label} (call $add_header_map_value (i32.const 0) {name} {name}))"),
    ];
    guest.on("log", log.concat());
    let host = guest.host();
    let mut stream = host.worker(0).request(POST);
    stream.request_trailers(&[("x-end", "r")]).response_headers(OK).response_trailers(&[("x-end", "e")]);
    assert_eq!(noted(&host, "request"), ["0", "1"]);
    assert_eq!(noted(&host, "response"), ["0", "200"]);
    assert_eq!(noted(&host, "trailer"), ["0", "e"]);
    assert_eq!(noted(&host, "absent"), ["1"]);
    assert_eq!(noted(&host, "change"), ["2"]);
}

#[test]
fn names_are_lower_case_and_a_single_get_gives_the_first_value() {
    let mut guest = Guest::new();
    let steps = read(&mut guest, "two", 0, "X-Two")
        + &read(&mut guest, "none", 0, "x-none")
        + &read(&mut guest, "type", 0, "content-type");
    guest.on("request_headers", steps + "(i32.const 0)");
    let host = guest.host();
    let headers = [(":method", "POST"), ("X-Two", "a"), ("x-two", "b"), ("content-type", "a"), ("Content-Type", "b")];
    let stream = host.worker(0).request(&headers);
    assert_eq!(noted(&host, "two"), ["0", "a"]);
    assert_eq!(noted(&host, "none"), ["1"]);
    // Envoy keeps some names once, and joins their values.
    assert_eq!(noted(&host, "type"), ["0", "a,b"]);
    assert_eq!(stream_lines(&host)[1], "request_headers 2 4 0");
    assert_eq!(stream.forwarded().headers.unwrap().get_all("x-two"), ["a", "b"]);
}

#[test]
fn requests_and_responses_keep_different_names_once() {
    let mut guest = Guest::new();
    let (name, value) = (guest.text("cache-control"), guest.text("c"));
    guest.on(
        "response_headers",
        format!("(drop (call $add_header_map_value (i32.const 2) {name} {value})) (i32.const 0)"),
    );
    let host = guest.host();
    let repeated = [("etag", "a"), ("etag", "b"), ("accept", "a"), ("accept", "b"), ("cache-control", "a")];
    let mut stream = host.worker(0).request_without_body(&repeated);
    stream.response_without_body(&repeated);
    let (request, response) = (stream.forwarded().headers.unwrap(), stream.received().headers.unwrap());
    assert_eq!(
        (request.get_all("etag"), response.get_all("etag")),
        (vec!["a".into(), "b".to_owned()], vec!["a,b".to_owned()])
    );
    assert_eq!(
        (request.get_all("accept"), response.get_all("accept")),
        (vec!["a,b".to_owned()], vec!["a".into(), "b".to_owned()])
    );
    assert_eq!(response.get("cache-control"), Some("a,c"));
}

#[test]
fn replace_leaves_one_value_and_remove_none_and_names_are_made_lower_case() {
    let mut guest = Guest::new();
    let (one, two, new, value) = (guest.text("X-ONE"), guest.text("X-Two"), guest.text("X-New"), guest.text("v"));
    guest.on(
        "request_headers",
        format!(
            "(drop (call $replace_header_map_value (i32.const 0) {two} {value}))
             (drop (call $remove_header_map_value (i32.const 0) {one}))
             (drop (call $add_header_map_value (i32.const 0) {new} {value})) (i32.const 0)"
        ),
    );
    let host = guest.host();
    let stream = host.worker(0).request(&[("x-one", "1"), ("x-two", "a"), ("x-two", "b"), ("x-one", "2")]);
    let headers = stream.forwarded().headers.unwrap();
    let names: Vec<_> = headers.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
    assert_eq!(names, [(b"x-two".to_vec(), b"v".to_vec()), (b"x-new".to_vec(), b"v".to_vec())]);
}

#[test]
fn the_size_of_a_map_is_in_bytes_and_unknown_maps_are_bad_arguments() {
    let mut guest = Guest::new();
    let (size, status) = (guest.text("size"), guest.text("status"));
    let unknown = read(&mut guest, "unknown", 9, "a");
    guest.on(
        "request_headers",
        format!(
            "(call $note {status} (call $get_header_map_size (i32.const 0) (i32.const 960)))
             (call $note {size} (i32.load (i32.const 960))) {unknown} (i32.const 0)"
        ),
    );
    let host = guest.host();
    host.worker(0).request(&[("ab", "cde")]);
    assert_eq!((noted(&host, "status"), noted(&host, "size")), (vec!["0".into()], vec!["5".into()]));
    assert_eq!(noted(&host, "unknown"), ["2"]);
}
