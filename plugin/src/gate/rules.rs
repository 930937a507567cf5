//! What the policies say of the messages of a body, and what these owe to limits.

use std::rc::Rc;

use policy::config::Transport;
use policy::decision::{self, Judged, JudgedBody, Refusal, Target};
use policy::message::{Body, HeaderCopies, HeaderMismatch, Id, Message, Params, STATELESS};

use super::{Dues, Refused, Verdict};
use crate::caller::RequestFacts;
use crate::pins;
use crate::route::Policies;
use crate::runtime::Runtime;
use crate::stream::Exchange;

/// What the messages of a body that no policy refuses owe.
pub(super) struct Owed<'m> {
    pub(super) dues: Dues<'m>,
    /// Messages that somebody has to approve.
    pub(super) unapproved: Vec<(usize, Refused<'m>)>,
    /// The client has a session of its own. Where there are none, it could write any.
    pub(super) sessions: bool,
}

/// Judges a body by the rules of all policies of its route.
///
/// # Errors
/// The verdict, if it does not pass.
pub(super) fn owed<'m>(
    runtime: &'m Rc<Runtime>,
    exchange: &Exchange,
    body: &'m Body<'_>,
    copies: &HeaderCopies<'_>,
) -> Result<Owed<'m>, Verdict<'m>> {
    let Exchange { policies, caller, headers, .. } = exchange;
    let messages = body.messages();
    if let Policies::None(why) = policies {
        let all = messages.iter().enumerate();
        let refused = all.map(|(index, message)| (index, Refused::uncovered(message, *why)));
        return Err(Verdict::Refuse(refused.collect()));
    }
    if let Some((mismatch, id)) = disagreement(messages, copies) {
        return Err(Verdict::Mismatch(mismatch, id));
    }
    let facts = RequestFacts::new(runtime, caller, headers);
    let lock = runtime.lock(policies).map(|(_, lock)| lock);
    let JudgedBody { messages: mut judged, dues } =
        decision::judge_body(runtime.policies(policies), body, lock, &facts, &());
    unpinned(runtime, policies, messages, &mut judged)?;
    let refused = |judged: &[Judged<'m>], why: fn(&Judged<'m>) -> Option<(&'m str, Refusal<'m>)>| -> Vec<_> {
        let whys = judged.iter().zip(messages).enumerate();
        whys.filter_map(|(index, (judged, message))| {
            why(judged).map(|(policy, refusal)| (index, Refused::of(message, policy, refusal)))
        })
        .collect()
    };
    let refusals = refused(&judged, |judged| judged.refused.clone());
    if !refusals.is_empty() {
        return Err(Verdict::Refuse(refusals));
    }
    let unapproved = refused(&judged, |judged| judged.approval.clone());
    let sessions = have_sessions(exchange, messages, copies);
    Ok(Owed { dues, unapproved, sessions })
}

/// Whether the client has a session of its own. Where there are none, it could write any.
pub(crate) fn have_sessions(exchange: &Exchange, messages: &[Message<'_>], copies: &HeaderCopies<'_>) -> bool {
    exchange.transport == Transport::Streamable
        && !copies.may_be_since(STATELESS)
        && !messages.iter().filter_map(Message::params).any(Params::is_stateless)
}

/// Refuses calls of tools that are not those that were reviewed.
fn unpinned<'m>(
    runtime: &'m Rc<Runtime>,
    policies: &Policies,
    messages: &'m [Message<'_>],
    judged: &mut [Judged<'m>],
) -> Result<(), Verdict<'m>> {
    let Some((name, lock)) = runtime.lock(policies) else { return Ok(()) };
    let tool = |message: &'m Message<'_>| match Target::of(message.method()?, message.params()?) {
        Target::Tool(tool) => Some(tool),
        _ => None,
    };
    let mut tools =
        messages.iter().zip(judged).filter_map(|(message, judged)| Some((tool(message)?, judged))).peekable();
    if tools.peek().is_none() {
        return Ok(());
    }
    let states = pins::states(runtime, lock)
        .map_err(|unknown| Verdict::Fail(format!("the call cannot be judged: {unknown}")))?;
    for (tool, judged) in tools {
        if let Some(refusal) = lock.refusal(tool, &states) {
            judged.refuse(name, refusal);
        }
    }
    Ok(())
}

/// The first message that the headers disagree with.
fn disagreement<'m>(
    messages: &'m [Message<'_>],
    copies: &HeaderCopies<'_>,
) -> Option<(HeaderMismatch, Option<&'m Id>)> {
    messages.iter().find_map(|message| copies.agree_with(message).err().map(|mismatch| (mismatch, message.id())))
}
