//! What some readers take for JSON.

use envoy::servers::Kind::{Podman, Prometheus, Python1, TypeScript1};

use super::{CALL, Row, row, text};
use crate::request::Request;

/// The forbidden call with one more member in its params, whose value this is.
fn beside(value: &str) -> String {
    CALL.replacen(r#""params":{"#, &format!(r#""params":{{"x":{value},"#), 1)
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![];
    let trailing = "something behind the message";
    for (what, tail) in [
        ("letters", "xyz"),
        ("another message", r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#),
        ("another message on a line of its own", "\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}"),
        ("NUL", "\0"),
        ("a comma", ","),
        ("a brace", "}"),
    ] {
        rows.push(text(trailing, what, Podman, format!("{CALL}{tail}")));
    }
    for number in ["NaN", "Infinity", "-Infinity"] {
        rows.push(text("numbers that JSON has not", number, Python1, beside(number)));
    }
    let digits = "9".repeat(400);
    for (what, number) in [("1e400", "1e400"), ("400 digits", &digits)] {
        rows.push(text("numbers beyond a double", what, Python1, beside(number)));
    }
    for (what, bytes) in [
        ("a byte that never occurs", &b"\xff"[..]),
        ("a cut sequence", b"\xe2\x82"),
        ("an overlong slash", b"\xc0\xaf"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("beyond U+10FFFF", b"\xf4\x90\x80\x80"),
    ] {
        rows.push(row("invalid UTF-8", what, TypeScript1, |words| {
            let text = words.fill(&beside(r#""?""#));
            let (before, after) = text.split_once('?').unwrap_or_default();
            Request::post([before.as_bytes(), bytes, after.as_bytes()].concat())
        }));
    }
    for (what, value) in [
        ("the first half", r#""\ud800""#),
        ("the second half", r#""\udc00""#),
        ("two first halves", r#""\ud83d\ud83d""#),
        ("halves the wrong way round", r#""\ude00\ud83d""#),
    ] {
        rows.push(text("lone surrogates", what, TypeScript1, beside(value)));
    }
    for depth in [65, 500, 5000] {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        rows.push(text("deep nesting", format!("{depth} arrays"), Prometheus, beside(&value)));
        let value = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        rows.push(text("deep nesting", format!("{depth} objects"), Prometheus, beside(&value)));
    }
    for megabytes in [2, 3] {
        let value = format!("\"{}\"", "x".repeat(megabytes << 20));
        let what = format!("{megabytes} MiB before the call");
        rows.push(text("large bodies", what, Prometheus, beside(&value)));
    }
    rows
}
