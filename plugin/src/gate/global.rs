//! What a rate-limit service is asked about a body, one question after the other.
//!
//! Between a question and its answer nothing of the body is kept but its bytes: it is judged anew by the same facts, and
//! owes the same.

use std::rc::Rc;

use policy::decision::Due;
use policy::document::model::Store;
use policy::global::{self, Answer, Ask, Question};
use policy::message::{Body, HeaderCopies};
use policy::reply::{Exhausted, Retry};

use super::count::{Scopes, Unclear};
use super::{NO_ROOM, SCOPE_UNCLEAR, Verdict, refuse, rules};
use crate::host::{self, Level};
use crate::runtime::Runtime;
use crate::stream::Exchange;

/// What is known once a question is asked, or answered.
pub(crate) enum Answered<'m> {
    /// There is a question of this number; it is this `RateLimitRequest`.
    Question(Vec<u8>),
    /// All is settled.
    Settled(Verdict<'m>),
}

/// The question of a number, from 0 on; or that there are no more.
pub(crate) fn question<'m>(
    runtime: &'m Rc<Runtime>,
    exchange: &Exchange,
    body: &'m Body<'_>,
    copies: &HeaderCopies<'_>,
    number: usize,
) -> Answered<'m> {
    match questions(runtime, exchange, body, copies) {
        Ok(questions) => match questions.get(number) {
            Some((_, question)) => Answered::Question(question.request().to_vec()),
            None => Answered::Settled(Verdict::Pass(None)),
        },
        Err(verdict) => Answered::Settled(verdict),
    }
}

/// What the answer to a question says, a `RateLimitResponse` or why there is none; then, the next question.
pub(crate) fn answer<'m>(
    runtime: &'m Rc<Runtime>,
    exchange: &Exchange,
    body: &'m Body<'_>,
    copies: &HeaderCopies<'_>,
    number: usize,
    answer: Result<&[u8], &str>,
) -> Answered<'m> {
    let questions = match questions(runtime, exchange, body, copies) {
        Ok(questions) => questions,
        Err(verdict) => return Answered::Settled(verdict),
    };
    let Some((due, asked)) = questions.get(number) else {
        return Answered::Settled(Verdict::Fail("the rate-limit service was not asked this".to_owned()));
    };
    let read = |answer| asked.read(answer).map_err(|misanswer| misanswer.to_string());
    match answer.map_err(str::to_owned).and_then(read) {
        Ok(Answer::Admitted) => {}
        Ok(Answer::OverLimit { retry_after_ms }) => {
            let retry = retry_after_ms.map_or(Retry::Unknown, Retry::AfterMs);
            return Answered::Settled(refuse(due, body.messages(), None, Some(used_up(due, retry))));
        }
        Err(why) => {
            let allow = runtime.config.global_counters.as_ref().is_some_and(|settings| settings.allow_on_error);
            runtime.metrics.global_failed.increment();
            let what = if allow { "passes uncounted" } else { "is refused" };
            host::log(Level::Warn, &format!("mcp_policy: a call {what} by {}: {why}", due.taking.limit.pointer));
            if !allow {
                return Answered::Settled(refuse(due, body.messages(), Some(NO_ROOM), None));
            }
        }
    }
    match questions.get(number.saturating_add(1)) {
        Some((_, next)) => Answered::Question(next.request().to_vec()),
        None => Answered::Settled(Verdict::Pass(None)),
    }
}

/// All questions about a body, each with whose they are.
///
/// # Errors
/// The verdict, if it needs nobody's answer.
fn questions<'m>(
    runtime: &'m Rc<Runtime>,
    exchange: &Exchange,
    body: &'m Body<'_>,
    copies: &HeaderCopies<'_>,
) -> Result<Vec<(Due<'m>, Question)>, Verdict<'m>> {
    let owed = rules::owed(runtime, exchange, body, copies)?;
    let Some(settings) = &runtime.config.global_counters else {
        return Err(Verdict::Fail("no rate-limit service is configured".to_owned()));
    };
    let dues: Vec<Due<'m>> = owed.dues.into_iter().filter(|due| due.taking.limit.store == Store::Global).collect();
    let scopes = match Scopes::read(&dues, exchange, owed.sessions) {
        Ok(scopes) => scopes,
        Err(Unclear(index)) => {
            let unclear = |due: &Due<'m>| refuse(due, body.messages(), Some(SCOPE_UNCLEAR), None);
            return Err(dues.get(index).map_or_else(|| Verdict::Fail("a limit is not known".to_owned()), unclear));
        }
    };
    let asks: Vec<Ask> =
        dues.iter().map(|due| global::ask(settings, exchange.caller.principal(), &scopes.charge(due))).collect();
    drop(scopes);
    let mut questions: Vec<(Due<'m>, Question)> = Vec::new();
    for (due, ask) in dues.into_iter().zip(asks) {
        match ask {
            Ask::Nothing => {}
            Ask::Refuse => return Err(refuse(&due, body.messages(), None, Some(used_up(&due, Retry::Never)))),
            // A call adds to a counter once, however many of its limits name it.
            Ask::Service(question)
                if questions.iter().any(|(other, known)| other.message == due.message && *known == question) => {}
            Ask::Service(question) => questions.push((due, question)),
        }
    }
    Ok(questions)
}

/// What is left is not told by every service, and is less than the call would add.
fn used_up(due: &Due<'_>, retry: Retry) -> Exhausted {
    Exhausted { retry, remaining: 0, unit: due.taking.limit.unit }
}
