//! Other spellings of `/mcp`, while a policy is for `/mcp` and what goes elsewhere passes.

use envoy::servers::Kind::{self, Python1, Rust, TypeScript1};

use super::{CALL, PATHS, Row};
use crate::request::Request;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![];
    for (target, control) in [
        ("/mcp?", Python1),
        ("/mcp?/../x", Python1),
        ("/%6dcp", Python1),
        ("/%6Dcp", Python1),
        ("/%6d%63%70", Python1),
        ("/mc%70?x=1", Python1),
        ("/MCP", TypeScript1),
        ("/Mcp", TypeScript1),
        ("/mcp/", TypeScript1),
        ("/MCP/", TypeScript1),
        ("/mcp/?x", TypeScript1),
        ("/mcp#x", TypeScript1),
        ("http://127.0.0.1/mcp", TypeScript1),
        ("http://127.0.0.1/MCP?x", TypeScript1),
        ("/mcp/.", Rust),
        ("/mcp/x/..", Rust),
    ] {
        rows.push(to(target, Some(control)));
    }
    rows
}

/// Spellings that no server here takes for `/mcp`; some redirect to it.
pub(super) fn unseen() -> Vec<Row> {
    [
        "/mcp;x",
        "/;x/mcp",
        "//mcp",
        "/./mcp",
        "/x/../mcp",
        "/x/%2e%2e/mcp",
        "/x/..%2fmcp",
        "/mcp%2f",
        "/%2fmcp",
        "/mcp%00",
        "/mcp%20",
        "/mcp%3f",
        "/mcp%23",
        "/mcp%5c",
        "/mcp\\",
        "\\mcp",
        "/%256dcp",
        "/mc\u{17f}p",
        "*",
    ]
    .into_iter()
    .map(|target| to(target, None))
    .collect()
}

fn to(target: &'static str, control: Option<Kind>) -> Row {
    Row {
        kind: PATHS,
        what: target.into(),
        control,
        make: Box::new(move |words| Request::post(words.fill(CALL)).to(target)),
    }
}
