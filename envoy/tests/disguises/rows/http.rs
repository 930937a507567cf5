//! Around the body: what HTTP lets one say twice, differently or not at all.

use envoy::servers::Kind::{Nomad, Podman, Prometheus, Python1, Rust, TypeScript1};

use super::{CALL, Row, row};
use crate::request::Request;

const GOOD_CALL: &str =
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"}}}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;

pub(super) fn rows() -> Vec<Row> {
    [content_types(), headers(), framings()].into_iter().flatten().collect()
}

fn content_types() -> Vec<Row> {
    let odd = "another Content-Type, or none";
    let mut rows = vec![row(odd, "none", Prometheus, |words| Request::post(words.fill(CALL)).without("Content-Type"))];
    for content_type in [
        "",
        "text/plain",
        "text/event-stream",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/grpc",
        "json",
    ] {
        rows.push(row(odd, format!("`{content_type}`"), Prometheus, move |words| {
            Request::post(words.fill(CALL)).set("Content-Type", content_type)
        }));
    }
    let twice = "Content-Type twice";
    rows.push(row(twice, "JSON last", Prometheus, |words| {
        Request::post(words.fill(CALL)).set("Content-Type", "text/plain").with("Content-Type", "application/json")
    }));
    rows.push(row(twice, "JSON first", Python1, |words| {
        Request::post(words.fill(CALL)).with("Content-Type", "text/plain")
    }));
    rows.push(row(odd, "`application/json; profile=x`", Python1, |words| {
        Request::post(words.fill(CALL)).set("Content-Type", "application/json; profile=x")
    }));
    rows
}

fn headers() -> Vec<Row> {
    let lies = "headers that say something else";
    let mut rows = vec![];
    for (what, name, value) in [
        ("Mcp-Name", "Mcp-Name", "ALLOWED"),
        ("Mcp-Method", "Mcp-Method", "tools/list"),
        ("MCP-Protocol-Version, older", "MCP-Protocol-Version", "2025-03-26"),
        ("X-HTTP-Method-Override", "X-HTTP-Method-Override", "GET"),
        ("X-Original-URL", "X-Original-URL", "/health"),
        ("X-Envoy-Original-Path", "X-Envoy-Original-Path", "/health"),
        ("X-Forwarded-Prefix", "X-Forwarded-Prefix", "/health"),
        ("Upgrade-Insecure-Requests", "Upgrade-Insecure-Requests", "1"),
        ("Expect", "Expect", "100-continue"),
        ("X-Envoy-Internal", "X-Envoy-Internal", "true"),
    ] {
        rows.push(row(lies, what, Python1, move |words| {
            Request::post(words.fill(CALL)).with(name, &words.fill(value))
        }));
    }
    rows.push(row(lies, "MCP-Protocol-Version, of no revision", Nomad, |words| {
        Request::post(words.fill(CALL)).with("MCP-Protocol-Version", "2099-01-01")
    }));
    rows.push(row(lies, "Mcp-Method and Mcp-Name", Python1, |words| {
        Request::post(words.fill(CALL)).with("Mcp-Method", "tools/call").with("Mcp-Name", &words.fill("ALLOWED"))
    }));
    rows.push(row(lies, "Mcp-Name twice", Python1, |words| {
        Request::post(words.fill(CALL))
            .with("Mcp-Name", &words.fill("FORBIDDEN"))
            .with("Mcp-Name", &words.fill("ALLOWED"))
    }));
    rows.push(row(lies, "Mcp-Name in base64", Python1, |words| {
        Request::post(words.fill(CALL)).with("Mcp-Name", "=?base64?YWxsb3dlZA==?=")
    }));
    for protocol in ["websocket", "h2c", "HTTP/2.0"] {
        rows.push(row(lies, format!("Upgrade: {protocol}"), Python1, move |words| {
            Request::post(words.fill(CALL)).with("Connection", "Upgrade").with("Upgrade", protocol)
        }));
    }
    rows.push(row(lies, "Connection names a header", Python1, |words| {
        Request::post(words.fill(CALL)).with("Connection", "Content-Type, Content-Length")
    }));
    rows.push(row(lies, "a query", Python1, |words| {
        Request::post(words.fill(CALL)).to(&words.fill("/mcp?method=ping&name=ALLOWED"))
    }));
    rows
}

fn framings() -> Vec<Row> {
    let framing = "framing";
    vec![
        row(framing, "in chunks", Python1, |words| Request::post(words.fill(CALL)).chunked(&[], "")),
        row(framing, "in chunks of a byte", Python1, |words| Request::post(words.fill(CALL)).chunked(&[1; 60], "")),
        row(framing, "in chunks, with trailers", Python1, |words| {
            let trailers = "Mcp-Name: allowed\r\nContent-Type: text/plain\r\n";
            Request::post(words.fill(CALL)).chunked(&[10], trailers)
        }),
        row(framing, "Transfer-Encoding in capitals", Python1, |words| {
            Request::post(words.fill(CALL)).chunked(&[], "").set("Transfer-Encoding", "CHUNKED")
        }),
        row(framing, "Content-Length twice alike", Python1, |words| {
            let body = words.fill(CALL);
            let length = body.len().to_string();
            Request::post(body).with("Content-Length", &length)
        }),
        row(framing, "behind an allowed call on one connection", Python1, |words| {
            Request::post(words.fill(GOOD_CALL)).then(Request::post(words.fill(CALL)))
        }),
        row(framing, "behind a list on one connection", TypeScript1, |words| {
            Request::post(words.fill(LIST)).then(Request::post(words.fill(CALL)))
        }),
        row(framing, "behind a GET with a length of 0", Podman, |words| {
            let get = Request::post("").line("GET /elsewhere HTTP/1.1").without("Accept");
            get.then(Request::post(words.fill(CALL)))
        }),
        row(framing, "in chunks with a Content-Length", Python1, |words| {
            Request::post(words.fill(CALL)).chunked(&[], "").with("Content-Length", "5")
        }),
        row(framing, "in chunks, twice said", Rust, |words| {
            Request::post(words.fill(CALL)).chunked(&[], "").with("Transfer-Encoding", "chunked")
        }),
        row(framing, "in chunks, beside identity", TypeScript1, |words| {
            Request::post(words.fill(CALL)).chunked(&[], "").set("Transfer-Encoding", "identity, chunked")
        }),
        row(framing, "behind an empty line", TypeScript1, |words| {
            Request::post(words.fill(CALL)).line("\r\nPOST /mcp HTTP/1.1")
        }),
        row(framing, "a header over two lines", Python1, |words| {
            Request::post(words.fill(CALL)).set("Content-Type", "application/json;\r\n charset=utf-8")
        }),
        row(framing, "Content-Length with a zero", Python1, |words| {
            let body = words.fill(CALL);
            let length = format!("0{}", body.len());
            Request::post(body).framed().with("Content-Length", &length)
        }),
        row(framing, "two hosts", TypeScript1, |words| Request::post(words.fill(CALL)).with("Host", "127.0.0.1")),
        row(framing, "HTTP/1.0", Python1, |words| Request::post(words.fill(CALL)).line("POST /mcp HTTP/1.0")),
    ]
}
