//! Looks on while a policy judges, and notes what each step saw.

use std::cell::RefCell;

use policy::{
    decision::{List, Operand, Seen, Truth, Unasked, Watch},
    document::{
        condition::Condition as Written,
        model::{Action, Default, Limit, Predicate, SchemaSource, Section, Store},
        path::Root,
    },
};
use serde::Serialize;
use serde_json::Value;

use super::words;

/// One step of a decision, in the documented order.
#[derive(Debug, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub(super) enum Step {
    /// Whether the target is hidden.
    Hidden { name: String, hidden: bool, by: Option<String> },
    /// Which rule it has.
    Rule { rule: Option<String>, by: &'static str },
    /// What the rule does before anything else is looked at.
    Action { action: &'static str },
    /// Whether the arguments have the shape that is wanted of them.
    Schema { rule: String, from: &'static str, refuses: Option<String> },
    /// An entry of `require` or `deny_if`.
    Predicate { list: &'static str, rule: String, conditions: Vec<Condition>, is: &'static str, refuses: bool },
    /// What the call would take.
    Limit {
        rule: String,
        counter: String,
        scope: String,
        window: String,
        max: String,
        takes: Option<String>,
        /// `local` or `global`.
        store: &'static str,
    },
}

/// One condition, and what it saw.
#[derive(Debug, Serialize)]
pub(super) struct Condition {
    pub(super) path: String,
    pub(super) op: &'static str,
    pub(super) value: Option<Value>,
    pub(super) found: Vec<Found>,
    pub(super) is: &'static str,
}

/// What a path led to.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    /// A JSON type, `missing`, or `blocked`: unclear, or without an inside.
    pub(super) kind: &'static str,
    /// Its value, where it is one of arguments or claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Value>,
}

/// Notes the steps.
#[derive(Debug, std::default::Default)]
pub(super) struct Notes(RefCell<Noted>);

#[derive(Debug, std::default::Default)]
struct Noted {
    steps: Vec<Step>,
    /// Of the predicate that is being looked at.
    conditions: Vec<Condition>,
    /// Of the condition that is being looked at.
    found: Vec<Found>,
}

impl Notes {
    /// What was noted.
    pub(super) fn steps(self) -> Vec<Step> {
        self.0.into_inner().steps
    }
}

impl Watch for Notes {
    fn see(&self, seen: Seen<'_>) {
        let Noted { steps, conditions, found } = &mut *self.0.borrow_mut();
        match seen {
            Seen::Target { section, name, .. } => target(steps, section, name),
            Seen::Value(operand) => found.push(Found::of(operand)),
            Seen::Missing => found.push(Found { kind: "missing", value: None }),
            Seen::Blocked => found.push(Found { kind: "blocked", value: None }),
            Seen::Condition(condition, truth) => {
                conditions.push(Condition::of(condition, std::mem::take(found), truth));
            }
            Seen::Predicate { predicate, list, truth, refuses } => {
                steps.push(predicate_step(predicate, list, std::mem::take(conditions), truth, refuses));
            }
            Seen::Schema { schema, refuses } => steps.push(Step::Schema {
                rule: schema.pointer.to_string(),
                from: match &schema.source {
                    SchemaSource::Inline(_) => "the policy",
                    SchemaSource::Lock => "the lock",
                },
                refuses: refuses.map(str::to_owned),
            }),
            Seen::Limit(limit, amount) => steps.push(limit_step(limit, amount)),
        }
    }
}

/// What is decided of a target before its conditions are looked at.
fn target(steps: &mut Vec<Step>, section: &Section, name: &str) {
    let by = section.hidden_by(name).map(|glob| glob.source().to_owned());
    let hidden = by.is_some();
    steps.push(Step::Hidden { name: name.to_owned(), hidden, by });
    if hidden {
        return;
    }
    let rule = section.rule(name);
    let by = match (rule, section.exact.contains_key(name), section.default) {
        (Some(_), true, _) => "its exact name",
        (Some(_), false, _) => "a glob",
        (None, _, Default::Allow) => "the default, which allows",
        (None, _, Default::Deny) => "the default, which denies",
    };
    steps.push(Step::Rule { rule: rule.map(|rule| rule.pointer.to_string()), by });
    let Some(rule) = rule else { return };
    let action = match &rule.action {
        Action::Allow => "allow",
        Action::Deny { .. } => "deny",
        Action::RequireApproval { .. } => "require_approval",
    };
    steps.push(Step::Action { action });
    if let Some(schema) = rule.schema.as_deref().filter(|schema| schema.is_never() && action != "deny") {
        let refuses = Some("nothing matches the schema `false`".to_owned());
        steps.push(Step::Schema { rule: schema.pointer.to_string(), from: "the policy", refuses });
        return;
    }
    // What always refuses is known before anything is looked at.
    let always = rule.deny_if.iter().find(|one| one.conditions.is_empty());
    if let Some(predicate) = always.filter(|_| action != "deny") {
        steps.push(predicate_step(predicate, List::DenyIf, vec![], Ok(Truth::True), true));
    }
}

fn predicate_step(
    predicate: &Predicate,
    list: List,
    conditions: Vec<Condition>,
    truth: Result<Truth, Unasked>,
    refuses: bool,
) -> Step {
    let list = match list {
        List::Require => "require",
        List::DenyIf => "deny_if",
    };
    Step::Predicate { list, rule: predicate.pointer.to_string(), conditions, is: word(truth), refuses }
}

fn limit_step(limit: &Limit, amount: Option<u64>) -> Step {
    Step::Limit {
        rule: limit.pointer.to_string(),
        counter: limit.counter.to_string(),
        scope: limit.scope.to_string(),
        window: limit.window.to_string(),
        max: limit.unit.display(limit.max),
        takes: amount.map(|amount| limit.unit.display(amount)),
        store: match limit.store {
            Store::Local => "local",
            Store::Global => "global",
        },
    }
}

fn word(truth: Result<Truth, Unasked>) -> &'static str {
    match truth {
        Ok(Truth::True) => "true",
        Ok(Truth::False) => "false",
        Ok(Truth::Wrong) => "wrong",
        Err(Unasked::Lookalike) => "look-alike",
        Err(Unasked::TooFar) => "too much to check",
    }
}

impl Condition {
    fn of(condition: &Written, mut found: Vec<Found>, truth: Result<Truth, Unasked>) -> Self {
        // What headers and grants hold may be credentials.
        if matches!(condition.path.root, Root::Header(_) | Root::Grant) {
            found.iter_mut().for_each(|found| found.value = None);
        }
        let (op, value) = words::of(&condition.test);
        Self { path: condition.path.source.to_string(), op, value, found, is: word(truth) }
    }
}

impl Found {
    fn of(operand: &Operand<'_>) -> Self {
        let (kind, value) = match operand {
            Operand::Null => ("null", None),
            Operand::Bool(value) => ("boolean", Some((*value).into())),
            Operand::Number(Some(value)) => ("number", Some(words::number(*value))),
            Operand::Number(None) => ("number that a double does not hold", None),
            Operand::String(text) => ("string", Some((**text).into())),
            Operand::Array(raw) => ("array", serde_json::from_slice(raw.bytes()).ok()),
            Operand::Object => ("object", None),
        };
        Self { kind, value }
    }
}
