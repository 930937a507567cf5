//! What came, held against what was expected, or against what came elsewhere.

use serde_json::Value;

use super::difference::{Difference, Differences};
use super::exchange::{Exchange, Headers};
use super::expectation::{Expectation, Limited, Upstream, UpstreamShape};
use super::outcome::{Outcome, Received, Response, essential};

/// Request headers that the filter is documented to change.
const CHANGED_BY_FILTER: [&str; 2] = ["accept-encoding", "range"];

/// How long a client should wait depends on where in its window a clock stands, and is told in these words.
fn without_waits(body: &[u8]) -> Vec<u8> {
    const BEFORE: [&str; 2] = ["\"retry_after_ms\":", "Try again in "];
    let text = String::from_utf8_lossy(body).into_owned();
    let told = BEFORE.iter().fold(text, |text, before| {
        let mut parts = text.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |told, part| told + before + part.trim_start_matches(|digit: char| digit.is_ascii_digit()))
    });
    // Bytes that are not text tell nothing of the kind.
    if std::str::from_utf8(body).is_ok() { told.into_bytes() } else { body.to_vec() }
}

impl Outcome {
    /// Where it is not what a step expects. `heads_held` says whether the configuration holds the heads of requests
    /// until their bodies are judged.
    #[must_use]
    pub fn differences(&self, exchange: &Exchange, expect: &Expectation, heads_held: bool) -> Vec<Difference> {
        let mut all = Differences::default();
        if !self.faults.is_empty() {
            all.add("what the filter must not do", "nothing", format_args!("{:?}", self.faults));
        }
        check_upstream(&mut all, &self.received, exchange, expect, heads_held);
        check_response(&mut all, &self.response, exchange, expect);
        all.0
    }

    /// Where it is not what came of the same step in another host, whose outcome is taken as the right one.
    #[must_use]
    pub fn unlike(&self, right: &Outcome) -> Vec<Difference> {
        let mut all = Differences::default();
        let asking = |outcome: &Outcome| -> Vec<Received> {
            outcome.received.iter().filter(|received| received.asks()).cloned().collect()
        };
        all.equal("what the server got", &asking(right), &asking(self));
        let (right_response, response) = (&right.response, &self.response);
        all.equal("status", &right_response.status, &response.status);
        all.equal("response headers", &right_response.headers, &response.headers);
        all.bytes("response body", &without_waits(&right_response.body), &without_waits(&response.body));
        all.equal("response trailers", &right_response.trailers, &response.trailers);
        all.equal("whether the response is whole", &right_response.whole, &response.whole);
        all.equal("counters", &right.counted, &self.counted);
        all.0
    }
}

fn check_upstream(
    all: &mut Differences,
    received: &[Received],
    exchange: &Exchange,
    expect: &Expectation,
    heads_held: bool,
) {
    let shape = match &expect.upstream {
        None if expect.stops() => &Upstream::Nothing,
        None => &Upstream::AsSent,
        Some(upstream) => upstream,
    };
    // Where heads stream ahead, that of a refused request may get to the server, at any time.
    let received: Vec<&Received> = received.iter().filter(|received| heads_held || received.asks()).collect();
    if *shape == Upstream::Nothing {
        if !received.is_empty() {
            all.add("what the server got", "nothing", format_args!("{received:?}"));
        }
        return;
    }
    let [received] = received.as_slice() else {
        return all.add("what the server got", "one request", format_args!("{received:?}"));
    };
    all.equal("whether the server got all of the request", &true, &received.whole);
    match shape {
        Upstream::Shape(shape) => check_shape(all, received, shape),
        _ => check_as_sent(all, received, exchange),
    }
}

fn check_as_sent(all: &mut Differences, received: &Received, exchange: &Exchange) {
    all.equal("the server's method", &exchange.method, &received.method);
    all.equal("the server's path", &exchange.path, &received.path);
    all.equal("the server's host", &exchange.host, &received.host);
    all.bytes("the server's body", &exchange.request.body(), &received.body);
    all.equal("the server's trailers", &exchange.request.trailers, &received.trailers);
    let left_alone = |headers: &Headers| -> Headers {
        let mut headers = one_of_each(&essential(headers.iter().map(|(name, value)| (name, value))));
        headers.retain(|(name, _)| !CHANGED_BY_FILTER.contains(&name.as_str()));
        headers
    };
    all.equal("the server's headers", &left_alone(&exchange.request.headers), &left_alone(&received.headers));
}

/// Envoy may join the values of a header with commas (RFC 9110 section 5.3), which means the same.
fn one_of_each(headers: &Headers) -> Headers {
    let mut joined: Headers = vec![];
    for (name, value) in headers {
        match joined.last_mut() {
            Some((last, values)) if last == name => {
                values.push(',');
                values.push_str(value);
            }
            _ => joined.push((name.clone(), value.clone())),
        }
    }
    joined
}

fn check_shape(all: &mut Differences, received: &Received, shape: &UpstreamShape) {
    let UpstreamShape { path, headers, message, exactly } = shape;
    if let Some(path) = path {
        all.equal("the server's path", path, &received.path);
    }
    for (name, value) in headers {
        all.header("the server's header", name, value.as_deref(), &received.headers);
    }
    let found = || serde_json::from_slice::<Value>(&received.body).unwrap_or_default();
    if let Some(message) = message {
        all.subset("the server's message", message, &found());
    }
    if let Some(message) = exactly {
        all.equal("the server's message", message, &found());
    }
}

fn check_response(all: &mut Differences, response: &Response, exchange: &Exchange, expect: &Expectation) {
    all.equal("whether the response is whole", &true, &response.whole);
    let status = match expect {
        Expectation { status: Some(status), .. } | Expectation { refused: Some(status), .. } => *status,
        Expectation { dropped: true, .. } => 202,
        Expectation { passes: true, .. } => exchange.status,
        _ => 200,
    };
    all.equal("status", &Some(status), &response.status);
    for (name, value) in &expect.headers {
        all.header("response header", name, value.as_deref(), &response.headers);
    }
    let body = response.text();
    if expect.passes {
        let bodiless = exchange.method == "HEAD";
        let sent = if bodiless { vec![] } else { exchange.answer.body() };
        all.bytes("response body", &sent, &response.body);
        let sent = essential(exchange.answer.headers.iter().map(|(name, value)| (name, value)));
        all.equal("response headers", &one_of_each(&sent), &one_of_each(&response.headers));
        all.equal("response trailers", &exchange.answer.trailers, &response.trailers);
    }
    if expect.dropped {
        all.bytes("response body", b"", &response.body);
    }
    if let Some(text) = &expect.text {
        all.bytes("response body", text.as_bytes(), &response.body);
    }
    all.parts("response body", &body, &expect.holds, &expect.lacks);
    let meanwhile = String::from_utf8_lossy(&response.meanwhile);
    all.parts("body before the server's last piece", &meanwhile, &expect.meanwhile, &expect.not_yet);
    check_messages(all, response, exchange, expect);
}

fn check_messages(all: &mut Differences, response: &Response, exchange: &Exchange, expect: &Expectation) {
    let messages = response.messages();
    if let Some(events) = &expect.events {
        if !response.is_event_stream() {
            all.add("response", "an event stream", format_args!("{:?}", response.headers));
        }
        all.equal("number of events", &events.len(), &messages.len());
        for (index, (event, message)) in events.iter().zip(&messages).enumerate() {
            all.subset(&format!("event {}", index + 1), event, message);
        }
    }
    let wants_one = expect.message.is_some()
        || expect.exactly.is_some()
        || expect.because.is_some()
        || expect.denied.is_some()
        || expect.limited.is_some()
        || expect.hidden.is_some()
        || expect.refused.is_some();
    // The answer to HEAD has no body, whatever its headers say.
    if !wants_one || exchange.method == "HEAD" {
        return;
    }
    let [message] = messages.as_slice() else {
        return all.add("response", "one message", format_args!("{:?}", response.text()));
    };
    if let Some(expected) = &expect.message {
        all.subset("response message", expected, message);
    }
    if let Some(expected) = &expect.exactly
        && expected != message
    {
        all.add("response message", expected, message);
    }
    if let Some(rule) = &expect.denied {
        check_denied(all, message, exchange, rule);
    }
    if let Some(limited) = &expect.limited {
        check_limited(all, message, exchange, expect, limited);
    }
    if let Some(name) = &expect.hidden {
        check_hidden(all, message, exchange, name);
    }
    if expect.refused.is_some() {
        all.equal("response id", &Some(&Value::Null), &message.get("id"));
        all.equal("`jsonrpc`", &Some(&Value::from("2.0")), &message.get("jsonrpc"));
        if !message.pointer("/error/code").is_some_and(Value::is_i64) {
            all.add("response message", "a JSON-RPC error", message);
        }
    }
    if let Some(because) = &expect.because {
        let told = ["/error/message", "/result/content/0/text"].iter().find_map(|place| message.pointer(place));
        let told = told.and_then(Value::as_str).unwrap_or_default();
        if !told.contains(because.as_str()) {
            all.add("what the client is told", format_args!("something with {because:?}"), message);
        }
    }
}

/// A refused call is a tool result or an error that the agent reads, with the rule beside it.
fn check_denied(all: &mut Differences, message: &Value, exchange: &Exchange, rule: &str) {
    check_id(all, message, exchange);
    let found = ["/result/_meta/rule", "/error/data/rule"].iter().find_map(|place| message.pointer(place));
    if found.and_then(Value::as_str) != Some(rule) {
        all.add("the rule that denies", rule, message);
    }
    if message.get("result").is_some() {
        all.subset("response message", &serde_json::json!({ "result": { "isError": true } }), message);
    }
}

/// A denial that says what is left, as only limits do.
fn check_limited(all: &mut Differences, message: &Value, exchange: &Exchange, expect: &Expectation, limited: &Limited) {
    let told = ["/result/_meta", "/error/data"].iter().find_map(|place| message.pointer(place));
    let told = |name: &str| told.and_then(|told| told.get(name));
    match limited {
        Limited::By(rule) => check_denied(all, message, exchange, rule),
        Limited::Somehow => check_id(all, message, exchange),
    }
    if told("remaining").is_none() {
        return all.add("response message", "what a limit says, with `remaining`", message);
    }
    let mut is_told = |name: &str, expected: Option<Value>| {
        if let Some(expected) = expected
            && told(name).and_then(Value::as_f64) != expected.as_f64()
        {
            all.add(&format!("`{name}`"), expected, told(name).unwrap_or(&Value::Null));
        }
    };
    is_told("retry_after_ms", expect.retry_after_ms.map(Value::from));
    is_told("remaining", expect.remaining.map(Value::from));
}

/// As a server would answer that never had it (MCP, server/tools and server/resources).
fn check_hidden(all: &mut Differences, message: &Value, exchange: &Exchange, name: &str) {
    check_id(all, message, exchange);
    let said = message.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
    let as_a_server = ["Unknown tool: ", "Unknown prompt: "].iter().any(|what| said.strip_prefix(what) == Some(name));
    // Servers do not repeat the URI.
    let asked: Value = serde_json::from_slice(&exchange.request.body()).unwrap_or_default();
    let is_resource = said == "Resource not found" && asked.pointer("/params/uri").is_some_and(|uri| uri == name);
    if !as_a_server && !is_resource {
        all.add("response message", format_args!("that {name} is unknown"), message);
    }
    if message.pointer("/error/data").is_some() {
        all.add("response message", "an error without data", message);
    }
}

fn check_id(all: &mut Differences, message: &Value, exchange: &Exchange) {
    let asked: Value = serde_json::from_slice(&exchange.request.body()).unwrap_or_default();
    all.equal("response id", &asked.get("id"), &message.get("id"));
}
