//! What came of a step, in a form in which two hosts can be compared.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::exchange::Headers;

/// What came of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Requests that reached the server, or parts of them.
    pub received: Vec<Received>,
    /// What the client got.
    pub response: Response,
    /// By how much the filter's counters rose, by their names without `mcp_policy.`.
    pub counted: BTreeMap<String, u64>,
    /// What the filter did that it must not do. Only the wasmtime host sees that.
    pub faults: Vec<String>,
    /// What the filter wrote to the log. Only the wasmtime host can tell which step it was for.
    pub logged: Vec<String>,
}

/// A request that reached the server.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// The HTTP method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The value of `Host`, or `:authority`.
    pub host: String,
    /// Its [`essential`] headers.
    pub headers: Headers,
    /// Its body, as far as it came.
    pub body: Vec<u8>,
    /// Its trailers.
    pub trailers: Headers,
    /// Whether it came to its end.
    pub whole: bool,
}

/// What the client got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status; none if there was no answer.
    pub status: Option<u16>,
    /// Its [`essential`] headers.
    pub headers: Headers,
    /// Its body, as far as it came.
    pub body: Vec<u8>,
    /// What of its body had come before the server sent the last piece of its answer.
    pub meanwhile: Vec<u8>,
    /// Its trailers.
    pub trailers: Headers,
    /// Whether it came to its end.
    pub whole: bool,
}

/// Headers in lower case and in the order of their names, without those that belong to the connection, or that Envoy
/// sets on its own account.
#[must_use]
pub fn essential<N: AsRef<str>, V: AsRef<str>>(headers: impl IntoIterator<Item = (N, V)>) -> Headers {
    const PER_CONNECTION: [&str; 8] =
        ["connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding", "x-request-id"];
    let mut kept: Headers = headers
        .into_iter()
        .map(|(name, value)| (name.as_ref().to_ascii_lowercase(), value.as_ref().trim().to_owned()))
        .filter(|(name, _)| !PER_CONNECTION.contains(&name.as_str()))
        .filter(|(name, _)| ![":", "x-envoy-", "x-forwarded-"].iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    kept.sort_by(|(one, _), (other, _)| one.cmp(other));
    kept
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, host, headers, body, trailers, whole } = self;
        let text = String::from_utf8_lossy(body);
        let mut debug = f.debug_struct("Received");
        debug.field("method", method).field("path", path).field("host", host).field("headers", headers);
        debug.field("body", &text).field("trailers", trailers).field("whole", whole).finish()
    }
}

impl Received {
    /// Whether something of the request's body, or the end of the request, is there: a head alone asks for nothing.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.whole || !self.body.is_empty()
    }
}

impl Response {
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, with replacement characters where it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether it is an event stream.
    #[must_use]
    pub fn is_event_stream(&self) -> bool {
        self.header("content-type").is_some_and(|value| value.starts_with("text/event-stream"))
    }

    /// The messages in it: the document, or the data of each event. What is not JSON is given as text.
    #[must_use]
    pub fn messages(&self) -> Vec<Value> {
        let text = self.text();
        let message = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        if self.is_event_stream() {
            return events(&text).iter().map(|data| message(data)).collect();
        }
        if text.is_empty() { vec![] } else { vec![message(&text)] }
    }
}

/// The data of each event that a client takes from a stream (HTML standard, section 9.2.6).
fn events(stream: &str) -> Vec<String> {
    let stream = stream.strip_prefix('\u{feff}').unwrap_or(stream).replace("\r\n", "\n").replace('\r', "\n");
    let mut events = vec![];
    let mut data: Option<String> = None;
    for line in stream.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else { break };
        if line.is_empty() {
            // An event without data is none.
            events.extend(data.take().filter(|data| !data.is_empty()));
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field == "data" {
            let value = value.strip_prefix(' ').unwrap_or(value);
            data = Some(match data {
                Some(before) => format!("{before}\n{value}"),
                None => value.to_owned(),
            });
        }
    }
    events
}
