//! The messages of a body against their policies and counters.

mod count;
mod refused;

use std::rc::Rc;

use policy::config::Transport;
use policy::decision::{self, Decision, Effort, Refusal, RefusalKind};
use policy::message::{Body, HeaderCopies, HeaderMismatch, Id, Message, Params};
use policy::quota::QuotaError;

use crate::admission::Admission;
use crate::caller::RequestFacts;
use crate::host::{self, Level};
use crate::route::Policies;
use crate::runtime::Runtime;
use crate::stream::Exchange;
use count::{Counted, Due, Uncounted};

pub(crate) use refused::Refused;

/// What becomes of a body.
pub(crate) enum Verdict<'m> {
    /// It goes on to the server. What it took may be given back, or end with its answer.
    Pass(Option<Box<Admission>>),
    /// None of it does, because of these of its messages. The client is told why.
    Refuse(Vec<(usize, Refused<'m>)>),
    /// The headers say something else than a message, whose id this is.
    Mismatch(HeaderMismatch, Option<&'m Id>),
    /// It could not be judged or counted: the client is told so, and the log why.
    Fail(String),
}

const SCOPE_UNCLEAR: &str = "A header that this is counted by is there more than once, unreadable or too long.";
const NO_ROOM: &str = "This cannot be counted at the moment.";

/// Whether the client speaks 2026-07-28 or later: without sessions, and results say their type. Revisions compare as
/// text: they are ISO dates.
fn is_stateless(params: &Params<'_>) -> bool {
    params.protocol_version.as_deref().is_some_and(|version| version >= STATELESS)
}

/// The first revision without sessions.
const STATELESS: &str = "2026-07-28";

/// What the policies say of one message.
#[derive(Default)]
struct Judged<'m> {
    /// Who refuses, and why.
    refused: Option<(&'m str, Refusal<'m>)>,
    /// Who wants somebody to approve.
    approval: Option<(&'m str, Refusal<'m>)>,
}

impl<'m> Judged<'m> {
    fn refuse(&mut self, policy: &'m str, refusal: Refusal<'m>) {
        match &self.refused {
            // Whatever another policy says of it: a target that one hides does not exist.
            Some((_, first)) if first.kind == RefusalKind::Hidden || refusal.kind != RefusalKind::Hidden => {}
            _ => self.refused = Some((policy, refusal)),
        }
    }
}

/// Judges a body by all policies of its route, and takes what its messages count: all of it goes on, or nothing.
pub(crate) fn judge<'m>(
    runtime: &'m Rc<Runtime>,
    exchange: &Exchange,
    body: &'m Body<'_>,
    copies: &HeaderCopies<'_>,
) -> Verdict<'m> {
    let Exchange { policies, caller, headers, .. } = exchange;
    let messages = body.messages();
    if let Policies::None(why) = policies {
        let all = messages.iter().enumerate();
        return Verdict::Refuse(all.map(|(index, message)| (index, Refused::uncovered(message, *why))).collect());
    }
    if let Some((mismatch, id)) = disagreement(messages, copies) {
        return Verdict::Mismatch(mismatch, id);
    }
    let facts = RequestFacts::new(runtime, caller, headers);
    let mut judged: Vec<Judged<'_>> = messages.iter().map(|_| Judged::default()).collect();
    let mut dues = vec![];
    for (policy, rules) in runtime.policies(policies) {
        let effort = Effort::default();
        for ((message, content), judged) in messages.iter().enumerate().zip(&mut judged) {
            // An answer to the server's own question asks for nothing.
            let (Some(method), Some(params)) = (content.method(), content.params()) else { continue };
            let takings = match decision::judge(rules, method, params, &facts, &effort) {
                Decision::Refuse(refusal) => {
                    judged.refuse(policy, refusal);
                    continue;
                }
                // Nobody is asked about a part of a batch.
                Decision::Approve(refusal, _) if matches!(body, Body::Batch(_)) => {
                    judged.refuse(policy, refusal);
                    continue;
                }
                Decision::Approve(refusal, takings) => {
                    judged.approval = judged.approval.take().or(Some((policy, refusal)));
                    takings
                }
                Decision::Allow(takings) => takings,
            };
            dues.extend(takings.into_iter().map(|taking| Due { message, policy, taking }));
        }
    }
    let refused = |judged: &[Judged<'m>], why: fn(&Judged<'m>) -> Option<(&'m str, Refusal<'m>)>| -> Vec<_> {
        let whys = judged.iter().zip(messages).enumerate();
        whys.filter_map(|(index, (judged, message))| {
            why(judged).map(|(policy, refusal)| (index, Refused::of(message, policy, refusal)))
        })
        .collect()
    };
    let refusals = refused(&judged, |judged| judged.refused);
    if !refusals.is_empty() {
        return Verdict::Refuse(refusals);
    }
    // Until an approval service is asked, nobody can have approved.
    let unapproved = refused(&judged, |judged| judged.approval);
    // Where there are no sessions, a client could write any.
    let sessions = exchange.transport == Transport::Streamable && !copies.may_be_since(STATELESS);
    match take(runtime, messages, &dues, exchange, sessions, !unapproved.is_empty()) {
        Verdict::Pass(_) if !unapproved.is_empty() => Verdict::Refuse(unapproved),
        verdict => verdict,
    }
}

/// The first message that the headers disagree with.
fn disagreement<'m>(
    messages: &'m [Message<'_>],
    copies: &HeaderCopies<'_>,
) -> Option<(HeaderMismatch, Option<&'m Id>)> {
    messages.iter().find_map(|message| copies.agree_with(message).err().map(|mismatch| (mismatch, message.id())))
}

/// Takes what is due, or only looks whether it could be taken.
fn take<'m>(
    runtime: &'m Rc<Runtime>,
    messages: &'m [Message<'_>],
    dues: &[Due<'m>],
    exchange: &Exchange,
    sessions: bool,
    only_look: bool,
) -> Verdict<'m> {
    let limited = |index: usize, reason: Option<&'static str>, exhausted| {
        let due = dues.get(index).and_then(|due| Some((due, messages.get(due.message)?)));
        let Some((Due { message: index, policy, taking }, message)) = due else {
            return Verdict::Fail("a limit is not known".to_owned());
        };
        let reason = reason.unwrap_or(&taking.limit.on_deny);
        let refusal = Refusal { kind: RefusalKind::Limited, rule: &taking.limit.pointer, reason };
        Verdict::Refuse(vec![(*index, Refused { exhausted, ..Refused::of(message, policy, refusal) })])
    };
    let sessions = sessions && !messages.iter().filter_map(Message::params).any(is_stateless);
    match count::count(runtime, dues, exchange, sessions, only_look) {
        Ok(Counted::Taken(taken)) => {
            let awaited = !only_look && dues.iter().any(|due| Admission::is_awaited(due.taking.limit));
            let charges = dues.iter().map(|due| (due.taking.limit, due.message));
            let admission = awaited.then(|| Box::new(Admission::new(Rc::clone(runtime), taken, charges, messages)));
            Verdict::Pass(admission)
        }
        Ok(Counted::Refused(index, exhausted)) => limited(index, None, Some(exhausted)),
        Err(Uncounted::Unclear(index)) => limited(index, Some(SCOPE_UNCLEAR), None),
        Err(Uncounted::Quota(error)) => {
            runtime.metrics.uncounted.increment();
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
