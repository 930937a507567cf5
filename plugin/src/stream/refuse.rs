//! Answering in the server's place.

use policy::message::{HeaderMismatch, Message, ReadError};
use policy::reply;

use super::head::contains_ignore_case;
use super::{Action, Phase, Stream};
use crate::gate::Refused;
use crate::host::{self, Headers, Level};
use crate::runtime::Runtime;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

impl Stream {
    /// The filter itself failed: nothing is forwarded.
    pub(super) fn fail(&mut self, why: &str) -> Action {
        host::log(Level::Error, &format!("mcp_policy: request refused: {why}"));
        if let Some(runtime) = &self.runtime {
            runtime.metrics.failed.increment();
        }
        let body = reply::invalid(-32603, "The policy filter could not judge this request.");
        self.send(503, "mcp_policy_failed", &[("content-type", JSON)], &body)
    }

    /// The request is not one that MCP has.
    pub(super) fn refuse_http(&mut self, status: u32, why: &str) -> Action {
        if let Some(runtime) = &self.runtime {
            runtime.metrics.invalid.increment();
            if runtime.observes() {
                host::log(Level::Info, &format!("mcp_policy: observed: would refuse with {status}: {why}"));
                return self.pass();
            }
        }
        let mut headers = vec![("content-type", JSON)];
        if status == 405 {
            headers.push(("allow", "POST, GET, DELETE, OPTIONS"));
        }
        host::log(Level::Info, &format!("mcp_policy: refused with {status}: {why}"));
        self.send(status, "mcp_policy_invalid", &headers, &reply::invalid(-32600, why))
    }

    /// The policy refuses the message. None if that is only observed.
    pub(super) fn refuse_message(
        &mut self,
        headers: &Headers,
        message: &Message<'_>,
        refused: &Refused<'_>,
    ) -> Option<Action> {
        let Some(runtime) = self.runtime.clone() else { return Some(self.fail("not configured")) };
        runtime.metrics.refusal(refused.refusal.kind).increment();
        let observed = if runtime.observes() { "observed: would be " } else { "" };
        host::log(Level::Info, &format!("mcp_policy: {observed}{refused}"));
        if runtime.observes() {
            return None;
        }
        let Message::Request { id, .. } = message else {
            // A notification gets no answer, so it is accepted and dropped.
            return Some(self.send(202, "mcp_policy_denied", &[], &[]));
        };
        let body = refused.reply(id, &runtime.config);
        Some(if wants_events(headers) {
            self.send(200, "mcp_policy_denied", &[("content-type", EVENTS)], &reply::as_event(&body))
        } else {
            self.send(200, "mcp_policy_denied", &[("content-type", JSON)], &body)
        })
    }

    /// The headers say something else than the body.
    pub(super) fn refuse_mismatch(&mut self, message: &Message<'_>, mismatch: HeaderMismatch) -> Action {
        let id = match message {
            Message::Request { id, .. } => Some(id),
            _ => None,
        };
        self.refuse_body(&mismatch.to_string(), &reply::mismatch(id, mismatch))
    }

    /// The body is not one clear message.
    pub(super) fn refuse_unreadable(&mut self, error: &ReadError) -> Action {
        self.refuse_body(&error.to_string(), &reply::unreadable(error))
    }

    fn refuse_body(&mut self, why: &str, body: &[u8]) -> Action {
        if let Some(runtime) = &self.runtime {
            runtime.metrics.invalid.increment();
            if runtime.observes() {
                host::log(Level::Info, &format!("mcp_policy: observed: would refuse with 400: {why}"));
                return self.pass();
            }
        }
        host::log(Level::Info, &format!("mcp_policy: refused with 400: {why}"));
        self.send(400, "mcp_policy_invalid", &[("content-type", JSON)], body)
    }

    /// The call needs a credential (RFC 6750 section 3, RFC 9728 section 5.1). None if that is only observed.
    pub(super) fn ask_to_sign_in(&mut self, runtime: &Runtime) -> Option<Action> {
        runtime.metrics.invalid.increment();
        if runtime.observes() {
            host::log(Level::Info, "mcp_policy: observed: would refuse with 401: a call without a grant");
            return None;
        }
        let challenge = match &runtime.config.identity.resource_metadata {
            Some(url) => format!("Bearer resource_metadata=\"{url}\""),
            None => "Bearer".to_owned(),
        };
        let headers = [("content-type", JSON), ("www-authenticate", challenge.as_str())];
        Some(self.send(401, "mcp_policy_no_grant", &headers, &reply::invalid(-32600, policy::decision::NO_GRANT)))
    }

    fn pass(&mut self) -> Action {
        self.phase = Phase::Passing;
        Action::Continue
    }

    fn send(&mut self, status: u32, details: &str, headers: &[(&str, &str)], body: &[u8]) -> Action {
        self.phase = Phase::Replied;
        if self.answered {
            // The server has answered the head alone. What it has not seen, it never will.
            return Action::Pause;
        }
        if let Err(status) = host::send_reply(status, details, headers, body) {
            // Paused without an answer, the request ends at a time-out: it is not forwarded.
            host::log(Level::Error, &format!("mcp_policy: cannot send a reply: {status}"));
        }
        Action::Pause
    }
}

/// Whether the client takes only an event stream. JSON is preferred wherever it is accepted.
fn wants_events(headers: &Headers) -> bool {
    let accepts = |kind: &[u8]| headers.all("accept").any(|value| contains_ignore_case(value, kind));
    accepts(EVENTS.as_bytes()) && !accepts(JSON.as_bytes()) && !accepts(b"*/*")
}
