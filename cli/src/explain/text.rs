//! An explanation for people.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{
    explanation::{ByPolicy, Decided, Explanation},
    watch::{Condition, Found, Step},
};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// A line for each step, and what becomes of the call at the end.
pub(super) fn of(explanation: &Explanation) -> String {
    let mut out = String::new();
    // A `String` takes everything.
    write(&mut out, explanation).ok();
    out
}

fn write(out: &mut String, explanation: &Explanation) -> fmt::Result {
    let Explanation { method, target, route, policies, decision, notes } = explanation;
    if !method.is_empty() {
        writeln!(out, "{} {}", plain(method), plain(target.as_deref().unwrap_or_default()))?;
    }
    if let Some(index) = route {
        writeln!(out, "by /routes/{index} of the configuration")?;
    }
    for ByPolicy { policy, method_rule, steps, records, decision: own } in policies {
        if !policy.is_empty() {
            writeln!(out, "\npolicy {policy}")?;
        }
        match method_rule {
            Some(rule) if rule.denies => line(out, "method", &format!("{} denies it", rule.rule))?,
            Some(rule) => line(out, "method", &format!("{} allows it", rule.rule))?,
            None if steps.is_empty() => line(out, "method", "no rule names it")?,
            None => {}
        }
        for one in steps {
            step(out, one)?;
        }
        if !records.is_empty() {
            line(out, "records", &records.join(", "))?;
        }
        if policies.len() > 1 {
            line(out, "so", &said(own))?;
        }
    }
    let style = if matches!(decision.outcome, "allowed" | "unjudged") { GOOD } else { BAD };
    writeln!(out, "\n{style}{}{style:#}", plain(&said(decision)))?;
    match (&decision.reply, decision.outcome) {
        (Some(reply), _) => {
            let told = ["/result/content/0/text", "/error/message"].iter().find_map(|place| reply.pointer(place));
            if let Some(told) = told.and_then(|told| told.as_str()) {
                writeln!(out, "the agent is told: {}", plain(told))?;
            }
            writeln!(out, "the answer: {}", plain(&reply.to_string()))?;
        }
        (None, "allowed") if policies.iter().any(|by| by.steps.iter().any(is_limit)) => {
            writeln!(out, "once all limits can be taken; nothing is counted here")?;
        }
        (None, _) => {}
    }
    notes.iter().try_for_each(|note| writeln!(out, "note: {note}"))
}

fn is_limit(step: &Step) -> bool {
    matches!(step, Step::Limit { .. })
}

fn said(decided: &Decided) -> String {
    match (&decided.rule, &decided.reason) {
        (Some(rule), _) => format!("{} by {rule}", decided.outcome),
        (None, Some(reason)) => format!("{}: {reason}", decided.outcome),
        (None, None) => decided.outcome.to_owned(),
    }
}

fn line(out: &mut String, what: &str, said: &str) -> fmt::Result {
    writeln!(out, "  {what:<9}{}", plain(said))
}

/// What calls say must not steer a terminal.
fn plain(text: &str) -> String {
    let escaped = |character: char| character.is_control().then(|| character.escape_default().to_string());
    text.chars().map(|character| escaped(character).unwrap_or_else(|| character.to_string())).collect()
}

fn step(out: &mut String, step: &Step) -> fmt::Result {
    match step {
        Step::Hidden { by: Some(by), .. } => line(out, "hidden", &format!("yes, `{by}` in `hide` matches")),
        Step::Hidden { .. } => line(out, "hidden", "no"),
        Step::Rule { rule: Some(rule), by } => line(out, "rule", &format!("{rule}, by {by}")),
        Step::Rule { rule: None, by } => line(out, "rule", &format!("none: {by}")),
        Step::Action { action } => line(out, "action", action),
        Step::Schema { rule, from, refuses: None } => line(out, "schema", &format!("{rule}, from {from}, matches")),
        Step::Schema { rule, from, refuses: Some(why) } => {
            line(out, "schema", &format!("{rule}, from {from}, refuses: {why}"))
        }
        Step::Predicate { list, rule, conditions, is, refuses } => {
            let refuses = if *refuses { ", so it refuses" } else { "" };
            let always = if conditions.is_empty() { " without conditions" } else { "" };
            line(out, list, &format!("{rule}{always} is {is}{refuses}"))?;
            conditions.iter().try_for_each(|one| condition(out, one))
        }
        Step::Limit { rule, counter, scope, window, max, takes, store } => {
            let takes = match takes {
                Some(amount) => format!("takes {amount} of {max}"),
                None => format!("takes an unclear amount of {max}, so it refuses"),
            };
            let last = if *store == "global" { " of the rate-limit service, which is asked last of all" } else { "" };
            line(out, "limit", &format!("{rule} {takes}, {window}, per {scope}, from counter `{counter}`{last}"))
        }
    }
}

fn condition(out: &mut String, condition: &Condition) -> fmt::Result {
    let Condition { path, op, value, found, is } = condition;
    write!(out, "{:13}{path} {op}", "")?;
    if let Some(value) = value {
        write!(out, " {}", plain(&value.to_string()))?;
    }
    let found: Vec<String> = found.iter().map(self::found).collect();
    let found = if found.is_empty() { "an argument with a name like it".to_owned() } else { found.join(", ") };
    writeln!(out, ": {is}, found {}", plain(&found))
}

fn found(found: &Found) -> String {
    match (&found.value, found.kind) {
        (Some(value), kind) => format!("{kind} {value}"),
        (None, "missing") => "nothing".to_owned(),
        (None, "blocked") => "something unclear, or without an inside".to_owned(),
        (None, kind) => format!("{kind} (not shown)"),
    }
}
