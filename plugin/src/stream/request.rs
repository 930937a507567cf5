//! The request on its way in.

use policy::config::{RequestHeaders, Transport};
use policy::message::{self, Message};

use super::head::Head;
use super::{Action, Exchange, Phase, Stream};
use crate::caller::{Caller, Claims};
use crate::gate::{self, Verdict};
use crate::host::{self, Buffer, HeaderMap, Headers, Status};
use crate::route::{self, Policies};
use crate::runtime::Runtime;

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
        let head = Head::of(&headers);
        let post = head.method == b"POST";
        if transport == Transport::Sse && post {
            return Ok(self.refuse_http(403, "routes of the SSE transport do not take calls yet"));
        }
        let caller = Caller::read(&runtime, &headers, claims).map_err(unread("the caller"))?;
        if let Some(action) = self.refuse_caller(&runtime, &caller) {
            return Ok(action);
        }
        if let Some(why) = head.refuse_method() {
            return Ok(self.refuse_http(405, why));
        }
        if post && let Some((status, why)) = refuse_post(&head, runtime.config.max_body_bytes, end_of_stream) {
            return Ok(self.refuse_http(status, &why));
        }
        if !post && matches!(policies, Policies::None) {
            return Ok(self.refuse_http(403, policy::decision::NO_POLICY));
        }
        head.prepare(&runtime).map_err(|status| format!("the request headers cannot be changed: {status}"))?;
        let answers = head.method == b"GET";
        let exchange = Box::new(Exchange { headers, policies, caller, answers });
        if post {
            self.phase = Phase::Body(exchange);
        } else if end_of_stream {
            return Ok(self.forward_bodyless(exchange));
        } else {
            self.phase = Phase::Bodyless(exchange);
        }
        Ok(match runtime.config.request_headers {
            // The headers wait for the body's verdict. Without `allow_on_headers_stop_iteration` that would stop the
            // body as well, so it is the operator's to say.
            RequestHeaders::Hold => Action::Pause,
            RequestHeaders::Stream => Action::Continue,
        })
    }

    pub(crate) fn on_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        if self.sealed {
            return Action::Pause;
        }
        match core::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Body(exchange) => {
                let limit = self.runtime.as_ref().map_or(0, |runtime| runtime.config.max_body_bytes);
                if size > limit {
                    return self.refuse_http(413, &too_large(limit));
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
        if self.sealed {
            return Action::Pause;
        }
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

    fn forward_bodyless(&mut self, exchange: Box<Exchange>) -> Action {
        self.phase = if exchange.answers { Phase::Answer(exchange, None) } else { Phase::Passing };
        Action::Continue
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

/// Why a POST is refused before its body is seen.
fn refuse_post(head: &Head<'_>, limit: usize, end_of_stream: bool) -> Option<(u32, String)> {
    if let Some(why) = head.refuse_encoding() {
        return Some((400, why.to_owned()));
    }
    if head.content_length.is_some_and(|length| length > limit as u64) {
        return Some((413, too_large(limit)));
    }
    end_of_stream.then(|| (400, "a POST must carry a JSON-RPC message".to_owned()))
}

fn too_large(limit: usize) -> String {
    format!("the body is larger than {limit} bytes")
}

fn unread(what: &str) -> impl Fn(Status) -> String {
    move |status| format!("{what} cannot be read: {status}")
}
