//! What an admitted body holds, or may be given back, until it is known how its calls have ended.

use std::rc::Rc;

use policy::answer::{Answers, Ending, Form};
use policy::document::model::{Limit, Refund};
use policy::message::{Id, Message};
use policy::quota::{LeaseId, Left, QuotaError, Taken, Window};

use crate::host::{self, Headers, Level};
use crate::runtime::Runtime;

/// An admitted body, from its admission to its end. Settled exactly once: by what ended it, or when it is dropped.
pub(crate) struct Admission {
    runtime: Rc<Runtime>,
    taken: Taken,
    /// Of each charge.
    terms: Vec<Terms>,
    /// The request with its body has been let go.
    sent: bool,
    fate: Fate,
    answers: Option<Answers>,
    settled: bool,
}

/// What becomes of one charge when its call has ended.
struct Terms {
    refund: Refund,
    linger_ms: u64,
    /// The message, by its place among the requests of the body; none for a notification.
    request: Option<usize>,
}

/// What is known of the answer.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    /// Envoy has answered itself, and no byte of the body went to a server.
    unsent: bool,
    /// Envoy has answered itself, after a server may have got the body: it may still work.
    abandoned: bool,
    /// The server's answer has a status from 500 to 599.
    upstream_5xx: bool,
}

impl Admission {
    /// What was taken for the messages of a body; of each charge, its limit and the message by its place.
    pub(crate) fn new<'m>(
        runtime: Rc<Runtime>,
        taken: Taken,
        charges: impl Iterator<Item = (&'m Limit, usize)>,
        messages: &[Message<'_>],
    ) -> Self {
        let request = |place: usize| {
            messages.get(place)?.id()?;
            Some(messages.iter().take(place).filter_map(Message::id).count())
        };
        let terms = charges.map(|(limit, place)| Terms {
            refund: limit.refund.clone(),
            linger_ms: limit.linger_ms,
            request: request(place),
        });
        let terms = terms.collect();
        for lease in taken.leases() {
            runtime.leases.begin(lease.id, lease.count);
        }
        runtime.adjust_ticks();
        Self { runtime, taken, terms, sent: false, fate: Fate::default(), answers: None, settled: false }
    }

    /// Whether what a limit counts can be given back, or ends with the call.
    pub(crate) fn is_awaited(limit: &Limit) -> bool {
        limit.window == Window::Running || limit.refund != Refund::default()
    }

    /// The request goes on with its body.
    pub(crate) fn send(&mut self) {
        self.sent = true;
    }

    /// An answer has begun, to requests with these ids.
    pub(crate) fn answer_begins(&mut self, headers: impl FnOnce() -> Option<Headers>, ids: impl FnOnce() -> Vec<Id>) {
        if let Some(unsent) = of_envoy() {
            self.fate.unsent = unsent;
            self.fate.abandoned = !unsent;
            return;
        }
        let reads_answers = self.terms.iter().any(|terms| terms.refund.reads_answers());
        if !reads_answers && !self.terms.iter().any(|terms| terms.refund.upstream_5xx) {
            return;
        }
        let Some(headers) = headers() else { return };
        self.fate.upstream_5xx = headers.first(":status").is_some_and(|status| status.starts_with('5'));
        if reads_answers {
            let events = headers.all("content-type").any(|value| value.starts_with(b"text/event-stream"));
            let form = if events { Form::Events } else { Form::Document };
            let config = &self.runtime.config;
            self.answers = Some(Answers::new(form, ids(), config.max_event_bytes, config.max_depth));
        }
    }

    /// A piece of the answer has come, as the server sent it.
    pub(crate) fn answer_goes_on(&mut self, piece: impl FnOnce() -> host::Result<Vec<u8>>) {
        if let Some(answers) = &mut self.answers {
            match piece() {
                Ok(piece) => answers.push(&piece),
                // What is not read whole says nothing.
                Err(_) => self.answers = None,
            }
        }
    }

    /// The answer has ended, whole: half of one gives nothing back.
    pub(crate) fn answer_ended(mut self) {
        // Otherwise it is the filter's own answer, in the place of what was never sent.
        if self.sent {
            let abandoned = self.fate.abandoned;
            self.settle(abandoned);
        }
    }

    /// The body was never let go: everything is given back.
    fn undo(&mut self) {
        self.settled = true;
        self.end_leases(false);
        self.give_back(|charge| self.taken.leases().all(|lease| lease.charge != charge));
    }

    fn settle(&mut self, may_run: bool) {
        self.settled = true;
        self.end_leases(may_run);
        let endings = self.answers.take().map(Answers::finish).unwrap_or_default();
        let Fate { unsent, upstream_5xx, .. } = self.fate;
        let failed = |terms: &Terms| {
            let ending = terms.request.and_then(|request| endings.get(request).copied().flatten());
            terms.refund.unsent && unsent
                || terms.refund.upstream_5xx && upstream_5xx
                || terms.refund.jsonrpc_error && ending == Some(Ending::JsonRpcError)
                || terms.refund.is_error && ending == Some(Ending::IsError)
        };
        let refunded: Vec<bool> = self.terms.iter().map(failed).collect();
        if refunded.contains(&true) {
            self.give_back(|charge| refunded.get(charge) == Some(&true));
        }
    }

    fn give_back(&self, which: impl Fn(usize) -> bool) {
        let result = self.runtime.quota().and_then(|quota| quota.give_back(&self.runtime.store, &self.taken, which));
        self.note(result, "what a call took cannot be given back");
    }

    fn end_leases(&self, may_run: bool) {
        for lease in self.taken.leases() {
            let linger_ms = self.terms.get(lease.charge).map_or(0, |terms| terms.linger_ms);
            let left = (may_run && linger_ms > 0).then_some(Left { count: lease.count, linger_ms });
            let runtime = &self.runtime;
            let ended = |id: LeaseId| runtime.leases.end((runtime.quota()?, &runtime.store), id, lease.count, left);
            self.note(ended(lease.id), "the end of a call cannot be stated yet");
        }
    }

    fn note(&self, result: Result<(), QuotaError>, what: &str) {
        if let Err(error) = result {
            self.runtime.metrics.uncounted(&error);
            host::log(Level::Warn, &format!("mcp_policy: {what}: {error}"));
        }
    }
}

impl Drop for Admission {
    /// Either the body was never let go; or the exchange is torn down before its answer has ended, and as far as anybody
    /// knows, the server works on.
    fn drop(&mut self) {
        match (self.settled, self.sent) {
            (true, _) => {}
            (false, false) => self.undo(),
            (false, true) => self.end_leases(!self.fate.unsent),
        }
    }
}

/// Whether Envoy answers for itself, and if so, whether no byte of the body can have gone to a server: it found no host,
/// or could not connect to the one it found, at the only attempt. What cannot be asked counts as sent.
fn of_envoy() -> Option<bool> {
    match host::property(&["response", "code_details"]) {
        Ok(Some(details)) if details != b"via_upstream" => Some(is_unsent().unwrap_or(false)),
        Ok(_) => None,
        Err(_) => Some(false),
    }
}

fn is_unsent() -> host::Result<bool> {
    let number = |path: &[&str]| {
        let number = host::property(path)?.and_then(|bytes| bytes.try_into().ok());
        host::Result::Ok(number.map_or(0, u64::from_le_bytes))
    };
    let found_no_host = host::property(&["upstream", "address"])?.is_none_or(|address| address.is_empty());
    let not_connected = number(&["response", "flags"])? & NOT_CONNECTED != 0;
    Ok((found_no_host || not_connected) && number(&["upstream", "request_attempt_count"])? <= 1)
}

/// Response flags UF and UO (Envoy: `CoreResponseFlag::UpstreamConnectionFailure`, `UpstreamOverflow`): the connection
/// was not made, or the request not taken by its pool.
const NOT_CONNECTED: u64 = 0x20 | 0x80;
