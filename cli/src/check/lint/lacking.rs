//! Rules for many tools that look at an argument which some of them have, and others do not.

use policy::document::{
    condition::{Condition, Test},
    model::{Predicate, Rule},
    path::{Root, Step},
};

use super::{
    List, Subject,
    arguments::{Look, look, tools},
    is_tool,
    names::quoted,
    solve::same_path,
};
use crate::{
    check::{
        code::{PASSES_WITHOUT_ARGUMENT, REFUSES_WITHOUT_ARGUMENT},
        finding::Findings,
    },
    output::shown,
    tools::Tool,
};

/// What becomes of a call that lacks the argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Refused,
    Unchecked,
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for rule in subject.rules().filter(|rule| for_many(subject, rule)) {
        let tools = tools(subject, rule);
        for list in [List::Require, List::DenyIf] {
            for (number, predicate) in list.of(rule).iter().enumerate() {
                let at = format!("{}/{}/{number}/conditions", subject.rule(rule), list.name());
                of_predicate(list, predicate, &tools, &at, findings);
            }
        }
        for limit in &rule.limits {
            if let Some(path) = &limit.increment_from {
                let at = format!("{}/increment_from", subject.limit(rule, limit));
                tell(&tools, (&path.steps, &path.source), Fate::Refused, at, findings);
            }
        }
    }
}

/// Whether a rule is for more tools than one. An exact rule is for one, whatever it says.
fn for_many(subject: &Subject<'_>, rule: &Rule) -> bool {
    let glob = || subject.policy.tools.globs.iter().any(|(_, other)| std::ptr::eq(other, rule));
    !is_tool(rule) && &*rule.pointer == "/all_tools" || glob()
}

fn of_predicate(list: List, predicate: &Predicate, tools: &[&Tool], at: &str, findings: &mut Findings<'_>) {
    for (index, condition) in predicate.conditions.iter().enumerate() {
        if condition.path.root != Root::Arguments {
            continue;
        }
        let others = predicate.conditions.iter().enumerate().filter(|(other, _)| *other != index);
        let mut others = others.map(|(_, other)| other);
        let fate = match list {
            // What is missing meets no condition.
            List::Require => Fate::Refused,
            List::DenyIf if !negates(condition) => {
                // An `exists` says that only calls with the argument are meant.
                if matches!(condition.test, Test::Exists) || others.any(|other| guards(other, condition)) {
                    continue;
                }
                Fate::Unchecked
            }
            // What is missing differs from everything; whether that refuses is for the other conditions to say.
            List::DenyIf if others.next().is_none() => Fate::Refused,
            List::DenyIf => continue,
        };
        let path = &condition.path;
        tell(tools, (&path.steps, &path.source), fate, format!("{at}/{index}/path"), findings);
    }
}

fn negates(condition: &Condition) -> bool {
    matches!(condition.test, Test::Neq(_) | Test::NotIn(_))
}

fn guards(other: &Condition, condition: &Condition) -> bool {
    matches!(other.test, Test::Exists) && same_path(other, condition)
}

/// Says which tools lack the argument, if others have it.
fn tell(tools: &[&Tool], (steps, source): (&[Step], &str), fate: Fate, at: String, findings: &mut Findings<'_>) {
    let lacks = |tool: &&&Tool| matches!(look(&tool.input_schema, steps), Look::Nothing { .. });
    let lacking: Vec<&str> = tools.iter().filter(lacks).map(|tool| tool.name.as_str()).collect();
    // That nobody has it is told as such.
    if lacking.is_empty() || lacking.len() == tools.len() {
        return;
    }
    let path = shown(source);
    let (code, what, help) = match fate {
        Fate::Refused => (
            &REFUSES_WITHOUT_ARGUMENT,
            "so every call of them without it is refused",
            "give them a rule of their own, or check it under `deny_if`, with an `exists` beside it",
        ),
        Fate::Unchecked => (
            &PASSES_WITHOUT_ARGUMENT,
            "so this checks nothing of them",
            "an `exists` of it beside this says that it is meant",
        ),
    };
    let message = format!("some tools that this is for have no argument `{path}`, {what}: {}", quoted(&lacking));
    findings.of_value(code, at, message, Some(help.to_owned()));
}
