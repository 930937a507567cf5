//! The answer on its way back.

use std::borrow::Cow;

use policy::config::Transport;
use policy::decision::Header;
use policy::listing::{EventStream, Filtered, filter_message};
use policy::message::Id;
use policy::reply;

use super::head::{contains_ignore_case, declares_other_charset};
use super::{Action, Awaited, Exchange, Phase, Stream};
use crate::host::{self, Buffer, HeaderMap, Headers, Level};
use crate::runtime::Runtime;
use crate::shown::ShownTo;

impl Stream {
    pub(crate) fn on_response_headers(&mut self, end_of_stream: bool) -> Action {
        self.see_answer_begin(end_of_stream);
        let (exchange, awaited) = match core::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Answer(exchange, awaited) => (exchange, awaited),
            // The server answers the head alone. What it says waits until the body has come and is judged, so that a
            // refused call can still be told so.
            held @ (Phase::Body(_) | Phase::Asking(..)) => {
                self.phase = held;
                if is_envoys_own() || self.runtime.as_ref().is_some_and(|runtime| runtime.observes()) {
                    self.answered = true;
                    return Action::Continue;
                }
                self.answer_held = true;
                return Action::Pause;
            }
            Phase::Bodyless(exchange) => {
                self.answered = true;
                if !exchange.answers {
                    return Action::Continue;
                }
                (exchange, vec![])
            }
            other => {
                self.phase = other;
                return Action::Continue;
            }
        };
        let Some(runtime) = self.runtime.clone() else {
            return Action::Continue;
        };
        let by_sse = matches!(exchange.transport, Transport::Sse(_));
        // What a client posts must come by here again: the stream says where to.
        let names_endpoint = by_sse && exchange.answers && !runtime.observes();
        let looks = runtime.looks(&exchange.policies);
        if end_of_stream || !(names_endpoint || exchange.lists && looks.listings || looks.servers) {
            return Action::Continue;
        }
        let Ok(headers) = Headers::read(HeaderMap::Response) else {
            return self.fail("response headers cannot be read");
        };
        let Some(kind) = Kind::of(&headers, looks.servers) else {
            return Action::Continue;
        };
        let is_message = exchange.lists || matches!(kind, Kind::Events) || has_type(&headers, b"json");
        if is_message && is_in_other_charset(&headers) {
            return self.withhold(&runtime, &awaited, "its charset is not UTF-8");
        }
        if headers.has("content-encoding")
            && !matches!(headers.once("content-encoding"), Header::Once(value) if value.eq_ignore_ascii_case("identity"))
        {
            return self.withhold(&runtime, &awaited, "its encoding cannot be read");
        }
        // The body may get shorter.
        if let Err(status) = host::remove_header(HeaderMap::Response, "content-length") {
            return self.fail(&format!("response headers cannot be changed: {status}"));
        }
        self.phase = match kind {
            Kind::Document => Phase::Document(exchange, awaited, Vec::new()),
            Kind::Events => {
                let events = EventStream::new(runtime.config.max_event_bytes, runtime.config.max_depth);
                Phase::Events(exchange, awaited, Box::new(events))
            }
        };
        Action::Continue
    }

    pub(crate) fn on_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.see_answer_go_on(size, end_of_stream);
        match core::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Document(exchange, awaited, held) => {
                self.document_part(exchange, awaited, held, size, end_of_stream)
            }
            Phase::Stopped => {
                self.phase = Phase::Stopped;
                self.stop("it could not be judged")
            }
            Phase::Events(exchange, awaited, events) => self.events(exchange, awaited, events, size),
            held @ (Phase::Body(_) | Phase::Asking(..)) if self.answer_held => {
                self.phase = held;
                Action::Pause
            }
            other => {
                self.phase = other;
                Action::Continue
            }
        }
    }

    pub(crate) fn on_response_trailers(&mut self) -> Action {
        self.see_answer_end();
        match core::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Document(exchange, awaited, held) => self.document(&exchange, &awaited, &held),
            // What is left is an event without an end, which clients discard.
            Phase::Events(..) => Action::Continue,
            held @ (Phase::Body(_) | Phase::Asking(..)) if self.answer_held => {
                self.phase = held;
                Action::Pause
            }
            other => {
                self.phase = other;
                Action::Continue
            }
        }
    }

    /// Takes what has come of a document into the filter's own memory: Envoy's buffer would overflow, and the answer end,
    /// before the filter is asked.
    fn document_part(
        &mut self,
        exchange: Box<Exchange>,
        awaited: Awaited,
        mut held: Vec<u8>,
        size: usize,
        end_of_stream: bool,
    ) -> Action {
        let Ok(part) = host::bytes(Buffer::Response, size) else {
            return self.stop("the response body cannot be read");
        };
        held.extend_from_slice(&part);
        if held.len() > self.event_limit() {
            return self.cut_short(&awaited);
        }
        if end_of_stream {
            return self.document(&exchange, &awaited, &held);
        }
        if host::replace(Buffer::Response, &[]).is_err() {
            return self.stop("the response body cannot be held");
        }
        self.phase = Phase::Document(exchange, awaited, held);
        Action::Pause
    }

    fn document(&mut self, exchange: &Exchange, awaited: &[Id], body: &[u8]) -> Action {
        let Some(runtime) = self.runtime.clone() else {
            return Action::Continue;
        };
        let shown = ShownTo::new(&runtime, exchange);
        let filtered = if !exchange.lists && is_prose(body) {
            Ok(Filtered::Unchanged)
        } else {
            filter_message(body, runtime.config.max_depth, &shown)
        };
        shown.share_sightings();
        let replacement = match filtered {
            Ok(Filtered::Unchanged) => body.to_vec(),
            Ok(Filtered::Changed(body)) => {
                runtime.metrics.lists_filtered.increment();
                body
            }
            Err(unreadable) => shown.instead(&unreadable, awaited),
        };
        match host::replace(Buffer::Response, &replacement) {
            Ok(()) => Action::Continue,
            Err(_) => self.stop("the response body cannot be replaced"),
        }
    }

    fn event_limit(&self) -> usize {
        self.runtime.as_ref().map_or(0, |runtime| runtime.config.max_event_bytes)
    }

    /// A document that is too long to be held is answered before it has ended.
    fn cut_short(&mut self, awaited: &[Id]) -> Action {
        if let Some(runtime) = &self.runtime {
            runtime.metrics.lists_withheld.increment();
        }
        host::log(Level::Warn, "mcp_policy: an answer was withheld: it is larger than max_event_bytes");
        self.phase = Phase::Stopped;
        match host::replace(Buffer::Response, &reply::withheld(awaited, "it is too large")) {
            Ok(()) => Action::Continue,
            Err(_) => self.stop("the response body cannot be replaced"),
        }
    }

    fn events(
        &mut self,
        exchange: Box<Exchange>,
        mut awaited: Awaited,
        mut events: Box<EventStream>,
        size: usize,
    ) -> Action {
        let Some(runtime) = self.runtime.clone() else { return Action::Continue };
        let Ok(chunk) = host::bytes(Buffer::Response, size) else {
            return self.stop("the response body cannot be read");
        };
        let shown = ShownTo::new(&runtime, &exchange);
        let out = events.push(&chunk, &shown, &mut |unreadable| {
            // On a stream that answers requests the client waits for just those answers, and for each once; on others for
            // nothing. Of a batch, which it was cannot be known.
            let awaited = core::mem::take(&mut awaited);
            let instead = shown.instead(unreadable, &awaited);
            (!awaited.is_empty()).then_some(instead)
        });
        if shown.hid_something() {
            runtime.metrics.lists_filtered.increment();
        }
        shown.share_sightings();
        let unchanged = matches!(&out, Cow::Borrowed(out) if out.len() == chunk.len());
        let replaced = if unchanged { Ok(()) } else { host::replace(Buffer::Response, &out) };
        drop(out);
        if replaced.is_err() {
            return self.stop("the response body cannot be replaced");
        }
        self.phase = Phase::Events(exchange, awaited, events);
        Action::Continue
    }

    /// An answer whose headers say that it cannot be read is answered with an error in its place.
    fn withhold(&mut self, runtime: &Runtime, awaited: &[Id], why: &str) -> Action {
        runtime.metrics.lists_withheld.increment();
        host::log(Level::Warn, &format!("mcp_policy: an answer was withheld: {why}"));
        self.phase = Phase::Replied;
        let headers = [("content-type", "application/json")];
        if host::send_reply(200, "mcp_policy_withheld", &headers, &reply::withheld(awaited, why)).is_err() {
            return self.stop("a reply cannot be sent");
        }
        Action::Pause
    }

    /// The answer cannot be judged, and its headers may be gone already: no further byte of it passes.
    fn stop(&mut self, why: &str) -> Action {
        if !matches!(self.phase, Phase::Stopped) {
            host::log(Level::Error, &format!("mcp_policy: response stopped: {why}"));
            if let Some(runtime) = &self.runtime {
                runtime.metrics.failed.increment();
            }
        }
        self.phase = Phase::Stopped;
        match host::replace(Buffer::Response, &[]) {
            Ok(()) => Action::Continue,
            Err(_) => Action::Pause,
        }
    }
}

/// Whether Envoy answers for itself, say because the client took too long. The request is over then.
fn is_envoys_own() -> bool {
    matches!(host::property(&["response", "code_details"]), Ok(Some(details)) if details != b"via_upstream")
}

/// An error page or the like: no client finds a message in what does not begin as one, in any encoding.
fn is_prose(body: &[u8]) -> bool {
    let begins = body.trim_ascii_start().first();
    begins.is_some_and(|byte| byte.is_ascii_graphic() && !b"{[".contains(byte))
}

/// The forms that an MCP answer has.
enum Kind {
    Document,
    Events,
}

impl Kind {
    /// None if no client reads a message in the response: it did not succeed, or is only an acceptance. Some read a
    /// JSON-RPC error in what did not succeed, by which a server can `ask` something.
    fn of(headers: &Headers, ask: bool) -> Option<Self> {
        let status = headers.first(":status").unwrap_or_default();
        let succeeded = status.starts_with('2');
        match has_type(headers, b"text/event-stream") {
            _ if matches!(status, "202" | "204") => None,
            true if succeeded || ask => Some(Self::Events),
            false if succeeded || ask && has_type(headers, b"json") => Some(Self::Document),
            _ => None,
        }
    }
}

fn has_type(headers: &Headers, kind: &[u8]) -> bool {
    headers.all("content-type").any(|value| contains_ignore_case(value, kind))
}

/// Whether some client could decode the answer to another text than ours: Python's clients go by its charset.
fn is_in_other_charset(headers: &Headers) -> bool {
    match headers.once("content-type") {
        Header::Absent => false,
        Header::Once(value) => declares_other_charset(&value),
        Header::Unclear => true,
    }
}
