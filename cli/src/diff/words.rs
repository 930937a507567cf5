//! Rules in words.

use policy::{
    document::{
        condition::{Condition, Scalar, Test},
        model::{Action, Limit, Predicate, Refund, Rule, Scope, Store},
    },
    quota::Window,
};

/// How much of a value is shown, in characters.
const SHOWN: usize = 60;

/// A text in backticks, without control characters and not all too long.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::from("`");
    for character in text.chars().take(SHOWN) {
        if character.is_control() { shown.extend(character.escape_default()) } else { shown.push(character) }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown.push('`');
    shown
}

pub(super) fn predicate(predicate: &Predicate) -> String {
    let conditions: Vec<String> = predicate.conditions.iter().map(condition).collect();
    if conditions.is_empty() { "every call".to_owned() } else { conditions.join(" and ") }
}

pub(super) fn condition(condition: &Condition) -> String {
    quoted(format!("{} {}", condition.path, test(&condition.test)).trim_end())
}

fn test(test: &Test) -> String {
    let list = |all: &[Scalar]| format!("[{}]", all.iter().map(scalar).collect::<Vec<_>>().join(", "));
    match test {
        Test::Eq(value) => format!("eq {}", scalar(value)),
        Test::Neq(value) => format!("neq {}", scalar(value)),
        Test::Lt(bound) => format!("lt {bound}"),
        Test::Lte(bound) => format!("lte {bound}"),
        Test::Gt(bound) => format!("gt {bound}"),
        Test::Gte(bound) => format!("gte {bound}"),
        Test::In(all) => format!("in {}", list(all)),
        Test::NotIn(all) => format!("not_in {}", list(all)),
        Test::Exists => "exists".to_owned(),
        Test::Regex(regex) => format!("regex {}", regex.as_str()),
        Test::Contains(value) => format!("contains {}", scalar(value)),
        Test::StartsWith(start) => format!("starts_with {start}"),
        Test::EndsWith(end) => format!("ends_with {end}"),
        Test::Cidr(ranges) => format!("cidr {}", ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        Test::LengthLte(most) => format!("length_lte {most}"),
        Test::LengthGte(least) => format!("length_gte {least}"),
    }
}

fn scalar(value: &Scalar) -> String {
    match value {
        Scalar::Null => "null".to_owned(),
        Scalar::Bool(value) => value.to_string(),
        Scalar::Number(value) => value.to_string(),
        Scalar::String(text) => format!("{text:?}"),
    }
}

/// `10 per minute for each grant`
pub(super) fn limit(limit: &Limit) -> String {
    let max = limit.unit.display(limit.max);
    let window = match limit.window {
        Window::Running => "at once".to_owned(),
        window => format!("per {window}"),
    };
    let whose = match &limit.scope {
        Scope::Global => "for everyone together".to_owned(),
        scope => format!("for each {scope}"),
    };
    let mut words = format!("{max} {window} {whose}");
    if let Some(path) = &limit.increment_from {
        words.push_str(&format!(" of {}", path.source));
    }
    if limit.refund != Refund::default() {
        let refund = &limit.refund;
        let causes = [
            (refund.unsent, "unsent"),
            (refund.upstream_5xx, "upstream_5xx"),
            (refund.jsonrpc_error, "jsonrpc_error"),
            (refund.is_error, "is_error"),
        ];
        let causes: Vec<&str> = causes.into_iter().filter(|(given, _)| *given).map(|(_, cause)| cause).collect();
        words.push_str(&format!(", given back if {}", causes.join(" or ")));
    }
    if limit.window == Window::Running {
        words.push_str(&format!(", lingering {} s", limit.linger_ms / 1000));
    }
    if limit.store == Store::Global {
        words.push_str(", counted for the whole fleet");
    }
    words
}

/// What a rule does, in short.
pub(super) fn rule(rule: &Rule) -> String {
    let action = match &rule.action {
        Action::Allow => "allowed",
        Action::Deny { .. } => "denied",
        Action::RequireApproval { .. } => "allowed with approval",
    };
    let some = |n: usize, what: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    let mut parts: Vec<String> =
        [some(rule.require.len(), "requirement"), some(rule.deny_if.len(), "refusal")].into_iter().flatten().collect();
    parts.splice(0..0, rule.schema.as_ref().map(|_| "a schema".to_owned()));
    parts.extend(rule.limits.iter().map(limit));
    if parts.is_empty() { action.to_owned() } else { format!("{action}, with {}", parts.join(", ")) }
}
