//! Properties.

use host_test::Value;

use crate::guest::{Guest, POST, noted};

fn read(guest: &mut Guest, label: &str, path: &[&str]) -> String {
    let (label, path) = (guest.text(label), guest.text(path.join("\0")));
    format!("(call $note_result {label} (call $get_property {path} (i32.const 960) (i32.const 964)))")
}

#[test]
fn a_test_sets_properties_before_the_headers() {
    let mut guest = Guest::new();
    let claim = ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", "jwt", "sub"];
    let steps = [
        read(&mut guest, "address", &["source", "address"]),
        read(&mut guest, "claim", &claim),
        read(&mut guest, "absent", &["source", "port"]),
        read(&mut guest, "name", &["plugin_name"]),
        read(&mut guest, "root", &["plugin_root_id"]),
    ];
    guest.on("request_headers", steps.concat() + "(i32.const 0)");
    let host = guest.builder().plugin_name("policy").root_id("mcp").start().unwrap();
    let stream = host.worker(0).stream().property(&["source", "address"], b"10.0.0.1:1234");
    stream.property(&claim[..4], Value::from([("sub", "alice")])).request_headers(POST);
    assert_eq!(noted(&host, "address"), ["0", "10.0.0.1:1234"]);
    assert_eq!(noted(&host, "claim"), ["0", "alice"]);
    assert_eq!(noted(&host, "absent"), ["1"]);
    assert_eq!(
        (noted(&host, "name"), noted(&host, "root")),
        (vec!["0".into(), "policy".into()], vec!["0".to_owned(), "mcp".into()])
    );
}

#[test]
fn what_comes_from_headers_is_gone_with_them() {
    let mut guest = Guest::new();
    let then = read(&mut guest, "then", &["request", "url_path"])
        + &read(&mut guest, "header", &["request", "headers", "x-one"]);
    let later = read(&mut guest, "later", &["request", "path"]);
    guest.on("request_headers", then + "(i32.const 0)").on("request_body", later + "(i32.const 0)");
    let host = guest.host();
    host.worker(0).request(&[(":path", "/mcp?x=1"), ("x-one", "1")]).request_body("x", true);
    assert_eq!(
        (noted(&host, "then"), noted(&host, "header")),
        (vec!["0".into(), "/mcp".into()], vec!["0".to_owned(), "1".into()])
    );
    assert_eq!(noted(&host, "later"), ["1"]);
}

#[test]
fn what_the_filter_sets_is_filter_state_under_its_one_name() {
    let mut guest = Guest::new();
    let (name, value) = (guest.text("decision"), guest.text("deny"));
    let steps = format!("(drop (call $set_property {name} {value}))") + &read(&mut guest, "back", &["decision"]);
    let host = guest.on("request_headers", steps + "(i32.const 0)").host();
    let stream = host.worker(0).request(POST);
    assert_eq!(noted(&host, "back"), ["0", "deny"]);
    assert_eq!(stream.filter_state("decision").as_deref(), Some(b"deny".as_slice()));
}

#[test]
fn a_root_context_has_no_stream_to_set_properties_on() {
    let mut guest = Guest::new();
    let (label, name) = (guest.text("set"), guest.text("x"));
    guest.on("configure", format!("(call $note {label} (call $set_property {name} {name})) (i32.const 1)"));
    assert_eq!(noted(&guest.host(), "set"), ["1", "1", "1"]);
}
