//! Requests of every kind: methods, headers, ids and bodies, right and wrong.

use std::fmt;

use host_test::{Host, Stream};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::edits::{edit, edited};
use crate::lab::Request;

/// A request as a client might send it.
#[derive(Clone)]
pub(crate) struct Sent {
    pub(crate) method: &'static str,
    pub(crate) headers: Vec<Header>,
    body: Vec<u8>,
    cut: Index,
    ends: End,
}

/// How the end of a request shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    /// With the headers, whatever the body would have been.
    Headers,
    LastPiece,
    EmptyPiece,
    Trailers,
}

pub(crate) const METHODS: [&str; 26] = [
    "tools/call",
    "tools/call",
    "tools/call",
    "tools/call",
    "tools/list",
    "resources/read",
    "resources/list",
    "resources/subscribe",
    "prompts/get",
    "prompts/list",
    "completion/complete",
    "initialize",
    "ping",
    "logging/setLevel",
    "tasks/get",
    "tasks/result",
    "tasks/cancel",
    "server/discover",
    "subscriptions/listen",
    "sampling/createMessage",
    "elicitation/create",
    "roots/list",
    "notifications/initialized",
    "notifications/cancelled",
    "x/own",
    "",
];

/// Ids of requests, and what some take for one; the empty text stands for none.
pub(crate) const IDS: [&str; 16] = [
    "1",
    "0",
    "-7",
    "9007199254740991",
    r#""a""#,
    r#""""#,
    r#""\u0000\"\\ü\ud83d\ude00\u2028""#,
    r#""</script>\r\n\r\ndata: x""#,
    "",
    "",
    "null",
    "1.5",
    "true",
    "{}",
    "9007199254740993",
    "1e3",
];

const PARAMS: [&str; 22] = [
    r#"{"name":"get_run"}"#,
    r#"{"name":"get_run","arguments":{"a":[1,{"b":"é"}]}}"#,
    r#"{"name":"create_run","arguments":{}}"#,
    r#"{"name":"delete_run"}"#,
    r#"{"name":"delete_<script>\n"}"#,
    r#"{"name":"pay","arguments":{"amount":5}}"#,
    r#"{"name":"pay","arguments":{"amount":"5"}}"#,
    r#"{"name":"ask"}"#,
    r#"{"name":"check","arguments":{"x":[{"y":0},{"y":2}]}}"#,
    r#"{"name":"check","arguments":{"x":7}}"#,
    r#"{"name":"other","task":{"ttl":1},"_meta":{"progressToken":1}}"#,
    r#"{"name":"create_run","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}"#,
    r#"{"name":"get_run","arguments":[[[[[[[[[[]]]]]]]]]]}"#,
    r#"{"uri":"file:///a/b"}"#,
    r#"{"uri":"file:///a/%2e%2e/b"}"#,
    r#"{"uri":"file:///x"}"#,
    r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"b"}}"#,
    r#"{"ref":{"type":"ref/resource","uri":"file:///a/{x}"},"argument":{"name":"a","value":"b"}}"#,
    r#"{"taskId":"t"}"#,
    r#"{"name":7}"#,
    "[]",
    "{}",
];

/// A message of the right form, if not always of the right content.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let request = (select(&METHODS[..]), select(&IDS[..]), select(&PARAMS[..])).prop_map(|(method, id, params)| {
        let id = if id.is_empty() { String::new() } else { format!(r#""id":{id},"#) };
        format!(r#"{{"jsonrpc":"2.0",{id}"method":"{method}","params":{params}}}"#)
    });
    let answer = select(&IDS[..8]).prop_map(|id| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"roots":[]}}}}"#));
    let large = (select(&IDS[..8]), 900..1100_usize).prop_map(|(id, length)| {
        let text = "x".repeat(length);
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"get_run","arguments":{{"t":"{text}"}}}}}}"#)
    });
    prop_oneof![12 => request, 1 => answer, 1 => large].prop_map(String::into_bytes)
}

fn batch() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(message(), 0..4).prop_map(|messages| [b"[", &messages.join(&b","[..])[..], b"]"].concat())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => message(),
        2 => batch(),
        1 => (batch(), prop::collection::vec(edit(), 1..3)).prop_map(|(body, edits)| edited(body, &edits)),
        4 => (message(), prop::collection::vec(edit(), 1..5)).prop_map(|(body, edits)| edited(body, &edits)),
        2 => (message(), any::<Index>()).prop_map(|(mut body, end)| { body.truncate(end.index(body.len())); body }),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]
}

/// A header's name and value.
pub(crate) type Header = (&'static str, &'static str);

/// What clients accept and send, in the usual forms.
const USUAL: [&[Header]; 5] = [
    &[("content-type", "application/json"), ("accept", "application/json, text/event-stream")],
    &[("content-type", "application/json"), ("accept", "text/event-stream")],
    &[("content-type", "application/json"), ("accept", "application/json")],
    &[("accept", "*/*")],
    &[],
];

/// Further headers with some of their values, and how many of a hundred requests have them.
const FURTHER: [(&str, &[&str], u32); 15] = [
    ("content-type", &["application/json; charset=utf-8", "text/plain", "application/json;charset=utf-7"], 10),
    ("content-encoding", &["identity", "gzip", "IDENTITY", "br, identity"], 5),
    ("accept", &["text/event-stream;q=0", "TEXT/EVENT-STREAM", "text/html", "", "application/*"], 20),
    ("accept-encoding", &["gzip", "identity", "br;q=1, *"], 40),
    ("mcp-session-id", &["s", "", "\u{e9}"], 40),
    ("mcp-protocol-version", &["2025-06-18", "2026-07-28", "2024-11-05", "x"], 20),
    ("mcp-method", &["tools/call", "ping", "=?base64?cGluZw==?="], 5),
    ("mcp-name", &["get_run", "create_run", "=?base64?!?="], 5),
    ("mcp-param-a", &["1", "b"], 3),
    ("authorization", &["Bearer a", "Bearer b", ""], 60),
    ("upgrade", &["websocket"], 2),
    ("range", &["bytes=0-1"], 20),
    ("x-envoy-retry-on", &["5xx"], 20),
    ("origin", &["https://a.example"], 40),
    ("access-control-request-method", &["POST"], 40),
];

fn headers() -> impl Strategy<Value = Vec<Header>> {
    let further = FURTHER.map(|(name, values, share)| {
        let once = select(values).prop_map(move |value| vec![(name, value)]);
        let twice = (select(values), select(values)).prop_map(move |(one, other)| vec![(name, one), (name, other)]);
        prop_oneof![100 * (100 - share) => Just(vec![]), 90 * share => once, 10 * share => twice].boxed()
    });
    (select(&USUAL[..]), further.to_vec())
        .prop_map(|(usual, further)| [usual.to_vec()].into_iter().chain(further).flatten().collect())
}

/// Any request.
pub(crate) fn sent() -> impl Strategy<Value = Sent> {
    let method = prop_oneof![
        12 => Just("POST"),
        3 => select(&["GET", "DELETE", "OPTIONS", "HEAD", "PUT", "post", "QUERY"][..]),
    ];
    let ends = prop_oneof![
        1 => Just(End::Headers), 8 => Just(End::LastPiece), 4 => Just(End::EmptyPiece), 3 => Just(End::Trailers),
    ];
    let any = (method, headers(), body(), any::<Index>(), ends).prop_map(|(method, headers, body, cut, ends)| Sent {
        method,
        headers,
        body,
        cut,
        ends,
    });
    prop_oneof![19 => any, 1 => modern()]
}

/// A call of 2026-07-28 whose headers agree with it.
fn modern() -> impl Strategy<Value = Sent> {
    let tools = select(&["get_run", "create_run", "delete_run", "pay", "ask", "other"][..]);
    (select(&USUAL[..]), select(&IDS[..8]), tools, any::<Index>()).prop_map(|(usual, id, tool, cut)| {
        let meta = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
        let params = format!(r#"{{"name":"{tool}","_meta":{meta}}}"#);
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#).into_bytes();
        let copies = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", tool)];
        let headers = usual.iter().copied().chain(copies).chain([("authorization", "Bearer a")]).collect();
        Sent { method: "POST", headers, body, cut, ends: End::LastPiece }
    })
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, headers, body, cut, ends } = self;
        write!(f, "{method} {headers:?} {:?} cut at {cut:?}, ends with {ends:?}", String::from_utf8_lossy(body))
    }
}

impl Sent {
    fn request(&self) -> Request {
        self.headers.iter().fold(Request::bare(self.method), |request, (name, value)| request.add(name, value))
    }

    pub(crate) fn send(&self, host: &Host) -> Stream {
        let request = self.request();
        if let End::Headers = self.ends {
            return request.send_without_body(&host.worker(0));
        }
        let mut stream = request.open(&host.worker(0));
        let (first, last) = self.body.split_at(self.cut.index(self.body.len() + 1));
        stream.request_body(first, false);
        stream.request_body(last, matches!(self.ends, End::LastPiece));
        match self.ends {
            End::EmptyPiece => drop(stream.request_body("", true)),
            End::Trailers => drop(stream.request_trailers(&[("x-checksum", "1")])),
            End::LastPiece | End::Headers => {}
        }
        stream
    }

    /// What really came as a body.
    pub(crate) fn body(&self) -> &[u8] {
        if matches!(self.ends, End::Headers) { b"" } else { &self.body }
    }

    /// Whether the client takes nothing but an event stream.
    pub(crate) fn takes_only_events(&self) -> bool {
        let accepted: Vec<String> =
            self.headers.iter().filter(|(name, _)| *name == "accept").map(|(_, value)| value.to_lowercase()).collect();
        let accepts = |kind: &str| accepted.iter().any(|value| value.contains(kind));
        accepts("text/event-stream") && !accepts("application/json") && !accepts("*/*")
    }
}
