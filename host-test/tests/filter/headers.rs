//! Where headers repeat what the body says (revision 2026-07-28), they must agree with it.

use serde_json::{Value, json};

use crate::lab::{Lab, Request, assert_forwarded, in_both_modes, is_forwarded, message};

const VERSION: &str = "2026-07-28";

fn allow_all() -> Value {
    json!({"version": "1", "default": "allow"})
}

/// A call of the tool `a` as this revision wants it.
fn body() -> String {
    let meta =
        json!({"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}});
    crate::lab::request("tools/call", &json!({"name": "a", "arguments": {}, "_meta": meta}))
}

fn agreeing() -> Request {
    Request::post().set("mcp-protocol-version", VERSION).set("mcp-method", "tools/call").set("mcp-name", "a")
}

/// Refused with 400 and -32020, in both modes.
fn assert_mismatch(request: &Request, body: &str) {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        let stream = request.send(&lab.worker(0), body);
        assert!(!is_forwarded(&stream), "forwarded: {request:?}");
        lab.assert_nothing_forwarded(&stream);
        assert_eq!(stream.received().status(), Some(400));
        assert_eq!(message(&stream)["error"]["code"], -32020, "{}", stream.received().text());
    });
}

#[test]
fn headers_that_agree_with_the_body_pass() {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        for request in [agreeing(), agreeing().set("mcp-name", " a "), agreeing().set("mcp-name", "=?base64?YQ==?=")] {
            assert_forwarded(&request.send(&lab.worker(0), body()), body());
        }
    });
}

#[test]
fn a_name_that_differs_is_a_mismatch() {
    for name in ["b", "A", "a b", "=?base64?Yg==?=", "=?base64?%%?="] {
        assert_mismatch(&agreeing().set("mcp-name", name), &body());
    }
}

#[test]
fn a_method_that_differs_is_a_mismatch() {
    assert_mismatch(&agreeing().set("mcp-method", "tools/list"), &body());
}

#[test]
fn a_version_that_differs_is_a_mismatch() {
    assert_mismatch(&agreeing().set("mcp-protocol-version", "2025-06-18"), &body());
}

#[test]
fn a_header_that_the_revision_wants_and_is_missing_is_a_mismatch() {
    assert_mismatch(&agreeing().without("mcp-name"), &body());
    assert_mismatch(&agreeing().without("mcp-method"), &body());
}

#[test]
fn mcp_headers_that_stand_twice_are_refused() {
    let lab = Lab::new(&allow_all());
    for (name, value) in
        [("mcp-name", "b"), ("mcp-method", "tools/list"), ("mcp-protocol-version", "2025-06-18"), ("mcp-name", "a")]
    {
        let stream = agreeing().add(name, value).send(&lab.worker(0), body());
        assert!(!is_forwarded(&stream), "forwarded: {name} twice");
        lab.assert_nothing_forwarded(&stream);
        assert_eq!(stream.received().status(), Some(400));
    }
}

#[test]
fn headers_alone_prove_nothing() {
    // An older client may send what it likes: the body is what is judged.
    let policy = json!({"version": "1", "default": "deny", "tools": {"harmless": {}}});
    let lab = Lab::new(&policy);
    let request = Request::post().set("mcp-method", "tools/call").set("mcp-name", "harmless");
    let stream = request.send(&lab.worker(0), crate::lab::call("dangerous", &json!({})));
    lab.assert_nothing_forwarded(&stream);
}
