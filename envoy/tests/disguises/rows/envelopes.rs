//! What kind of message it is.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use envoy::servers::Kind::{Nomad, Prometheus, Python1, Python2, TypeScript1};

use super::{CALL, Row, row, text};
use crate::request::Request;

const HARMLESS: &str = r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
const GOOD_CALL: &str =
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"}}}"#;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![];
    let batch = "batches";
    let forty: Vec<String> = (100..140).map(|id| GOOD_CALL.replace(r#""id":2"#, &format!(r#""id":{id}"#))).collect();
    for (what, template) in [
        ("of one", format!("[{CALL}]")),
        ("behind white space", format!(" \r\n\t[{CALL}]")),
        ("behind a harmless message", format!("[{HARMLESS},{CALL}]")),
        ("behind an allowed call", format!("[{GOOD_CALL},{CALL}]")),
        ("before an allowed call", format!("[{CALL},{GOOD_CALL}]")),
        ("behind forty allowed calls", format!("[{},{CALL}]", forty.join(","))),
        (
            "behind a notification",
            format!(r#"[{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":9}}}},{CALL}]"#),
        ),
        ("behind an answer", format!(r#"[{{"jsonrpc":"2.0","id":7,"result":{{}}}},{CALL}]"#)),
        ("with the id of an allowed call", format!("[{},{CALL}]", GOOD_CALL.replace(r#""id":2"#, r#""id":1"#))),
    ] {
        rows.push(text(batch, what, TypeScript1, template));
    }
    rows.push(row(batch, "in a revision without them", TypeScript1, |words| {
        Request::post(words.fill(&format!("[{CALL}]"))).with("MCP-Protocol-Version", "2025-11-25")
    }));
    let mixed = "method together with an answer";
    for (what, control, member) in [
        ("result", Python1, r#""result":{}"#),
        ("error", Prometheus, r#""error":{"code":1,"message":"x"}"#),
        ("result and error", Prometheus, r#""result":{},"error":{"code":1,"message":"x"}"#),
        ("result null", Python1, r#""result":null"#),
        ("error null", Python1, r#""error":null"#),
    ] {
        rows.push(text(mixed, what, control, CALL.replacen(r#""id":1"#, &format!(r#""id":1,{member}"#), 1)));
    }
    for (id, control) in [
        ("true", Nomad),
        ("{}", Nomad),
        ("[1]", Nomad),
        ("1.5", Prometheus),
        ("1.0", TypeScript1),
        ("1e2", Prometheus),
        ("9007199254740993", Python1),
        ("-9007199254740993", Python1),
        ("123456789012345678901234567890", Python1),
    ] {
        let template = CALL.replacen(r#""id":1"#, &format!(r#""id":{id}"#), 1);
        rows.push(text("ids that servers read differently", id, control, template));
    }
    let bare = "a call before initialize";
    rows.push(text(bare, "bare", Python1, CALL));
    rows.push(text(bare, "as a task", Python1, CALL.replacen(r#""params":{"#, r#""params":{"task":{"ttl":1000},"#, 1)));
    rows.push(text(
        bare,
        "with a token for progress",
        Python1,
        CALL.replacen(r#""params":{"#, r#""params":{"_meta":{"progressToken":1},"#, 1),
    ));
    rows.push(row(bare, "of 2026-07-28", Python2, |words| Request::modern(words, CALL, "FORBIDDEN")));
    rows.push(row(bare, "of 2026-07-28, named in base64", Python2, |words| {
        Request::modern(words, CALL, &format!("=?base64?{}?=", STANDARD.encode(words.fill("FORBIDDEN"))))
    }));
    rows
}
