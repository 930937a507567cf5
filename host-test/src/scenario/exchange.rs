//! What a step puts on the wire, with all defaults filled in.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::body::Body;
use super::document::{Answer, Header, Step};

/// Names in lower case and values, in order; a name may be there more than once.
pub type Headers = Vec<(String, String)>;

/// Who issued a token whose claims do not say so.
const ISSUER: &str = "https://tests.example";

/// A request on its way in, and the server's answer on its way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The HTTP method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The value of `Host`, or `:authority`.
    pub host: String,
    /// Claims of a verified token, if there is one.
    pub claims: Option<Map<String, Value>>,
    /// The rest of the request.
    pub request: Message,
    /// The status of the server's answer.
    pub status: u16,
    /// The rest of the server's answer.
    pub answer: Message,
}

/// Headers, body and trailers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Its headers, without those that say how long the body is.
    pub headers: Headers,
    /// Its body, in the pieces in which it is sent. None at all if there is no body.
    pub pieces: Vec<Vec<u8>>,
    /// Its trailers.
    pub trailers: Headers,
}

impl Message {
    /// Whether it is sent without saying first how long it is.
    #[must_use]
    pub fn is_chunked(&self) -> bool {
        self.pieces.len() > 1 || !self.trailers.is_empty()
    }

    /// Whether it ends with its headers, as one does that is announced to be empty.
    #[must_use]
    pub fn ends_with_headers(&self) -> bool {
        !self.is_chunked() && self.pieces.iter().all(Vec::is_empty)
    }

    /// The body in one.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}

impl Exchange {
    /// The exchange of a step.
    #[must_use]
    pub fn of(step: &Step) -> Self {
        let method = step.method.clone().unwrap_or_else(|| "POST".into());
        let body = body_of(step);
        let mut headers = vec![];
        if method == "POST" {
            headers.push(("content-type", "application/json"));
            headers.push(("accept", "application/json, text/event-stream"));
        }
        headers.extend(step.session.as_deref().map(|session| ("mcp-session-id", session)));
        let (status, answer) = match &step.answer {
            Some(answer) => answer_of(answer, body.as_deref()),
            None => usual_answer(&method, body.as_deref()),
        };
        Self {
            method,
            path: step.path.clone().unwrap_or_else(|| "/mcp".into()),
            host: step.host.clone().unwrap_or_else(|| "mcp.example.com".into()),
            claims: step.claims.clone().map(|mut claims| {
                claims.entry("iss").or_insert_with(|| ISSUER.into());
                claims
            }),
            request: Message {
                headers: with_defaults(&step.headers, &headers),
                pieces: pieces(body, &step.cut, step.cut_every),
                trailers: step.trailers.clone().into_iter().collect(),
            },
            status,
            answer,
        }
    }
}

fn body_of(step: &Step) -> Option<Vec<u8>> {
    if let Some(call) = &step.call {
        let mut params = json!({ "name": call.name });
        if let Some(arguments) = &call.arguments {
            params["arguments"] = arguments.clone();
        }
        let message = json!({ "jsonrpc": "2.0", "id": call.id, "method": "tools/call", "params": params });
        return Body::Message(&message).bytes();
    }
    if let Some(request) = &step.request {
        let mut message = json!({ "jsonrpc": "2.0", "method": request.method });
        if !request.id.is_null() {
            message["id"] = request.id.clone();
        }
        if let Some(params) = &request.params {
            message["params"] = params.clone();
        }
        return Body::Message(&message).bytes();
    }
    step.body().and_then(|body| body.bytes())
}

fn answer_of(answer: &Answer, asked: Option<&[u8]>) -> (u16, Message) {
    let body = if let Some(result) = &answer.result {
        let id = asked.map(ids).unwrap_or_default().into_iter().next().map(|(id, _)| id);
        Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string().into_bytes())
    } else if let Some(events) = &answer.events {
        Some(events.iter().map(|event| format!("event: message\ndata: {event}\n\n")).collect::<String>().into_bytes())
    } else {
        answer.body().and_then(|body| body.bytes())
    };
    let content_type = match (&body, answer.is_event_stream()) {
        (None, _) => None,
        (Some(_), true) => Some(("content-type", "text/event-stream")),
        (Some(_), false) => Some(("content-type", "application/json")),
    };
    let message = Message {
        headers: with_defaults(&answer.headers, content_type.as_slice()),
        pieces: pieces(body, &answer.cut, answer.cut_every),
        trailers: answer.trailers.clone().into_iter().collect(),
    };
    (answer.status.unwrap_or(200), message)
}

/// What a server that does as it is told answers.
fn usual_answer(method: &str, asked: Option<&[u8]>) -> (u16, Message) {
    let with = |content_type: &str, body: String| {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        (200, Message { headers, pieces: vec![body.into_bytes()], trailers: vec![] })
    };
    let results: Vec<Value> = asked
        .map(ids)
        .unwrap_or_default()
        .into_iter()
        .map(|(id, method)| json!({ "jsonrpc": "2.0", "id": id, "result": { "asked": method } }))
        .collect();
    let is_batch = asked.is_some_and(|body| body.trim_ascii_start().starts_with(b"["));
    match (method, results.as_slice()) {
        ("GET", _) => with("text/event-stream", ": open\n\n".into()),
        ("POST", [_, ..]) if is_batch => with("application/json", Value::from(results).to_string()),
        ("POST", [result, ..]) => with("application/json", result.to_string()),
        _ => (202, Message::default()),
    }
}

/// Id and method of each request in a body.
fn ids(body: &[u8]) -> Vec<(Value, Value)> {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let messages = match message {
        Value::Array(messages) => messages,
        message => vec![message],
    };
    let id = |message: &Value| Some((message.get("id")?.clone(), message.get("method")?.clone()));
    messages.iter().filter_map(id).collect()
}

fn with_defaults(given: &BTreeMap<String, Header>, defaults: &[(&str, &str)]) -> Headers {
    let given_by_name = |name: &str| given.keys().any(|key| key.eq_ignore_ascii_case(name));
    let mut headers: Headers = defaults
        .iter()
        .filter(|(name, _)| !given_by_name(name))
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    for (name, values) in given {
        let values: &[String] = match values {
            Header::Absent(()) => &[],
            Header::Once(value) => std::slice::from_ref(value),
            Header::Several(values) => values,
        };
        headers.extend(values.iter().map(|value| (name.to_ascii_lowercase(), value.clone())));
    }
    headers
}

/// Cuts a body. Cuts beyond its end, and those that are not in order, are left out.
fn pieces(body: Option<Vec<u8>>, cut: &[usize], cut_every: Option<usize>) -> Vec<Vec<u8>> {
    let Some(body) = body else { return vec![] };
    if let Some(size) = cut_every.filter(|size| *size > 0) {
        return body.chunks(size).map(<[u8]>::to_vec).collect();
    }
    let mut pieces = vec![];
    let (mut rest, mut taken) = (body.as_slice(), 0);
    for &place in cut {
        if let Some((piece, after)) = place.checked_sub(taken).and_then(|length| rest.split_at_checked(length)) {
            pieces.push(piece.to_vec());
            (rest, taken) = (after, place);
        }
    }
    pieces.push(rest.to_vec());
    pieces
}
