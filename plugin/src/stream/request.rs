//! The request on its way in.

use policy::config::{Batches, Transport};
use policy::message::{self, Body, HeaderCopies, Message, ReadError};

use super::head::Head;
use super::{Action, Exchange, Phase, Stream};
use crate::audit;
use crate::caller::{Caller, Claims};
use crate::gate::{self, Verdict};
use crate::host::{self, Buffer, HeaderMap, Headers, Status};
use crate::route::{self, Policies, Uncovered};
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
        let (mut policies, transport) = match choice {
            route::Choice::Pass => {
                self.phase = Phase::Passing;
                return Ok(Action::Continue);
            }
            route::Choice::Judge(policies, transport) => (policies, transport),
        };
        let head = Head::of(&headers);
        let caller = Caller::read(&runtime, &headers, claims).map_err(unread("the caller"))?;
        if let Some(why) = head.refuse_method() {
            return Ok(self.refuse_http(405, why));
        }
        if let Some(why) = head.refuse_session() {
            return Ok(self.refuse_http(400, why));
        }
        // Browsers ask without credentials whether they may send them (Fetch standard, CORS-preflight fetch).
        let preflight = head.method == b"OPTIONS";
        if !preflight
            && caller.is_anonymous()
            && runtime.config.identity.required
            && let Some(reply) = self.ask_to_sign_in(&runtime)
        {
            return Ok(reply);
        }
        if caller.is_unreadable() {
            policies = Policies::None(Uncovered::Grant);
        }
        let post = head.method == b"POST";
        if post {
            if let Some((status, why)) = refuse_post(&head, runtime.config.max_body_bytes, end_of_stream) {
                return Ok(self.refuse_http(status, &why));
            }
        } else if let Policies::None(why) = policies
            && !(preflight && why == Uncovered::Caller)
        {
            return Ok(self.refuse_http(403, why.rule()));
        }
        head.prepare(&runtime).map_err(|status| format!("the request headers cannot be changed: {status}"))?;
        let answers = head.method == b"GET";
        let exchange =
            Box::new(Exchange { headers, policies, transport, caller, answers, lists: answers, judged_us: None });
        if !post && end_of_stream {
            return Ok(self.forward_bodyless(exchange));
        }
        self.phase = if post { Phase::Body(exchange) } else { Phase::Bodyless(exchange) };
        if runtime.hold.is_on() {
            self.held_for = Some(0);
            return Ok(Action::Pause);
        }
        Ok(Action::Continue)
    }

    pub(crate) fn on_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.body_comes();
        match core::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Body(exchange) => {
                let limit = self.body_limit();
                if size > limit {
                    if let Some(runtime) = &self.runtime {
                        audit::unjudged(runtime, &exchange, 413, "the body is too large");
                    }
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
            Phase::Bodyless(exchange) => {
                self.phase = Phase::Bodyless(exchange);
                Action::Pause
            }
            Phase::Replied => self.replied(),
            asking @ Phase::Asking(..) => {
                self.phase = asking;
                Action::Pause
            }
            other => {
                self.phase = other;
                self.late_body(size)
            }
        }
    }

    pub(crate) fn on_request_trailers(&mut self) -> Action {
        self.body_comes();
        // With trailers, no body callback says that the body has ended.
        match core::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Body(exchange) => {
                let limit = self.body_limit();
                self.judge(exchange, limit)
            }
            Phase::Bodyless(exchange) => self.forward_bodyless(exchange),
            Phase::Replied => self.replied(),
            asking @ Phase::Asking(..) => {
                self.phase = asking;
                Action::Pause
            }
            other => {
                self.phase = other;
                Action::Continue
            }
        }
    }

    /// Envoy delivers what follows a held head.
    fn body_comes(&mut self) {
        if let (Some(_), Some(runtime)) = (self.held_for.take(), &self.runtime) {
            runtime.hold.works();
        }
    }

    fn body_limit(&self) -> usize {
        self.runtime.as_ref().map_or(0, |runtime| runtime.config.max_body_bytes)
    }

    /// A body after the answer to a request that has none: it is nobody's, and goes nowhere.
    fn late_body(&mut self, size: usize) -> Action {
        let observes = self.runtime.as_ref().is_some_and(|runtime| runtime.observes());
        if self.answered && size > 0 && !observes { Action::Pause } else { Action::Continue }
    }

    fn replied(&mut self) -> Action {
        self.phase = Phase::Replied;
        Action::Pause
    }

    fn forward_bodyless(&mut self, exchange: Box<Exchange>) -> Action {
        self.phase = if exchange.answers { Phase::Answer(exchange, vec![]) } else { Phase::Passing };
        Action::Continue
    }

    /// Judges a body that has ended.
    fn judge(&mut self, mut exchange: Box<Exchange>, size: usize) -> Action {
        let Some(runtime) = self.runtime.clone() else {
            return self.fail("not configured");
        };
        let body = match host::bytes(Buffer::Request, size) {
            Ok(body) => body,
            // Only trailers came: there is no buffer.
            Err(Status::NOT_FOUND) => vec![],
            Err(status) => return self.fail(&format!("the request body cannot be read: {status}")),
        };
        if let Err(status) = exchange.caller.read_clock(&runtime) {
            return self.fail(&format!("the clock cannot be read: {status}"));
        }
        if runtime.config.audit.is_some() {
            exchange.judged_us = host::monotonic_us().ok();
        }
        let copies = HeaderCopies::of(exchange.headers.iter());
        if runtime.observes() {
            runtime.metrics.observed.increment();
        }
        let message = match Self::read_message(&runtime, &exchange, &body, &copies) {
            Ok(message) => message,
            Err(error) => {
                audit::unjudged(&runtime, &exchange, 400, &error.to_string());
                return self.refuse_unreadable(&error);
            }
        };
        if copies.may_be_since(WITHOUT_RESPONSES)
            && message.messages().iter().any(|message| matches!(message, Message::Response))
        {
            let why = "clients of this revision send no responses";
            audit::unjudged(&runtime, &exchange, 400, why);
            return self.refuse_revision(why);
        }
        match gate::judge(&runtime, &exchange, &message, &copies) {
            Verdict::Ask(admission, questions) => {
                self.admission = admission;
                drop(message);
                drop(copies);
                self.ask(exchange, body, questions)
            }
            verdict => match self.settle(&runtime, &exchange, &message, body.len(), verdict) {
                Some(reply) => reply,
                None => self.forward(exchange, &message),
            },
        }
    }

    /// Reads a body by the revision that its headers may be of.
    pub(super) fn read_message<'b>(
        runtime: &Runtime,
        exchange: &Exchange,
        body: &'b [u8],
        copies: &HeaderCopies<'_>,
    ) -> Result<Body<'b>, ReadError> {
        let config = &runtime.config;
        let streamable = exchange.transport == Transport::Streamable;
        let batches = match config.batches {
            Batches::Read if streamable && !copies.may_be_since(WITHOUT_BATCHES) => Batches::Read,
            _ => Batches::Refuse,
        };
        message::read_body(body, config.max_depth, batches)
    }

    /// Lets a judged body go on, and keeps an eye on its answer if that may hold what is not shown.
    pub(super) fn forward(&mut self, mut exchange: Box<Exchange>, message: &Body<'_>) -> Action {
        let Some(runtime) = self.runtime.clone() else {
            return self.fail("not configured");
        };
        let lists = |message: &Message<'_>| message.id().is_some() && message.method().is_some_and(is_list);
        exchange.lists = message.messages().iter().any(lists);
        let looks = runtime.looks(&exchange.policies);
        let requests = || message.messages().iter().filter_map(Message::id);
        // Whatever a client posts, some read what comes back: servers can ask there.
        self.phase = if exchange.lists && looks.listings || looks.servers {
            if self.answer_held {
                return self.fail("the answer to a request began before it was judged");
            }
            Phase::Answer(exchange, requests().cloned().collect())
        } else {
            Phase::Passing
        };
        if let Some(admission) = &mut self.admission {
            admission.send();
            self.asked = requests().cloned().collect();
        }
        if self.answer_over {
            self.see_answer_end();
        }
        self.release_answer()
    }

    /// Lets an answer go on that has begun before the request was judged.
    pub(super) fn release_answer(&mut self) -> Action {
        if self.answer_held
            && let Err(status) = host::resume_response()
        {
            return self.fail(&format!("the answer cannot go on: {status}"));
        }
        Action::Continue
    }
}

/// The first revision that has no batches any more.
const WITHOUT_BATCHES: &str = "2025-06-18";

/// The first revision in which servers ask by results, so that clients answer with requests.
const WITHOUT_RESPONSES: &str = "2026-07-28";

/// Requests whose answer is a listing, or may be that to another request.
fn is_list(method: &str) -> bool {
    matches!(method, "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list")
        || method.starts_with("tasks/")
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
