//! The spellings of a call that are fine.

use crate::{request::Request, words::Words};

const CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"}}}"#;

type Make = Box<dyn Fn(&Words) -> Request + Send + Sync>;

/// A way to make an allowed call.
pub(crate) struct Spelling {
    pub(crate) what: String,
    /// How many calls it makes.
    pub(crate) calls: usize,
    pub(crate) make: Make,
}

/// Every spelling that is fine.
pub(crate) fn spellings() -> Vec<Spelling> {
    let mut all = vec![];
    let mut several = |calls, what: &str, make: Make| all.push(Spelling { what: what.to_owned(), calls, make });
    several(2, "a batch", text(format!("[{CALL},{}]", CALL.replacen(r#""id":1"#, r#""id":2"#, 1))));
    several(1, "a batch with a ping", text(format!(r#"[{{"jsonrpc":"2.0","id":2,"method":"ping"}},{CALL}]"#)));
    several(
        2,
        "two calls on one connection",
        Box::new(|words| Request::post(words.fill(CALL)).then(Request::post(words.fill(CALL)))),
    );
    let mut add = |what: &str, make: Make| several(1, what, make);
    add("plain", text(CALL.into()));
    for (what, template) in [
        ("white space around it", format!("\r\n\t {CALL}\n")),
        ("white space within", CALL.replace(':', " :\t").replace(',', "\r\n,\n")),
        ("an escaped solidus", CALL.replace('/', r"\/")),
        (
            "other order",
            r#"{"params":{"arguments":{"WORD":"GOOD"},"name":"ALLOWED"},"method":"tools/call","id":1,"jsonrpc":"2.0"}"#
                .into(),
        ),
        ("escaped letters", CALL.replace("tools", r"t\u006f\u006Fls").replace("params", r"p\u0061rams")),
        ("id as text", CALL.replace(r#""id":1"#, r#""id":"a-1""#)),
        ("id in Unicode", CALL.replace(r#""id":1"#, "\"id\":\"größe \u{1f600} \\ud83d\\ude00 \\u0000\"")),
        ("negative id", CALL.replace(r#""id":1"#, r#""id":-7"#)),
        ("id 0", CALL.replace(r#""id":1"#, r#""id":0"#)),
        ("the largest id", CALL.replace(r#""id":1"#, r#""id":9007199254740991"#)),
        (
            "_meta with a token",
            CALL.replace(r#""params":{"#, r#""params":{"_meta":{"progressToken":"t","x.y/z":null},"#),
        ),
        (
            "members of one's own",
            CALL.replace(r#""params":{"#, r#""params":{"cursor":null,"extra":[1.5e3,-0,true,{"a":{}}],"#),
        ),
        ("a member of the envelope", CALL.replace(r#""id":1"#, r#""id":1,"trace":{"id":"x"}"#)),
        ("a large member", CALL.replace(r#""id":1"#, &format!(r#""id":1,"x":"{}""#, "x".repeat(60_000)))),
        ("sixty levels", CALL.replace(r#""id":1"#, &format!(r#""id":1,"x":{}{}"#, "[".repeat(60), "]".repeat(60)))),
    ] {
        add(what, text(template));
    }
    for (name, value) in [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Content-Type", "application/json;charset=UTF-8"),
        ("Content-Type", "application/json; charset=\"Utf-8\""),
        ("Content-Type", "Application/JSON"),
        ("content-type", "application/json"),
        ("Accept", "application/json,text/event-stream"),
        ("Accept", "text/event-stream, application/json"),
        ("Accept", "application/json;q=0.9, text/event-stream;q=0.8, */*;q=0.1"),
        ("Content-Encoding", "identity"),
        ("Content-Encoding", "Identity"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("MCP-Protocol-Version", "2025-03-26"),
        ("MCP-Protocol-Version", "2025-06-18"),
        ("Mcp-Name", "ALLOWED"),
        ("Mcp-Method", "tools/call"),
        ("Expect", "100-continue"),
        ("User-Agent", "Größe/1.0"),
        ("Authorization", "Bearer abc"),
        ("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ] {
        add(&format!("{name}: {value}"), header(name, value));
    }
    add("of 2026-07-28", Box::new(|words| Request::modern(words, CALL, "ALLOWED")));
    add("a query", Box::new(|words| Request::post(words.fill(CALL)).to("/mcp?token=x&y=%2F")));
    add("in chunks", Box::new(|words| Request::post(words.fill(CALL)).chunked(&[1, 7, 30], "")));
    all
}

fn text(template: String) -> Make {
    Box::new(move |words| Request::post(words.fill(&template)))
}

fn header(name: &'static str, value: &'static str) -> Make {
    Box::new(move |words| Request::post(words.fill(CALL)).set(name, &words.fill(value)))
}
