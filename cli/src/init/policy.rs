//! The policy document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{arguments, layout::Json};
use crate::{
    classify::{Class, Verdict, classify},
    failure::Failure,
    tools::Tool,
};

/// The longest name that a rule can have, in bytes.
const MAX_NAME: usize = 1024;
/// The longest name of a counter, in bytes.
const MAX_COUNTER: usize = 240;
/// The most names that `hide` takes.
const MAX_HIDDEN: usize = 4096;

/// A name with what stands for it.
#[derive(Debug)]
pub(super) struct Judged<'t> {
    pub(super) name: &'t str,
    pub(super) verdict: Verdict,
    /// More than one only if the server has used the name again.
    tools: Vec<&'t Tool>,
}

impl Judged<'_> {
    /// The rule it gets, in words.
    pub(super) fn rule(&self) -> String {
        let rule = match self.verdict.class {
            Class::Read => "allowed",
            Class::Write => "30/minute",
            Class::Execute => "10/minute",
            Class::Destructive => "hidden",
            Class::Financial => "denied until approved",
        };
        match self.checks().map_or(0, |(require, deny_if)| require.len().saturating_add(deny_if.len())) {
            0 => rule.to_owned(),
            1 => format!("{rule}, 1 check"),
            checks => format!("{rule}, {checks} checks"),
        }
    }

    /// What `require` and `deny_if` say of the arguments. None where no call passes anyway.
    fn checks(&self) -> Option<(Vec<Json>, Vec<Json>)> {
        if self.verdict.class.severity() > 2 {
            return None;
        }
        let mut all = self.tools.iter().map(|tool| arguments::checks(&tool.input_schema));
        let (mut require, mut deny_if) = all.next()?;
        for (other_require, other_deny_if) in all {
            // Whichever is meant: only what holds for both.
            require.retain(|check| other_require.contains(check));
            deny_if.retain(|check| other_deny_if.contains(check));
        }
        Some((require, deny_if))
    }

    fn nameable(&self) -> bool {
        !self.name.is_empty() && escaped(self.name).len() <= MAX_NAME
    }
}

/// The tools by name, each once, with their classes: the gravest where a name is used twice.
pub(super) fn judged(tools: &[Tool]) -> Vec<Judged<'_>> {
    let mut by_name: BTreeMap<&str, Judged<'_>> = BTreeMap::new();
    for tool in tools {
        let verdict = classify(tool);
        match by_name.get_mut(tool.name.as_str()) {
            None => {
                by_name.insert(&tool.name, Judged { name: &tool.name, verdict, tools: vec![tool] });
            }
            Some(judged) => {
                judged.tools.push(tool);
                if verdict.class.severity() > judged.verdict.class.severity() {
                    judged.verdict = verdict;
                }
            }
        }
    }
    by_name.into_values().collect()
}

/// Writes the policy.
///
/// # Errors
/// If it would not load, which is a mistake of this program.
pub(super) fn write(judged: &[Judged<'_>]) -> Result<String, Failure> {
    let nameable = || judged.iter().filter(|judged| judged.nameable());
    let hidden = nameable().filter(|judged| judged.verdict.class == Class::Destructive).take(MAX_HIDDEN);
    let hidden: Vec<Json> = hidden.map(|judged| Json::text(escaped(judged.name))).collect();
    let mut counters = BTreeSet::new();
    let rules = nameable().filter(|judged| judged.verdict.class != Class::Destructive);
    let rules = rules.map(|judged| (escaped(judged.name), rule(judged, &mut counters))).collect();
    let mut members = vec![
        ("version".to_owned(), Json::text("1")),
        ("description".to_owned(), Json::text(description(judged))),
        ("default".to_owned(), Json::text("deny")),
    ];
    if !hidden.is_empty() {
        members.push(("hide".to_owned(), Json::List(hidden)));
    }
    members.push(("tools".to_owned(), Json::Object(rules)));
    let text = Json::Object(members).pretty();
    policy::document::load(text.as_bytes()).map_err(Failure::because("the policy that was made does not check"))?;
    Ok(text)
}

/// How it was made and why, for those who review it.
fn description(judged: &[Judged<'_>]) -> String {
    let count = |class: Class| judged.iter().filter(|judged| judged.verdict.class == class).count();
    let tools = if judged.len() == 1 { "1 tool".to_owned() } else { format!("{} tools", judged.len()) };
    let mut classes = Vec::new();
    for (class, rule) in [
        (Class::Read, "allowed"),
        (Class::Write, "30 calls a minute per grant"),
        (Class::Execute, "10 calls a minute per grant"),
        (Class::Destructive, "hidden"),
        (Class::Financial, "denied until a human approves"),
    ] {
        if count(class) > 0 {
            classes.push(format!("{} {class} ({rule})", count(class)));
        }
    }
    format!(
        "Made by mcp-policy init from {tools}: {}. The class of a tool was told from its name, description, arguments and \
         annotations; mcp-policy init --explain shows the words. The checks of arguments come from the input schemas, and \
         keep paths, URLs and addresses from leading elsewhere. Review it before you enforce it.",
        classes.join(", ")
    )
}

fn rule(judged: &Judged<'_>, counters: &mut BTreeSet<String>) -> Json {
    let mut members: Vec<(String, Json)> = Vec::new();
    let max = match judged.verdict.class {
        Class::Financial => {
            let refusal =
                Json::object([("conditions", Json::List(vec![])), ("on_deny", Json::text("Requires human approval."))]);
            return Json::object([("deny_if", Json::List(vec![refusal]))]);
        }
        Class::Write => Some(30),
        Class::Execute => Some(10),
        Class::Read | Class::Destructive => None,
    };
    let (require, deny_if) = judged.checks().unwrap_or_default();
    for (name, predicates) in [("require", require), ("deny_if", deny_if)] {
        if !predicates.is_empty() {
            members.push((name.to_owned(), Json::List(predicates)));
        }
    }
    if let Some(max) = max {
        let limit = Json::object([
            ("counter", Json::text(counter(judged.name, counters))),
            ("window", Json::text("minute")),
            ("max", Json::Leaf(json!(max))),
            ("scope", Json::text("grant")),
        ]);
        members.push(("limits".to_owned(), Json::List(vec![limit])));
    }
    Json::Object(members)
}

/// A counter of the tool's own.
fn counter(tool: &str, taken: &mut BTreeSet<String>) -> String {
    let plain: String = tool.chars().map(|c| if c.is_control() { '_' } else { c }).collect();
    let mut name = plain.trim_start_matches('/').to_owned();
    while name.len() > MAX_COUNTER {
        name.pop();
    }
    let name = format!("{name}_rate");
    let mut free = name.clone();
    let mut number = 2_usize;
    while !taken.insert(free.clone()) {
        free = format!("{name}#{number}");
        number = number.saturating_add(1);
    }
    free
}

/// The name as a rule's key: `*` and `?` stand for themselves.
fn escaped(name: &str) -> String {
    let mut key = String::new();
    for character in name.chars() {
        if matches!(character, '*' | '?' | '\\') {
            key.push('\\');
        }
        key.push(character);
    }
    key
}
