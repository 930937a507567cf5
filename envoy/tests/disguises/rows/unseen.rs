//! What no server that can be had here runs. It is refused all the same, and a server that begins to run one of these
//! fails the test, so that the disguise gets its control.

use super::{CALL, Row};
use crate::{request::Request, words::Words};

pub(super) fn rows() -> Vec<Row> {
    let params = r#""params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}"#;
    let call = |from: &str, to: &str| CALL.replacen(from, to, 1);
    let mut rows = vec![];
    for (kind, what, template) in [
        // What JavaScript, JSON5, YAML, lenient parsers and readers of streams take.
        ("not JSON", "a comment", call(r#""method""#, r#"/* */"method""#)),
        ("not JSON", "a line comment", call(r#""method""#, "//\n\"method\"")),
        ("not JSON", "a comma before a brace", call("}}}", "}},}")),
        ("not JSON", "single quotes", CALL.replace('"', "'")),
        ("not JSON", "keys without quotes", call(r#""method""#, "method")),
        ("not JSON", "+1", call(r#""id":1"#, r#""id":+1"#)),
        ("not JSON", "01", call(r#""id":1"#, r#""id":01"#)),
        ("not JSON", "0x1", call(r#""id":1"#, r#""id":0x1"#)),
        ("not JSON", ".5", call("{\"name", "{\"x\":.5,\"name")),
        ("not JSON", "a control character", call("{\"name", "{\"x\":\"\u{1}\",\"name")),
        ("not JSON", "\\x41", call("{\"name", r#"{"x":"\x41","name"#)),
        ("not JSON", "a form feed before it", format!("\u{c}{CALL}")),
        ("not JSON", "a no-break space before it", format!("\u{a0}{CALL}")),
        ("not JSON", "a number before it", format!("1 {CALL}")),
        ("not JSON", "a message before it", format!("{{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}}{CALL}")),
        ("not JSON", "as an event", format!("data: {CALL}\n\n")),
        ("not JSON", "behind RFC 7464's separator", format!("\u{1e}{CALL}\n")),
        ("not JSON", "behind )]}'", format!(")]}}'\n{CALL}")),
        // What JSON-RPC has beside MCP (parameters by position, version 1), and what a server would have to unpack.
        ("other shapes", "as a string", format!("{CALL:?}")),
        ("other shapes", "a batch in a batch", format!("[[{CALL}]]")),
        ("other shapes", "params as a list", call(params, r#""params":["FORBIDDEN",{"WORD":"BAD"}]"#)),
        (
            "other shapes",
            "params as a string",
            call(params, r#""params":"{\"name\":\"FORBIDDEN\",\"arguments\":{\"WORD\":\"BAD\"}}""#),
        ),
        ("other shapes", "the name as a list", call(r#""FORBIDDEN""#, r#"["FORBIDDEN"]"#)),
        ("other shapes", "the method as a list", call(r#""tools/call""#, r#"["tools/call"]"#)),
        ("other shapes", "no jsonrpc", call(r#""jsonrpc":"2.0","#, "")),
        ("other shapes", "jsonrpc 1.0", call("2.0", "1.0")),
        ("other shapes", "jsonrpc as a number", call(r#""2.0""#, "2.0")),
        ("other shapes", "no id", call(r#""id":1,"#, "")),
        ("other shapes", "id null", call(r#""id":1"#, r#""id":null"#)),
        // No SDK folds, trims or cuts names.
        ("other spellings", "the tool in capitals", call("FORBIDDEN", "Forbidden")),
        ("other spellings", "the tool behind a space", call("FORBIDDEN", " FORBIDDEN")),
        ("other spellings", "the tool before NUL", call("FORBIDDEN", r"FORBIDDEN\u0000")),
        ("other spellings", "the method in capitals", call("tools/call", "Tools/Call")),
        ("other spellings", "the method before a space", call("tools/call", "tools/call ")),
        ("other spellings", "the method with another slash", call("tools/call", r"tools\\call")),
        // The Go servers here hold arguments against their schema, or take them as a map. Others read them into a struct.
        (
            "keys in another case",
            "an argument",
            call(
                r#""FORBIDDEN","arguments":{"WORD":"BAD"}"#,
                r#""ALLOWED","arguments":{"WORD":"GOOD","CAPITAL_WORD":"BAD"}"#,
            ),
        ),
        (
            "keys in another case",
            "an argument before it",
            call(
                r#""FORBIDDEN","arguments":{"WORD":"BAD"}"#,
                r#""ALLOWED","arguments":{"CAPITAL_WORD":"BAD","WORD":"GOOD"}"#,
            ),
        ),
        ("other shapes", "the arguments as a string", call(r#"{"WORD":"BAD"}"#, r#""{\"WORD\":\"BAD\"}""#)),
        ("other shapes", "the arguments as a list", call(r#"{"WORD":"BAD"}"#, r#"[{"WORD":"BAD"}]"#)),
        (
            "other shapes",
            "the word as a list",
            call(r#""FORBIDDEN","arguments":{"WORD":"BAD"}"#, r#""ALLOWED","arguments":{"WORD":["BAD"]}"#),
        ),
        (
            "other shapes",
            "the word within a string",
            call(r#""FORBIDDEN","arguments":{"WORD":"BAD"}"#, r#""ALLOWED","arguments":{"WORD":"\"BAD\""}"#),
        ),
        (
            "other shapes",
            "the call within its params",
            call(params, &format!(r#""params":{{"name":"ALLOWED","arguments":{{"WORD":"GOOD"}},{params}}}"#)),
        ),
    ] {
        rows.push(row(kind, what, move |words| Request::post(words.fill(&template))));
    }
    // All HTTP servers here refuse these.
    for (what, name, value) in [
        ("a header before a space", "Content-Type ", "application/json"),
        ("Content-Length with a sign", "Content-Length", "+2"),
        ("Content-Length in hexadecimal", "Content-Length", "0x2"),
        ("another Content-Length", "Content-Length", "2"),
    ] {
        rows.push(row("framing", what, move |words| Request::post(words.fill(CALL)).with(name, value)));
    }
    // All servers here hear calls by POST alone, and none lets a header say otherwise.
    for method in ["PUT", "PATCH", "GET", "DELETE", "QUERY", "post", "POST2"] {
        rows.push(row("other HTTP methods", method, move |words| {
            Request::post(words.fill(CALL)).line(&format!("{method} /mcp HTTP/1.1"))
        }));
        rows.push(row("other HTTP methods, overridden", method, move |words| {
            Request::post(words.fill(CALL))
                .line(&format!("{method} /mcp?_method=POST HTTP/1.1"))
                .with("X-HTTP-Method-Override", "POST")
                .with("X-Method-Override", "POST")
        }));
    }
    rows
}

fn row(kind: &'static str, what: &str, make: impl Fn(&Words) -> Request + Send + Sync + 'static) -> Row {
    Row { kind, what: what.into(), control: None, make: Box::new(make) }
}
