//! Rules against rules.

use policy::document::{
    model::{Action, ArgumentSchema, Rule, SchemaSource},
    path::Path,
};

use super::{
    limit,
    mark::{Change, Mark},
    predicate::{self, List},
    words,
};

/// Takes what is said of one thing.
pub(super) struct Told<'c> {
    pub(super) about: String,
    pub(super) changes: &'c mut Vec<Change>,
}

impl Told<'_> {
    pub(super) fn say(&mut self, mark: Mark, what: String) {
        self.changes.push(Change { mark, about: self.about.clone(), what });
    }
}

/// Says how two rules for the same calls differ.
pub(super) fn compare(old: &Rule, new: &Rule, told: &mut Told) {
    match (refuses_all(old), refuses_all(new)) {
        (true, true) => {
            if reason(old) != reason(new) {
                told.say(Mark::Changed, "what the agent is told when it is denied".to_owned());
            }
            return recorded(old, new, told);
        }
        (true, false) => return told.say(Mark::Loosened, format!("{}, was denied", words::rule(new))),
        (false, true) => return told.say(Mark::Tightened, format!("denied, was {}", words::rule(old))),
        (false, false) => {}
    }
    match (approval(old), approval(new)) {
        (false, true) => told.say(Mark::Tightened, "needs approval, did not".to_owned()),
        (true, false) => told.say(Mark::Loosened, "needs no approval, did".to_owned()),
        (_, both) if both && reason(old) != reason(new) => {
            told.say(Mark::Changed, "what the agent is told when approval is needed".to_owned());
        }
        _ => {}
    }
    schema(old.schema.as_deref(), new.schema.as_deref(), told);
    predicate::compare(List::Require, old, new, told);
    predicate::compare(List::DenyIf, old, new, told);
    limit::compare(old, new, told);
    recorded(old, new, told);
}

/// What the audit record holds changes nothing of what passes.
fn recorded(old: &Rule, new: &Rule, told: &mut Told) {
    let lacks = |rule: &Rule, path: &Path| !rule.record.iter().any(|known| known.is_same_as(path));
    for path in new.record.iter().filter(|path| lacks(old, path)) {
        told.say(Mark::Changed, format!("records {}, did not", words::quoted(&path.source)));
    }
    for path in old.record.iter().filter(|path| lacks(new, path)) {
        told.say(Mark::Changed, format!("does not record {} any more", words::quoted(&path.source)));
    }
}

/// Says how what the arguments must look like differs.
fn schema(old: Option<&ArgumentSchema>, new: Option<&ArgumentSchema>, told: &mut Told) {
    let (mark, what) = match (old.map(|old| &old.source), new.map(|new| &new.source)) {
        (None, None) | (Some(SchemaSource::Lock), Some(SchemaSource::Lock)) => return,
        (None, Some(SchemaSource::Lock)) => (Mark::Tightened, "the arguments must match the lock's schema"),
        (None, Some(SchemaSource::Inline(_))) => (Mark::Tightened, "the arguments must match a schema"),
        (Some(_), None) => (Mark::Loosened, "the arguments need match no schema any more"),
        (Some(SchemaSource::Inline(old)), Some(SchemaSource::Inline(new))) if old.asks_the_same(new) => return,
        (Some(SchemaSource::Inline(_)), Some(SchemaSource::Inline(_))) => {
            (Mark::Changed, "the schema of the arguments is another one")
        }
        (Some(_), Some(SchemaSource::Lock)) => {
            (Mark::Changed, "the schema of the arguments is the lock's, was the policy's")
        }
        (Some(_), Some(_)) => (Mark::Changed, "the schema of the arguments is the policy's, was the lock's"),
    };
    told.say(mark, what.to_owned());
}

/// Whether no call passes, whatever it says and whoever makes it.
pub(super) fn refuses_all(rule: &Rule) -> bool {
    rule.schema.as_ref().is_some_and(|schema| schema.is_never())
        || matches!(rule.action, Action::Deny { .. })
        || rule.deny_if.iter().any(|predicate| predicate.conditions.is_empty())
}

fn approval(rule: &Rule) -> bool {
    matches!(rule.action, Action::RequireApproval { .. })
}

/// What the agent is told when the whole rule refuses.
fn reason(rule: &Rule) -> Option<&str> {
    match &rule.action {
        Action::Deny { reason } | Action::RequireApproval { reason } => reason.as_deref(),
        Action::Allow => rule.deny_if.iter().find(|p| p.conditions.is_empty()).and_then(|p| p.on_deny.as_deref()),
    }
}

/// A rule that allows and asks nothing, as a default of allow is.
pub(super) fn empty() -> Rule {
    Rule::of("".into(), Action::Allow)
}
