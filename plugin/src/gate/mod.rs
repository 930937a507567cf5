//! The messages of a body against their policies and counters.
//!
//! The way of a body: all policies of its route judge it ([`rules`]); what its messages owe is taken from the counters of
//! this Envoy ([`count`]), and last of all a rate-limit service is asked about what a fleet shares ([`global`]).

mod count;
mod global;
mod refused;
mod rules;

use std::rc::Rc;

use policy::decision::{Due, Refusal, RefusalKind};
use policy::document::model::{Limit, Store};
use policy::message::{Body, HeaderCopies, HeaderMismatch, Id, Message};
use policy::quota::{Outcome, QuotaError, Taken};
use policy::reply::Exhausted;
use smallvec::SmallVec;

use crate::admission::Admission;
use crate::host::{self, Level};
use crate::runtime::Runtime;
use crate::stream::Exchange;
use count::{Scopes, Unclear};
use rules::Owed;

pub(crate) use global::{NotAdmitted, Questions};
pub(crate) use refused::Refused;
pub(crate) use rules::have_sessions;

/// What becomes of a body.
pub(crate) enum Verdict<'m> {
    /// It goes on to the server. What it took may be given back, or end with its answer.
    Pass(Option<Box<Admission>>),
    /// It goes on if a rate-limit service lets it, which is to be asked this. Else what it took is given back.
    Ask(Option<Box<Admission>>, Questions),
    /// None of it does, because of these of its messages. The client is told why.
    Refuse(Vec<(usize, Refused<'m>)>),
    /// The headers say something else than a message, whose id this is.
    Mismatch(HeaderMismatch, Option<&'m Id>),
    /// It could not be judged or counted: the client is told so, and the log why.
    Fail(String),
}

const SCOPE_UNCLEAR: &str = "A header that this is counted by is there more than once, unreadable or too long.";
const NO_ROOM: &str = "This cannot be counted at the moment.";

/// Most calls owe one limit or two.
type Dues<'m> = SmallVec<[Due<'m>; 2]>;

/// Judges a body by all policies of its route, and takes what its messages count: all of it goes on, or nothing.
pub(crate) fn judge<'m>(
    runtime: &'m Rc<Runtime>,
    exchange: &Exchange,
    body: &'m Body<'_>,
    copies: &HeaderCopies<'_>,
) -> Verdict<'m> {
    match rules::owed(runtime, exchange, body, copies) {
        Ok(owed) => take(runtime, body.messages(), exchange, owed),
        Err(verdict) => verdict,
    }
}

/// Takes what is due, or only looks whether it could be taken if somebody has to approve: until an approval service is
/// asked, nobody can have.
fn take<'m>(
    runtime: &'m Rc<Runtime>,
    messages: &'m [Message<'_>],
    exchange: &Exchange,
    Owed { dues, unapproved, sessions }: Owed<'m>,
) -> Verdict<'m> {
    let only_look = !unapproved.is_empty();
    let is_local = |due: &Due<'_>| due.taking.limit.store == Store::Local;
    let (sorted, others): (Vec<Due<'_>>, Vec<Due<'_>>);
    let (local, global): (&[Due<'_>], &[Due<'_>]) = if dues.iter().all(is_local) {
        (&dues, &[])
    } else {
        (sorted, others) = dues.iter().partition(|due| is_local(due));
        (&sorted, &others)
    };
    let limited = |index: usize, reason, exhausted| match local.get(index) {
        Some(due) => refuse(due, messages, reason, exhausted),
        None => Verdict::Fail("a limit is not known".to_owned()),
    };
    let pass = |taken: Taken| {
        let is_awaited = !global.is_empty() || local.iter().any(|due| Admission::is_awaited(due.taking.limit));
        let charges = local.iter().map(|due| (due.taking.limit, due.message));
        let admission = is_awaited.then(|| Box::new(Admission::new(Rc::clone(runtime), taken, charges, messages)));
        if global.is_empty() {
            return Verdict::Pass(admission);
        }
        match Questions::of(runtime, exchange, messages, global, sessions) {
            Ok(questions) if questions.request().is_none() => Verdict::Pass(admission),
            Ok(questions) => Verdict::Ask(admission, questions),
            // With the admission, what it took is given back.
            Err(verdict) => verdict,
        }
    };
    if local.is_empty() {
        return if only_look { Verdict::Refuse(unapproved) } else { pass(Taken::default()) };
    }
    let scopes = match Scopes::read(local, exchange, sessions) {
        Ok(scopes) => scopes,
        Err(Unclear(index)) => return limited(index, Some(SCOPE_UNCLEAR), None),
    };
    match count::count(runtime, local, &scopes, only_look) {
        Ok(Outcome::Admitted(_)) if only_look => Verdict::Refuse(unapproved),
        Ok(Outcome::Admitted(taken)) => {
            if taken.is_shared() {
                runtime.metrics.counters_shared.increment();
            }
            pass(taken)
        }
        Ok(Outcome::Refused(refusal)) => limited(refusal.charge, None, Some(count::exhausted(local, refusal))),
        Err(error) => {
            runtime.metrics.uncounted(&error);
            host::log(Level::Warn, &format!("mcp_policy: a call cannot be counted: {error}"));
            match error {
                // The client's session goes on: there may be room later.
                QuotaError::Full { charge } => limited(charge, Some(NO_ROOM), None),
                QuotaError::Contended => limited(0, Some(NO_ROOM), None),
                error => Verdict::Fail(format!("the call cannot be counted: {error}")),
            }
        }
    }
}

/// A limit refuses a body for one of its messages, with its own words or with these.
fn refuse<'m>(
    due: &Due<'m>,
    messages: &'m [Message<'_>],
    reason: Option<&'static str>,
    exhausted: Option<Exhausted>,
) -> Verdict<'m> {
    refuse_by(due.taking.limit, due.policy, due.message, messages, reason, exhausted)
}

/// As [`refuse`], by a limit of a policy for the message at a place.
fn refuse_by<'m>(
    limit: &'m Limit,
    policy: &'m str,
    place: usize,
    messages: &'m [Message<'_>],
    reason: Option<&'static str>,
    exhausted: Option<Exhausted>,
) -> Verdict<'m> {
    let Some(message) = messages.get(place) else {
        return Verdict::Fail("a limit is not known".to_owned());
    };
    let reason = reason.unwrap_or(&limit.on_deny);
    let refusal = Refusal { kind: RefusalKind::Limited, rule: &limit.pointer, reason: reason.into() };
    Verdict::Refuse(vec![(place, Refused { exhausted, ..Refused::of(message, policy, refusal) })])
}
