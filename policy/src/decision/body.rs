//! All messages of a body by all policies of its route.

use smallvec::SmallVec;

use super::{Decision, Effort, Facts, Refusal, Taking, Watch, judge_watched};
use crate::document::Policy;
use crate::message::Body;
use crate::pins::Lock;

/// What the policies say of a body.
#[derive(Debug, Default)]
pub struct JudgedBody<'p> {
    /// What they say of each message.
    pub messages: SmallVec<[Judged<'p>; 1]>,
    /// What its messages take from limits. Most calls take from one or two.
    pub dues: SmallVec<[Due<'p>; 2]>,
}

/// What the policies say of one message. Who says so is a policy, by its name.
#[derive(Debug, Clone, Default)]
pub struct Judged<'p> {
    /// Who refuses, and why.
    pub refused: Option<(&'p str, Refusal<'p>)>,
    /// Who wants somebody to approve.
    pub approval: Option<(&'p str, Refusal<'p>)>,
}

/// What a message of a body takes from one limit.
#[derive(Debug, Clone, Copy)]
pub struct Due<'p> {
    /// The message, by its place in the body.
    pub message: usize,
    /// The policy that the limit is of, by its name.
    pub policy: &'p str,
    /// From which limit, and how much.
    pub taking: Taking<'p>,
}

impl<'p> Judged<'p> {
    /// A policy refuses the message. The first that does decides, unless a later one hides its target.
    pub fn refuse(&mut self, policy: &'p str, refusal: Refusal<'p>) {
        match &self.refused {
            Some((_, first)) if !refusal.overrules(first) => {}
            _ => self.refused = Some((policy, refusal)),
        }
    }
}

/// Judges every message of a body by every policy, up to the limits. `lock` has the tools of the server behind, if they are
/// pinned.
pub fn judge_body<'p, W: Watch>(
    policies: impl Iterator<Item = (&'p str, &'p Policy)>,
    body: &Body<'_>,
    lock: Option<&Lock>,
    facts: &dyn Facts,
    watch: &W,
) -> JudgedBody<'p> {
    let messages = body.messages();
    let mut all = JudgedBody { messages: messages.iter().map(|_| Judged::default()).collect(), ..Default::default() };
    for (policy, rules) in policies {
        let effort = Effort::default();
        for ((message, content), judged) in messages.iter().enumerate().zip(&mut all.messages) {
            // An answer to the server's own question asks for nothing.
            let (Some(method), Some(params)) = (content.method(), content.params()) else { continue };
            watch.begin(policy, message);
            let takings = match judge_watched(rules, method, params, lock, facts, &effort, watch) {
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
            all.dues.extend(takings.into_iter().map(|taking| Due { message, policy, taking }));
        }
    }
    all
}
