//! The filter under a configuration, requests to send through it, and what to look at afterwards.

use std::ops::Deref;

use host_test::{Builder, Fault, HeaderStop, Host, Stream, Value as Property, Worker, filter_wasm};
use serde_json::{Value, json};

/// What stands in arguments and credentials of these tests, and must never be seen in logs and replies.
pub(crate) const SECRET: &str = "s3cr3t-va1ue";

/// A host with the filter, and the way it holds request headers.
#[derive(Debug)]
pub(crate) struct Lab {
    host: Host,
    holds_headers: bool,
}

impl Deref for Lab {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

/// A builder with the real filter in it.
pub(crate) fn filter() -> Builder {
    let wasm = filter_wasm().expect("the filter builds");
    Host::builder(&wasm).expect("the filter is a module").root_id("mcp")
}

/// A bare policy with these tools and default deny.
pub(crate) fn tools(tools: Value) -> Value {
    json!({"version": "1", "default": "deny", "tools": tools})
}

/// One policy that holds everywhere, with these members of a configuration besides.
pub(crate) fn envelope(policy: Value, members: Value) -> Value {
    let mut whole = json!({"policies": {"p": policy}, "routes": [{"policy": "p"}]});
    let all = whole.as_object_mut().unwrap();
    all.extend(members.as_object().expect("members are an object").clone());
    whole
}

/// Runs a test with request headers that stream ahead, and with headers that are held.
pub(crate) fn in_both_modes(policy: &Value, members: &Value, test: impl Fn(&Lab)) {
    for (mode, stop) in [("stream", HeaderStop::StopAll), ("hold", HeaderStop::AllowOnHeaders)] {
        let mut members = members.clone();
        members["request_headers"] = mode.into();
        let configuration = envelope(policy.clone(), members).to_string();
        let host = filter().stop_iteration(stop).configuration(configuration).workers(2).start().unwrap();
        test(&Lab { host, holds_headers: mode == "hold" });
    }
}

impl Lab {
    /// The filter with a configuration: a bare policy or an envelope.
    pub(crate) fn new(configuration: &Value) -> Self {
        Self { host: filter().configuration(configuration.to_string()).start().unwrap(), holds_headers: false }
    }

    /// The filter with a policy and other members of a configuration.
    pub(crate) fn with(policy: Value, members: Value) -> Self {
        Self::new(&envelope(policy, members))
    }

    /// The filter on so many workers.
    pub(crate) fn on_workers(count: usize, configuration: &Value) -> Self {
        let host = filter().configuration(configuration.to_string()).workers(count).start().unwrap();
        Self { host, holds_headers: false }
    }

    /// Posts a body to the first worker.
    pub(crate) fn post(&self, body: impl AsRef<[u8]>) -> Stream {
        Request::post().send(&self.worker(0), body)
    }

    /// Posts a call without arguments.
    pub(crate) fn call(&self, tool: &str) -> Stream {
        self.post(call(tool, &json!({})))
    }

    /// Whether a call of the tool goes on.
    pub(crate) fn admits(&self, tool: &str) -> bool {
        is_forwarded(&self.call(tool))
    }

    /// All log lines as one text.
    pub(crate) fn log(&self) -> String {
        self.logs().into_iter().map(|(_, line)| line + "\n").collect()
    }

    /// A counter of the filter, 0 if nothing counted yet.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        self.metrics().get(&format!("mcp_policy.{name}")).copied().unwrap_or_default()
    }

    /// The server has seen no byte of the body; where headers are held, nothing at all.
    #[track_caller]
    pub(crate) fn assert_nothing_forwarded(&self, stream: &Stream) {
        let forwarded = stream.forwarded();
        assert_eq!(forwarded.text(), "", "a refused body was forwarded");
        assert!(!forwarded.ended, "a refused request was completed");
        assert!(!(self.holds_headers && forwarded.headers.is_some()), "held headers were forwarded");
        assert!(stream.reply().is_some_and(|reply| reply.by_filter), "the filter has not answered");
    }

    /// Where the server has answered already, a reply comes too late and the client sees a reset. Nothing worse happened.
    #[track_caller]
    pub(crate) fn assert_at_most_late(&self) {
        let faults = self.take_faults();
        assert!(faults.iter().all(|fault| matches!(fault, Fault::ReplyAfterHeaders { .. })), "{faults:?}");
    }

    /// A tool result with `isError` and the text; gives its `_meta`.
    #[track_caller]
    pub(crate) fn assert_denied(&self, stream: &Stream, text: &str) -> Value {
        self.assert_nothing_forwarded(stream);
        assert_eq!(stream.received().status(), Some(200));
        let reply = message(stream);
        let result = &reply["result"];
        assert_eq!(result["isError"], json!(true), "{reply}");
        assert_eq!(result["content"][0]["type"], "text", "{reply}");
        let said = result["content"][0]["text"].as_str().unwrap_or_default();
        assert!(said.starts_with("[POLICY DENIED] ") && said.contains(text), "{reply}");
        result["_meta"].clone()
    }

    /// HTTP status and JSON-RPC error of a request that is not one clear message.
    #[track_caller]
    pub(crate) fn assert_refused(&self, stream: &Stream, status: u16) {
        self.assert_nothing_forwarded(stream);
        let received = stream.received();
        assert_eq!(received.status(), Some(status), "{}", received.text());
        let reply = message(stream);
        assert_eq!(reply["jsonrpc"], "2.0");
        assert_eq!(reply.get("id"), Some(&Value::Null), "{reply}");
        assert!(reply["error"]["code"].is_i64() && reply["error"]["message"].is_string(), "{reply}");
        assert!(reply.get("result").is_none(), "{reply}");
    }
}

/// The request went on, whole, and nobody answered yet.
pub(crate) fn is_forwarded(stream: &Stream) -> bool {
    stream.forwarded().ended && stream.reply().is_none()
}

/// The request went on with just this body.
#[track_caller]
pub(crate) fn assert_forwarded(stream: &Stream, body: impl AsRef<[u8]>) {
    assert!(is_forwarded(stream), "not forwarded, but answered: {}", stream.received().text());
    assert_eq!(stream.forwarded().text(), String::from_utf8_lossy(body.as_ref()));
}

/// What the client was sent: one JSON-RPC message, as JSON or as the only event.
#[track_caller]
pub(crate) fn message(stream: &Stream) -> Value {
    let received = stream.received();
    let text = received.text();
    let json = match received.header("content-type") {
        Some("text/event-stream") => text.lines().find_map(|line| line.strip_prefix("data: ")).expect(&text),
        _ => &text,
    };
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

/// The body of a call with id 1.
pub(crate) fn call(tool: &str, arguments: &Value) -> String {
    call_as(&json!(1), tool, arguments)
}

/// The body of a call.
pub(crate) fn call_as(id: &Value, tool: &str, arguments: &Value) -> String {
    request_as(id, "tools/call", &json!({"name": tool, "arguments": arguments}))
}

/// The body of any request with id 1.
pub(crate) fn request(method: &str, params: &Value) -> String {
    request_as(&json!(1), method, params)
}

fn request_as(id: &Value, method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

/// What a client sends before its body.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    headers: Vec<(String, Vec<u8>)>,
    properties: Vec<(Vec<String>, Property)>,
}

impl Request {
    /// As MCP clients post messages.
    pub(crate) fn post() -> Self {
        Self::bare("POST").set("content-type", "application/json").set("accept", "application/json, text/event-stream")
    }

    /// A GET of the event stream.
    pub(crate) fn get() -> Self {
        Self::bare("GET").set("accept", "text/event-stream")
    }

    /// Only what HTTP itself needs.
    pub(crate) fn bare(method: &str) -> Self {
        let none = Self { headers: vec![], properties: vec![] };
        none.set(":method", method).set(":path", "/mcp").set(":scheme", "https").set(":authority", "mcp.example.com")
    }

    /// Gives a header this one value.
    pub(crate) fn set(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.without(name).add(name, value)
    }

    /// Adds a value to a header.
    pub(crate) fn add(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Takes a header out.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(key, _)| key != name);
        self
    }

    /// Sets what Envoy knows of the request.
    pub(crate) fn property(mut self, path: &[&str], value: impl Into<Property>) -> Self {
        self.properties.push((path.iter().map(|&part| part.to_owned()).collect(), value.into()));
        self
    }

    /// Sends the headers; a body will follow.
    pub(crate) fn open(&self, worker: &Worker) -> Stream {
        self.builder(worker).request_headers(&self.headers)
    }

    /// Sends a request that ends with its headers.
    pub(crate) fn send_without_body(&self, worker: &Worker) -> Stream {
        self.builder(worker).request_without_body(&self.headers)
    }

    /// Sends the whole request.
    pub(crate) fn send(&self, worker: &Worker, body: impl AsRef<[u8]>) -> Stream {
        let mut stream = self.open(worker);
        stream.request_body(body, true);
        stream
    }

    fn builder(&self, worker: &Worker) -> host_test::StreamBuilder {
        self.properties.iter().fold(worker.stream(), |builder, (path, value)| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            builder.property(&path, value.clone())
        })
    }
}
