//! What is said of a call.

use policy::{
    config::{Choice, Config, Mode, Policies, Route, Transport},
    decision::{self, Decision, Effort, NO_GRANT, Refusal, RefusalKind, Target},
    document::model::Action,
    message::{Id, Message, Params},
    reply::{self, Style},
};
use serde::Serialize;
use serde_json::Value;

use super::{
    caller::Caller,
    watch::{Notes, Step},
};
use crate::failure::Failure;

/// What is said of a call.
#[derive(Debug, Default, Serialize)]
pub(super) struct Explanation {
    /// The method, and what it is about.
    pub(super) method: String,
    pub(super) target: Option<String>,
    /// Which of the configuration's routes decides, counted from 0; none for a bare policy.
    pub(super) route: Option<usize>,
    /// What each policy says, in the order in which they are asked.
    pub(super) policies: Vec<ByPolicy>,
    pub(super) decision: Decided,
    /// What becomes of the decision otherwise than it says.
    pub(super) notes: Vec<&'static str>,
}

/// What one policy says.
#[derive(Debug, Serialize)]
pub(super) struct ByPolicy {
    /// Its name; empty for a bare policy.
    pub(super) policy: String,
    /// The rule for the method, if `methods` has one.
    pub(super) method_rule: Option<MethodRule>,
    pub(super) steps: Vec<Step>,
    /// The paths whose values its rules record, where the configuration has `audit`.
    pub(super) records: Vec<String>,
    pub(super) decision: Decided,
}

/// What `methods` says.
#[derive(Debug, Serialize)]
pub(super) struct MethodRule {
    pub(super) rule: String,
    pub(super) denies: bool,
}

/// What becomes of the call.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Decided {
    /// `allowed`, `denied`, `hidden`, `approval required`, `unauthorized`, `unjudged` or `invalid`.
    pub(super) outcome: &'static str,
    /// The rule that decided, if it does not pass.
    pub(super) rule: Option<String>,
    /// What is said of it.
    pub(super) reason: Option<String>,
    /// The answer that the client would get.
    pub(super) reply: Option<Value>,
}

impl Explanation {
    /// The filter does not take it for a message.
    pub(super) fn unreadable(why: String, reply: String) -> Self {
        let reply = serde_json::from_str(&reply).ok();
        let decision = Decided { outcome: "invalid", rule: None, reason: Some(why), reply };
        Self { decision, ..Self::default() }
    }

    /// Has the policies judge a message.
    ///
    /// # Errors
    /// If it is an answer, which nobody judges.
    pub(super) fn of(config: &Config, message: &Message<'_>, caller: &Caller) -> Result<Self, Failure> {
        let (Some(method), Some(params)) = (message.method(), message.params()) else {
            return Err(Failure::new("this is an answer: only requests and notifications are judged"));
        };
        let asked = Asked { config, method, params, id: message.id(), target: Target::of(method, params) };
        let mut explanation = Self { method: method.to_owned(), target: name(&asked.target), ..Self::default() };
        let only_route = config.routes.len() == 1 && config.policies.iter().all(|(name, _)| name.is_empty());
        // Where the command line does not say where the request goes, the first route is meant.
        let choice = match caller.place() {
            Some(place) if !only_route => config.choose(&place),
            _ => {
                config.routes.first().map_or(Choice::Pass, |route| Choice::Judge(Policies::OfRoute(0), route.transport))
            }
        };
        if config.mode == Mode::Observe {
            explanation.notes.push("the filter only observes: the call passes all the same, and this is recorded");
        }
        if let Choice::Judge(_, Transport::Sse(_)) = choice {
            explanation.notes.push("on this route answers travel on another stream: the server answers a refused call");
        }
        match choice {
            Choice::Pass => explanation.decision.outcome = "unjudged",
            Choice::Judge(Policies::None(why), _) => {
                let refusal = Refusal { kind: RefusalKind::Denied, rule: why.rule(), reason: why.reason().into() };
                explanation.decision = asked.refused(&refusal);
            }
            Choice::Judge(Policies::OfRoute(index), _) => {
                explanation.route = (!only_route).then_some(index);
                if let Some(route) = config.routes.get(index) {
                    asked.judge(route, caller, &mut explanation);
                }
            }
        }
        if config.identity.required && caller.grant.is_none() && explanation.decision.outcome != "unjudged" {
            let reason = Some("a call without a grant is answered 401".to_owned());
            explanation.decision =
                Decided { outcome: "unauthorized", rule: Some(NO_GRANT.to_owned()), reason, reply: None };
        }
        Ok(explanation)
    }
}

/// A message, and the configuration that it is judged by.
struct Asked<'a> {
    config: &'a Config,
    method: &'a str,
    params: &'a Params<'a>,
    id: Option<&'a Id>,
    target: Target<'a>,
}

impl Asked<'_> {
    fn judge(&self, route: &Route, caller: &Caller, explanation: &mut Explanation) {
        let lock = route.lock.and_then(|index| self.config.locks.get(index)).map(|(_, lock)| lock);
        let (mut refused, mut approval): (Option<Refusal<'_>>, Option<Refusal<'_>>) = (None, None);
        for (name, policy) in route.policies.iter().filter_map(|index| self.config.policies.get(*index)) {
            let notes = Notes::default();
            let decision =
                decision::judge_watched(policy, self.method, self.params, lock, caller, &Effort::default(), &notes);
            let decided = match &decision {
                Decision::Allow(_) => Decided { outcome: "allowed", ..Decided::default() },
                Decision::Approve(refusal, _) => {
                    approval = approval.or_else(|| Some(refusal.clone()));
                    self.refused(refusal)
                }
                Decision::Refuse(refusal) => {
                    if refused.as_ref().is_none_or(|first| refusal.overrules(first)) {
                        refused = Some(refusal.clone());
                    }
                    self.refused(refusal)
                }
            };
            let method_rule = policy.methods.rule(self.method).map(|rule| MethodRule {
                rule: rule.pointer.to_string(),
                denies: matches!(rule.action, Action::Deny { .. }),
            });
            let mut records = vec![];
            policy.recorded(&self.target, |path| records.push(path.source.to_string()));
            explanation.policies.push(ByPolicy {
                policy: name.to_string(),
                method_rule,
                steps: notes.steps(),
                records,
                decision: decided,
            });
        }
        if self.config.audit.is_none() && explanation.policies.iter().any(|by| !by.records.is_empty()) {
            explanation.notes.push("nothing is recorded, as the configuration has no `audit`");
        }
        explanation.decision = match refused.or(approval) {
            Some(refusal) => self.refused(&refusal),
            None => Decided { outcome: "allowed", ..Decided::default() },
        };
    }

    /// A refusal with the answer that the client would get.
    fn refused(&self, refusal: &Refusal<'_>) -> Decided {
        let outcome = match refusal.kind {
            RefusalKind::Hidden => "hidden",
            RefusalKind::Denied => "denied",
            RefusalKind::ApprovalRequired => "approval required",
            RefusalKind::Limited => "limited",
        };
        let style = Style { result_type: self.params.is_stateless(), ..Style::of(self.config) };
        let reply = self.id.map(|id| reply::refusal(id, &self.target, refusal, None, style));
        Decided {
            outcome,
            rule: Some(refusal.rule.to_owned()),
            reason: Some(refusal.reason.clone().into_owned()),
            reply: reply.and_then(|reply| serde_json::from_slice(&reply).ok()),
        }
    }
}

fn name(target: &Target<'_>) -> Option<String> {
    match target {
        Target::Tool(name) => Some((*name).to_owned()),
        Target::Prompt(name) | Target::Resource(name) | Target::Template(name) => Some(name.to_string()),
        Target::Resources(uris) => Some(uris.join(" ")),
        Target::Passes | Target::Method => None,
    }
}
