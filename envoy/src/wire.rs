//! Single messages, below the level of an SDK: for what an SDK would not send, or would not show.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

/// A `tools/call` with id 1.
#[must_use]
pub fn call(tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// A POST of `message` as MCP clients send it, over a connection of its own.
pub fn post(url: String, message: &Value) -> RequestBuilder {
    crate::http().post(url).header("accept", "application/json, text/event-stream").json(message)
}

/// The rule that an answer says it was refused by; none if the server answered.
#[must_use]
pub fn rule(answer: &Value) -> Option<&str> {
    ["/result/_meta/rule", "/error/data/rule"].iter().find_map(|place| answer.pointer(place)).and_then(Value::as_str)
}
