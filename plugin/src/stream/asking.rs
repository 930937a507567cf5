//! A body that waits for what a rate-limit service says of it.

use policy::global;
use policy::message::{Body, HeaderCopies};

use super::{Action, Exchange, Phase, Stream};
use crate::audit;
use crate::gate::{NotAdmitted, Questions, Verdict};
use crate::host;
use crate::runtime::Runtime;

/// A body that waits, and for what.
pub(crate) struct Asking {
    body: Vec<u8>,
    questions: Questions,
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
    pub(super) fn ask(&mut self, exchange: Box<Exchange>, body: Vec<u8>, questions: Questions) -> Action {
        let Some(runtime) = self.runtime.clone() else { return self.fail("not configured") };
        self.go_on_asking(&runtime, exchange, Asking { body, questions })
    }

    /// The service has answered, with a message or with why there is none.
    pub(crate) fn on_answer(&mut self, answer: Result<Vec<u8>, String>) -> Action {
        let (exchange, mut asking) = match core::mem::replace(&mut self.phase, Phase::Passing) {
            Phase::Asking(exchange, asking) => (exchange, asking),
            other => {
                self.phase = other;
                return Action::Pause;
            }
        };
        let Some(runtime) = self.runtime.clone() else { return self.fail("not configured") };
        match asking.questions.take_answer(&runtime, answer.as_deref().map_err(String::as_str)) {
            Ok(()) => self.go_on_asking(&runtime, exchange, asking),
            refused => self.conclude(&runtime, exchange, &asking, refused),
        }
    }

    /// Asks what is left to ask.
    fn go_on_asking(&mut self, runtime: &Runtime, exchange: Box<Exchange>, mut asking: Asking) -> Action {
        while let Some(request) = asking.questions.request() {
            match send(runtime, request) {
                Asked::Sent(token) => {
                    self.token = Some(token);
                    self.phase = Phase::Asking(exchange, asking);
                    return Action::Pause;
                }
                Asked::Failed(why) => {
                    let refused = asking.questions.take_answer(runtime, Err(&why));
                    if refused.is_err() {
                        return self.conclude(runtime, exchange, &asking, refused);
                    }
                }
            }
        }
        self.conclude(runtime, exchange, &asking, Ok(()))
    }

    /// All is answered, or enough.
    fn conclude(
        &mut self,
        runtime: &Runtime,
        exchange: Box<Exchange>,
        Asking { body, questions }: &Asking,
        outcome: Result<(), NotAdmitted>,
    ) -> Action {
        let copies = HeaderCopies::of(exchange.headers.iter());
        // It is not kept while it waits: only its bytes are.
        let message = match Self::read_message(runtime, &exchange, body, &copies) {
            Ok(message) => message,
            Err(error) => return self.refuse_unreadable(&error),
        };
        let verdict = questions.verdict(outcome, message.messages());
        match self.settle(runtime, &exchange, &message, body.len(), verdict) {
            Some(reply) => reply,
            None => {
                drop(copies);
                self.forward(exchange, &message)
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
            Verdict::Fail(_) | Verdict::Ask(..) => audit::unjudged(runtime, exchange, 503, "the filter failed"),
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
            Verdict::Ask(..) => Some(self.fail("a question has been asked already")),
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
