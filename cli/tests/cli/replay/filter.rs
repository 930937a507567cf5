//! The filter in the wasmtime host, and the records that it leaves.

use std::time::Duration;

use host_test::{Host, Value as Property, filter_wasm, metadata};
use serde_json::{Value, json};

/// A filter that records.
pub(super) struct Recording {
    host: Host,
}

/// One request.
#[derive(Debug, Clone, Default)]
pub(super) struct Request {
    /// What is waited before.
    pub(super) wait: Duration,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    /// As JSON.
    pub(super) claims: Option<Value>,
    pub(super) address: &'static str,
    /// Each call's tool and arguments, as JSON; several are a batch.
    pub(super) calls: Vec<(String, String)>,
}

impl Recording {
    /// A policy under the name `p`, with `audit`.
    pub(super) fn of(policy: &Value) -> Self {
        let configuration = json!({
            "policies": { "p": policy }, "routes": [{ "policy": "p" }], "identity": { "grant": [{ "header": "x-key" }] },
            "audit": { "digest_key": "0123456789abcdef0123456789abcdef" },
        });
        let wasm = filter_wasm().unwrap();
        let host = Host::builder(&wasm).unwrap().root_id("mcp").configuration(configuration.to_string());
        Self { host: host.start().unwrap() }
    }

    /// The record of a request.
    pub(super) fn send(&self, request: &Request) -> String {
        self.host.advance(request.wait);
        let mut headers = vec![
            (":method", "POST"),
            (":path", "/mcp"),
            (":scheme", "https"),
            (":authority", "mcp.example.com"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        headers.extend(&request.headers);
        let calls: Vec<String> = request.calls.iter().enumerate().map(|(id, call)| body(id, call)).collect();
        let body = if let [one] = calls.as_slice() { one.clone() } else { format!("[{}]", calls.join(",")) };
        let mut stream = self.host.worker(0).stream();
        if let Some(claims) = &request.claims {
            stream = stream.property(&["metadata"], Property::Bytes(metadata::jwt(claims)));
        }
        stream = stream.property(&["source", "address"], request.address);
        let mut stream = stream.request_headers(&headers);
        stream.request_body(&body, true);
        let record = stream.filter_state("mcp_policy.audit").unwrap_or_else(|| panic!("no record of {body}"));
        String::from_utf8(record).unwrap() + "\n"
    }
}

fn body(id: usize, (name, arguments): &(String, String)) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{arguments}}}}}"#
    )
}
