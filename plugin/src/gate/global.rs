//! What a rate-limit service is asked about a body, one question after the other.

use policy::decision::Due;
use policy::document::model::Limit;
use policy::global::{self, Answer, Ask, Question};
use policy::message::Message;
use policy::reply::{Exhausted, Retry};

use super::count::{Scopes, Unclear};
use super::{NO_ROOM, SCOPE_UNCLEAR, Verdict, refuse};
use crate::host::{self, Level};
use crate::runtime::Runtime;
use crate::stream::Exchange;

/// What is still to be asked about a body that all else lets pass.
///
/// The body is judged once, and not for each question anew: it may have a megabyte, and a batch hundreds of questions.
pub(crate) struct Questions {
    all: Vec<Owed>,
    /// The one that waits for its answer.
    current: usize,
}

/// A question, and whose it is.
struct Owed {
    message: usize,
    policy: Box<str>,
    limit: Limit,
    question: Question,
}

/// The service does not let the body pass.
pub(crate) struct NotAdmitted {
    /// The question, by its place.
    number: usize,
    /// What to say in place of the limit's words.
    reason: Option<&'static str>,
    exhausted: Option<Exhausted>,
}

impl Questions {
    /// The questions about what is due.
    ///
    /// # Errors
    /// The verdict, if it needs nobody's answer.
    pub(super) fn of<'m>(
        runtime: &Runtime,
        exchange: &Exchange,
        messages: &'m [Message<'_>],
        dues: &[Due<'m>],
        sessions: bool,
    ) -> Result<Self, Verdict<'m>> {
        let Some(settings) = &runtime.config.global_counters else {
            return Err(Verdict::Fail("no rate-limit service is configured".to_owned()));
        };
        let scopes = Scopes::read(dues, exchange, sessions).map_err(|Unclear(index)| {
            let unclear = |due| refuse(due, messages, Some(SCOPE_UNCLEAR), None);
            dues.get(index).map_or_else(|| Verdict::Fail("a limit is not known".to_owned()), unclear)
        })?;
        let mut all: Vec<Owed> = Vec::new();
        for due in dues {
            let question = match global::ask(settings, exchange.caller.principal(), &scopes.charge(due)) {
                Ask::Nothing => continue,
                Ask::Refuse => return Err(refuse(due, messages, None, Some(used_up(due.taking.limit, Retry::Never)))),
                Ask::Service(question) => question,
            };
            // A call adds to a counter once, however many of its limits name it.
            if !all.iter().any(|other| other.message == due.message && other.question == question) {
                let limit = due.taking.limit.clone();
                all.push(Owed { message: due.message, policy: due.policy.into(), limit, question });
            }
        }
        Ok(Self { all, current: 0 })
    }

    /// The `RateLimitRequest` that is to be sent, or waits for its answer. `None` if nothing is left to ask.
    pub(crate) fn request(&self) -> Option<&[u8]> {
        self.all.get(self.current).map(|owed| owed.question.request())
    }

    /// Takes the answer to it, a `RateLimitResponse` or why there is none, and goes on to the next.
    ///
    /// # Errors
    /// If the body is refused by it.
    pub(crate) fn take_answer(&mut self, runtime: &Runtime, answer: Result<&[u8], &str>) -> Result<(), NotAdmitted> {
        let number = self.current;
        self.current = number.saturating_add(1);
        let refused = |reason, exhausted| Err(NotAdmitted { number, reason, exhausted });
        let Some(Owed { limit, question, .. }) = self.all.get(number) else { return refused(Some(NO_ROOM), None) };
        let read = |answer| question.read(answer).map_err(|misanswer| misanswer.to_string());
        match answer.map_err(str::to_owned).and_then(read) {
            Ok(Answer::Admitted) => Ok(()),
            Ok(Answer::OverLimit { retry_after_ms }) => {
                let retry = retry_after_ms.map_or(Retry::Unknown, Retry::AfterMs);
                refused(None, Some(used_up(limit, retry)))
            }
            Err(why) => {
                let allow = runtime.config.global_counters.as_ref().is_some_and(|settings| settings.allow_on_error);
                runtime.metrics.global_failed.increment();
                let what = if allow { "passes uncounted" } else { "is refused" };
                host::log(Level::Warn, &format!("mcp_policy: a call {what} by {}: {why}", limit.pointer));
                if allow { Ok(()) } else { refused(Some(NO_ROOM), None) }
            }
        }
    }

    /// What becomes of the body, whose messages these are.
    pub(crate) fn verdict<'m>(&'m self, outcome: Result<(), NotAdmitted>, messages: &'m [Message<'_>]) -> Verdict<'m> {
        let Err(NotAdmitted { number, reason, exhausted }) = outcome else { return Verdict::Pass(None) };
        match self.all.get(number) {
            Some(Owed { message, policy, limit, .. }) => {
                super::refuse_by(limit, policy, *message, messages, reason, exhausted)
            }
            None => Verdict::Fail("the rate-limit service was not asked this".to_owned()),
        }
    }
}

/// What is left is not told by every service, and is less than the call would add.
fn used_up(limit: &Limit, retry: Retry) -> Exhausted {
    Exhausted { retry, remaining: 0, unit: limit.unit }
}
