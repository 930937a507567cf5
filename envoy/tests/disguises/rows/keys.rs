//! Which of several keys counts, and what counts as the same key.

use envoy::servers::Kind::{Podman, Prometheus, Python1};

use super::{Row, text};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![];
    let twice = "duplicate keys, the last wins";
    for (what, template) in [
        (
            "method",
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "params",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"}},"params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "params.name",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","name":"FORBIDDEN","arguments":{"WORD":"GOOD"}}}"#,
        ),
        (
            "params.name, far apart",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"},"a":1,"b":2,"c":3,"name":"FORBIDDEN"}}"#,
        ),
        (
            "params.arguments",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"},"arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "an argument",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD","WORD":"BAD"}}}"#,
        ),
        (
            "escaped method",
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"tools/call","params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "escaped params",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED"},"par\u0061ms":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "escaped params.name",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","na\u006de":"FORBIDDEN","arguments":{"WORD":"GOOD"}}}"#,
        ),
        (
            "escaped params.arguments",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"},"argument\u0073":{"WORD":"BAD"}}}"#,
        ),
        (
            "an escaped argument",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD","ESCAPED_WORD":"BAD"}}}"#,
        ),
    ] {
        rows.push(text(twice, what, Python1, template));
    }
    // Keys that come but once: a reader that compares raw bytes, or a search for `"method":"tools/call"`, sees none.
    let escaped = "escapes where a reader expects none";
    for (what, template) in [
        (
            "keys",
            r#"{"jsonrpc":"2.0","id":1,"\u006dethod":"tools/call","\u0070arams":{"\u006eame":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "method",
            r#"{"jsonrpc":"2.0","id":1,"method":"\u0074ools\/call","params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "argument",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"ESCAPED_WORD":"BAD"}}}"#,
        ),
    ] {
        rows.push(text(escaped, what, Python1, template));
    }
    let case = "keys in another case";
    for (what, template) in [
        (
            "Method",
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "METHOD alone",
            r#"{"jsonrpc":"2.0","id":1,"METHOD":"tools/call","params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "Params",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED"},"Params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "Name",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","Name":"FORBIDDEN","arguments":{"WORD":"GOOD"}}}"#,
        ),
        (
            "Arguments",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"},"Arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "all in capitals",
            r#"{"JSONRPC":"2.0","ID":1,"METHOD":"tools/call","PARAMS":{"NAME":"FORBIDDEN","ARGUMENTS":{"WORD":"BAD"}}}"#,
        ),
    ] {
        rows.push(text(case, what, Prometheus, template));
    }
    let long_s = "keys with a long s, U+017F";
    for (what, template) in [
        (
            "j\u{17f}onrpc alone",
            r#"{"j\u017fonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "param\u{17f}, escaped",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED"},"param\u017f":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "param\u{17f}, raw",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED"},"paramſ":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "argument\u{17f}",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"},"argument\u017f":{"WORD":"BAD"}}}"#,
        ),
        (
            "ARGUMENT\u{17f} alone",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","ARGUMENTſ":{"WORD":"BAD"}}}"#,
        ),
    ] {
        rows.push(text(long_s, what, Prometheus, template));
    }
    let nul = "keys with NUL behind them";
    for (what, template) in [
        (
            "method",
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","method\u0000":"tools/call","params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "params",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED"},"params\u0000":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
        (
            "params.name",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","name\u0000":"FORBIDDEN","arguments":{"WORD":"GOOD"}}}"#,
        ),
        (
            "params.name, two of them",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","name\u0000\u0000":"FORBIDDEN","arguments":{"WORD":"GOOD"}}}"#,
        ),
        (
            "params.arguments",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"},"arguments\u0000":{"WORD":"BAD"}}}"#,
        ),
        (
            "method alone",
            r#"{"jsonrpc":"2.0","id":1,"method\u0000":"tools/call","params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#,
        ),
    ] {
        rows.push(text(nul, what, Podman, template));
    }
    rows
}
