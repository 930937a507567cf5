//! Answering in the server's place.

use policy::config::{Config, SseDenial, Transport};
use policy::message::{Body, HeaderMismatch, Id, Message, ReadError};
use policy::reply;

use super::head::contains_ignore_case;
use super::{Action, Exchange, Phase, Stream};
use crate::gate::Refused;
use crate::host::{self, Buffer, Headers, Level};
use crate::route::Policies;
use crate::runtime::Runtime;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
/// What access logs say of a refused message.
const DENIED: &str = "mcp_policy_denied";

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

    /// The policies refuse these messages of the body, given with their places in it. None if that is only observed.
    pub(super) fn refuse_messages(
        &mut self,
        exchange: &Exchange,
        body: &Body<'_>,
        length: usize,
        refused: &[(usize, Refused<'_>)],
    ) -> Option<Action> {
        let Some(runtime) = self.runtime.clone() else { return Some(self.fail("not configured")) };
        let observed = if runtime.observes() { "observed: would be " } else { "" };
        for (_, refused) in refused {
            runtime.metrics.refusal(refused.refusal.kind).increment();
            host::log(Level::Info, &format!("mcp_policy: {observed}{refused}"));
        }
        if runtime.observes() {
            return None;
        }
        let answers = answers(body, refused, &runtime.config);
        Some(match (answers.as_slice(), body, exchange.transport) {
            // Notifications get no answer, so they are accepted and dropped.
            ([], ..) => self.send(202, DENIED, &[], &[]),
            ([_], Body::One(Message::Request { id, .. }), Transport::Sse(denial)) => {
                // Where no policy covers the request, not even what is left of it goes to the server.
                let denial = if matches!(exchange.policies, Policies::None(_)) { SseDenial::Status } else { denial };
                self.refuse_elsewhere(id, length, denial)
            }
            _ if wants_events(&exchange.headers) => {
                let events: Vec<u8> = answers.iter().flat_map(|answer| reply::as_event(answer)).collect();
                self.send(200, DENIED, &[("content-type", EVENTS)], &events)
            }
            ([answer], Body::One(_), _) => self.send(200, DENIED, &[("content-type", JSON)], answer),
            _ => self.send(200, DENIED, &[("content-type", JSON)], &reply::batch(answers.into_iter())),
        })
    }

    /// The client waits on another stream than this, which only the server can write to.
    fn refuse_elsewhere(&mut self, id: &Id, length: usize, denial: SseDenial) -> Action {
        if denial == SseDenial::Forward
            && let Some(body) = reply::unanswerable(id, length)
        {
            return match host::replace(Buffer::Request, &body) {
                Ok(()) => {
                    self.phase = Phase::Passing;
                    self.release_answer()
                }
                Err(status) => self.fail(&format!("the request body cannot be replaced: {status}")),
            };
        }
        self.send(403, DENIED, &[("content-type", JSON)], &reply::invalid(reply::DENIED, "Denied by policy."))
    }

    /// The headers say something else than the message with this id.
    pub(super) fn refuse_mismatch(&mut self, id: Option<&Id>, mismatch: HeaderMismatch) -> Action {
        self.refuse_body(&mismatch.to_string(), &reply::mismatch(id, mismatch))
    }

    /// The body is nothing that a client of this revision sends.
    pub(super) fn refuse_revision(&mut self, why: &str) -> Action {
        self.refuse_body(why, &reply::invalid(-32600, why))
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

/// One answer for each request of the body: those that are not refused by themselves are with their batch.
fn answers(body: &Body<'_>, refused: &[(usize, Refused<'_>)], config: &Config) -> Vec<Vec<u8>> {
    let requests =
        body.messages().iter().enumerate().filter_map(|(index, message)| Some((index, message, message.id()?)));
    let answer = |(index, message, id)| match refused.iter().find(|(of, _)| *of == index) {
        Some((_, refused)) => refused.reply(id, config),
        None => Refused::with_its_batch(message).reply(id, config),
    };
    requests.map(answer).collect()
}

/// Whether the client takes only an event stream. JSON is preferred wherever it is accepted.
fn wants_events(headers: &Headers) -> bool {
    let accepts = |kind: &[u8]| headers.all("accept").any(|value| contains_ignore_case(value, kind));
    accepts(EVENTS.as_bytes()) && !accepts(JSON.as_bytes()) && !accepts(b"*/*")
}
