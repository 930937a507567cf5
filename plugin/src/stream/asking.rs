//! A body that waits for what a rate-limit service says of it.

use policy::global;
use policy::message::{Body, HeaderCopies};

use super::{Action, Exchange, Phase, Stream};
use crate::audit;
use crate::gate::{self, Answered, Verdict};
use crate::host;
use crate::runtime::Runtime;

/// A body that waits, and for what.
pub(crate) struct Asking {
    body: Vec<u8>,
    /// The question that was asked last, from 0 on.
    number: usize,
}

/// What happened to a question.
enum Asked {
    /// It is on its way: the answer will come under this token.
    Sent(u32),
    /// It could not be sent.
    Failed(String),
}

impl Stream {
    /// The token of a question that was asked just now, whose answer is to come to [`Stream::on_answer`].
    pub(crate) fn take_token(&mut self) -> Option<u32> {
        self.token.take()
    }

    /// Asks about a body that all else lets pass.
    pub(super) fn ask(&mut self, exchange: Box<Exchange>, body: Vec<u8>) -> Action {
        self.go_on_asking(exchange, Asking { body, number: 0 }, None)
    }

    /// The service has answered, with a message or with why there is none.
    pub(crate) fn on_answer(&mut self, answer: Result<Vec<u8>, String>) -> Action {
        match core::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Asking(exchange, asking) => self.go_on_asking(exchange, asking, Some(answer)),
            other => {
                self.phase = other;
                Action::Pause
            }
        }
    }

    fn go_on_asking(
        &mut self,
        exchange: Box<Exchange>,
        mut asking: Asking,
        mut answer: Option<Result<Vec<u8>, String>>,
    ) -> Action {
        let Some(runtime) = self.runtime.clone() else { return self.fail("not configured") };
        let bytes = core::mem::take(&mut asking.body);
        let copies = HeaderCopies::of(exchange.headers.iter());
        let message = match Self::read_message(&runtime, &exchange, &bytes, &copies) {
            Ok(message) => message,
            Err(error) => return self.refuse_unreadable(&error),
        };
        // Each turn is one question more, of which a body has a bounded number.
        loop {
            let answered = match &answer {
                None => gate::question(&runtime, &exchange, &message, &copies, asking.number),
                Some(answer) => {
                    let answer = answer.as_deref().map_err(String::as_str);
                    let number = asking.number;
                    asking.number = number.saturating_add(1);
                    gate::answer(&runtime, &exchange, &message, &copies, number, answer)
                }
            };
            let request = match answered {
                Answered::Question(request) => request,
                Answered::Settled(verdict) => {
                    return match self.settle(&runtime, &exchange, &message, bytes.len(), verdict) {
                        Some(reply) => reply,
                        None => self.forward(exchange, &message),
                    };
                }
            };
            match send(&runtime, &request) {
                Asked::Sent(token) => {
                    drop(message);
                    drop(copies);
                    self.token = Some(token);
                    self.phase = Phase::Asking(exchange, Asking { body: bytes, ..asking });
                    return Action::Pause;
                }
                Asked::Failed(why) => answer = Some(Err(why)),
            }
        }
    }

    /// What a refused body is answered, if it is; otherwise it goes on.
    pub(super) fn settle(
        &mut self,
        runtime: &Runtime,
        exchange: &Exchange,
        message: &Body<'_>,
        length: usize,
        verdict: Verdict<'_>,
    ) -> Option<Action> {
        match &verdict {
            Verdict::Pass(_) => audit::judged(runtime, exchange, message.messages(), &[]),
            Verdict::Refuse(refused) => audit::judged(runtime, exchange, message.messages(), refused),
            Verdict::Mismatch(mismatch, _) => audit::unjudged(runtime, exchange, 400, &mismatch.to_string()),
            Verdict::Fail(_) | Verdict::Ask(_) => audit::unjudged(runtime, exchange, 503, "the filter failed"),
        }
        match verdict {
            Verdict::Pass(admission) => {
                runtime.metrics.allowed.increment();
                self.admission = self.admission.take().or(admission);
                None
            }
            Verdict::Refuse(refused) => {
                // What was taken before is given back.
                self.admission = None;
                self.refuse_messages(exchange, message, length, &refused)
            }
            Verdict::Mismatch(mismatch, id) => Some(self.refuse_mismatch(id, mismatch)),
            Verdict::Fail(why) if runtime.observes() => {
                host::log(host::Level::Warn, &format!("mcp_policy: observed: would fail: {why}"));
                None
            }
            Verdict::Fail(why) => Some(self.fail(&why)),
            Verdict::Ask(_) => Some(self.fail("a question has been asked already")),
        }
    }
}

fn send(runtime: &Runtime, request: &[u8]) -> Asked {
    let Some(settings) = &runtime.config.global_counters else {
        return Asked::Failed("no rate-limit service is configured".to_owned());
    };
    let service = global::grpc_service(settings);
    match host::grpc_call(&service, global::SERVICE, global::METHOD, request, settings.timeout) {
        Ok(token) => Asked::Sent(token),
        Err(status) => Asked::Failed(format!("the cluster `{}` cannot be called: {status}", settings.cluster)),
    }
}
