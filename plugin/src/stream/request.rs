//! The request on its way in.

use policy::config::{RequestHeaders, Retries, Transport};
use policy::decision::Header;
use policy::message::{self, Message};

use super::{Action, Exchange, Phase, Stream};
use crate::caller::{Caller, Claims};
use crate::gate::{self, Verdict};
use crate::host::{self, Buffer, HeaderMap, Headers, Status};
use crate::route::{self, Policies};
use crate::runtime::Runtime;

/// Headers by which a client, or Envoy in front, asks for one admitted call to be sent more than once
/// (Envoy: http_filters/router_filter, "HTTP headers (consumed)").
const RETRY_HEADERS: [&str; 4] =
    ["x-envoy-retry-on", "x-envoy-retry-grpc-on", "x-envoy-hedge-on-per-try-timeout", "x-envoy-retriable-status-codes"];

impl Stream {
    pub(crate) fn on_request_headers(&mut self, end_of_stream: bool) -> Action {
        self.take_head(end_of_stream).unwrap_or_else(|why| self.fail(&why))
    }

    /// Reads all that the headers and the connection tell, since later they cannot be read any more.
    fn take_head(&mut self, end_of_stream: bool) -> Result<Action, String> {
        let runtime = self.runtime.clone().ok_or("not configured")?;
        let headers = Headers::read(HeaderMap::Request).map_err(unread("the request headers"))?;
        let claims = Claims::read(&runtime).map_err(unread("the claims"))?;
        let choice = route::choose(&runtime, &headers, &claims).map_err(unread("the route"))?;
        let (policies, transport) = match choice {
            route::Choice::Pass => {
                self.phase = Phase::Passing;
                return Ok(Action::Continue);
            }
            route::Choice::Judge(policies, transport) => (policies, transport),
        };
        if transport == Transport::Sse && headers.first(":method") == Some("POST") {
            return Ok(self.refuse_http(403, "routes of the SSE transport do not take calls yet"));
        }
        let caller = Caller::read(&runtime, &headers, claims).map_err(unread("the caller"))?;
        if let Some(action) = self.refuse_caller(&runtime, &caller) {
            return Ok(action);
        }
        let exchange = Box::new(Exchange { headers, policies, caller });
        if exchange.headers.first(":method") == Some("POST") {
            return Ok(self.post(&runtime, exchange, end_of_stream));
        }
        if let Some(why) = refuse_method(&exchange.headers) {
            return Ok(self.refuse_http(405, why));
        }
        if matches!(exchange.policies, Policies::None) {
            return Ok(self.refuse_http(403, policy::decision::NO_POLICY));
        }
        Ok(self.bodyless(&runtime, exchange, end_of_stream))
    }

    pub(crate) fn on_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        match core::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Body(exchange) => {
                let limit = self.runtime.as_ref().map_or(0, |runtime| runtime.config.max_body_bytes);
                if size > limit {
                    return self.refuse_http(413, &format!("the body is larger than {limit} bytes"));
                }
                if end_of_stream {
                    return self.judge(exchange, size);
                }
                self.phase = Phase::Body(exchange);
                Action::Pause
            }
            Phase::Bodyless(_) if size > 0 => self.refuse_http(400, "only POST may carry a body"),
            Phase::Bodyless(exchange) if end_of_stream => self.forward_bodyless(exchange),
            Phase::Replied => self.replied(),
            other => {
                self.phase = other;
                Action::Continue
            }
        }
    }

    pub(crate) fn on_request_trailers(&mut self) -> Action {
        // With trailers, no body callback says that the body has ended.
        match core::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Body(exchange) => {
                let limit = self.runtime.as_ref().map_or(0, |runtime| runtime.config.max_body_bytes);
                self.judge(exchange, limit)
            }
            Phase::Bodyless(exchange) => self.forward_bodyless(exchange),
            Phase::Replied => self.replied(),
            other => {
                self.phase = other;
                Action::Continue
            }
        }
    }

    fn replied(&mut self) -> Action {
        self.phase = Phase::Replied;
        Action::Pause
    }

    fn refuse_caller(&mut self, runtime: &Runtime, caller: &Caller) -> Option<Action> {
        if caller.is_unreadable() {
            return Some(self.refuse_http(403, "the credential that calls are counted by is unclear"));
        }
        if runtime.config.identity.required && caller.is_anonymous() {
            return Some(self.ask_to_sign_in(runtime));
        }
        None
    }

    fn post(&mut self, runtime: &Runtime, exchange: Box<Exchange>, end_of_stream: bool) -> Action {
        if let Some(why) = refuse_encoding(&exchange.headers) {
            return self.refuse_http(400, why);
        }
        let limit = runtime.config.max_body_bytes;
        let announced = exchange.headers.first("content-length").and_then(|length| length.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit as u64) {
            return self.refuse_http(413, &format!("the body is larger than {limit} bytes"));
        }
        if end_of_stream {
            return self.refuse_http(400, "a POST must carry a JSON-RPC message");
        }
        if let Err(status) = prepare(runtime, &exchange.headers) {
            return self.fail(&format!("the request headers cannot be changed: {status}"));
        }
        self.phase = Phase::Body(exchange);
        Self::headers_held(runtime)
    }

    fn bodyless(&mut self, runtime: &Runtime, exchange: Box<Exchange>, end_of_stream: bool) -> Action {
        if let Err(status) = prepare(runtime, &exchange.headers) {
            return self.fail(&format!("the request headers cannot be changed: {status}"));
        }
        if end_of_stream {
            return self.forward_bodyless(exchange);
        }
        self.phase = Phase::Bodyless(exchange);
        Self::headers_held(runtime)
    }

    fn forward_bodyless(&mut self, exchange: Box<Exchange>) -> Action {
        self.phase = match exchange.headers.first(":method") {
            // Answers to POSTs travel on such streams too, when they are resumed.
            Some("GET") => Phase::Answer(exchange, None),
            _ => Phase::Passing,
        };
        Action::Continue
    }

    /// In hold mode the headers wait for the body's verdict. Without `allow_on_headers_stop_iteration` that would stop
    /// the body as well, so it is the operator's to say.
    fn headers_held(runtime: &Runtime) -> Action {
        match runtime.config.request_headers {
            RequestHeaders::Hold => Action::Pause,
            RequestHeaders::Stream => Action::Continue,
        }
    }

    /// Judges a body that has ended.
    fn judge(&mut self, exchange: Box<Exchange>, size: usize) -> Action {
        let Some(runtime) = self.runtime.clone() else {
            return self.fail("not configured");
        };
        let body = match host::bytes(Buffer::Request, size) {
            Ok(body) => body,
            // Only trailers came: there is no buffer.
            Err(Status::NOT_FOUND) => vec![],
            Err(status) => return self.fail(&format!("the request body cannot be read: {status}")),
        };
        let message = match message::read(&body, runtime.config.max_depth) {
            Ok(message) => message,
            Err(error) => return self.refuse_unreadable(&error),
        };
        match gate::judge(&runtime, &exchange.policies, &message, &exchange.caller, &exchange.headers) {
            Verdict::Pass => {
                runtime.metrics.allowed.increment();
                self.phase = match message {
                    Message::Request { id, method, .. } if is_list(&method) && runtime.filters(&exchange.policies) => {
                        Phase::Answer(exchange, Some(id))
                    }
                    _ => Phase::Passing,
                };
                Action::Continue
            }
            Verdict::Refuse(refusal) => self.refuse_message(&exchange.headers, &message, &refusal),
            Verdict::Fail(why) => self.fail(&why),
        }
    }
}

/// Requests whose answer is a listing.
fn is_list(method: &str) -> bool {
    matches!(method, "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" | "tasks/result")
}

/// MCP uses GET to open an event stream, DELETE to end a session, and browsers OPTIONS to ask before a POST.
fn refuse_method(headers: &Headers) -> Option<&'static str> {
    let accepts_events = || headers.all("accept").any(|value| contains_ignore_case(value, b"text/event-stream"));
    match headers.first(":method") {
        _ if headers.has("upgrade") => Some("upgrades are not part of MCP"),
        Some("GET") if !accepts_events() => Some("GET must accept text/event-stream"),
        Some("DELETE") if !headers.has("mcp-session-id") => Some("DELETE must name a session in Mcp-Session-Id"),
        Some("OPTIONS") if !(headers.has("origin") && headers.has("access-control-request-method")) => {
            Some("OPTIONS is answered only as a CORS preflight")
        }
        Some("GET" | "DELETE" | "OPTIONS") => None,
        _ => Some("only POST, GET, DELETE and OPTIONS are used by MCP"),
    }
}

fn unread(what: &str) -> impl Fn(Status) -> String {
    move |status| format!("{what} cannot be read: {status}")
}

/// Why the body could mean something else to the server than to us.
fn refuse_encoding(headers: &Headers) -> Option<&'static str> {
    let identity = |value: &[u8]| value.trim_ascii().eq_ignore_ascii_case(b"identity");
    if !headers.all("content-encoding").all(identity) {
        return Some("the body must not be encoded: Content-Encoding must be identity or absent");
    }
    if headers.has("upgrade") {
        return Some("upgrades are not part of MCP");
    }
    match headers.once("content-type") {
        Header::Absent => None,
        Header::Unclear => Some("Content-Type must be given once"),
        Header::Once(value) if declares_other_charset(&value) => Some("the body's charset must be UTF-8"),
        Header::Once(_) => None,
    }
}

/// Whether a media type names a charset other than UTF-8, in any spelling that some server understands.
fn declares_other_charset(content_type: &str) -> bool {
    let mut parameters = content_type.split([';', ',']).skip(1);
    parameters.any(|parameter| {
        let lower = parameter.to_ascii_lowercase();
        let value = lower.split_once('=').map(|(name, value)| (name.trim(), value.trim().trim_matches('"').trim()));
        lower.contains("charset") && !matches!(value, Some(("charset", "utf-8" | "utf8")))
    })
}

/// Makes the request one whose answer can be read, and that is sent once.
fn prepare(runtime: &Runtime, headers: &Headers) -> host::Result<()> {
    if headers.first("accept-encoding").is_some_and(|value| value != "identity") {
        host::set_header(HeaderMap::Request, "accept-encoding", "identity")?;
    }
    if headers.has("range") {
        host::remove_header(HeaderMap::Request, "range")?;
    }
    if runtime.config.retries == Retries::Off {
        for name in RETRY_HEADERS.into_iter().filter(|name| headers.has(name)) {
            host::remove_header(HeaderMap::Request, name)?;
        }
        host::set_header(HeaderMap::Request, "x-envoy-max-retries", "0")?;
    }
    Ok(())
}

pub(super) fn contains_ignore_case(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}
