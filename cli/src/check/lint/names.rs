//! Names of tools that no tool has, and tools that no name is for.

use policy::document::{Glob, Policy, model::Default, nearest};

use super::{Subject, pointer_step};
use crate::{
    check::{
        code::{DENIED_BY_DEFAULT, DESTRUCTIVE_DEFAULT, IDLE_HIDE, UNKNOWN_TOOL, UNMATCHABLE_NAME, UNNAMED_TOOL},
        finding::Findings,
    },
    classify::{Class, classify},
    output::shown,
    tools::Tool,
};

/// The longest name that MCP allows, in characters.
const LONGEST: usize = 128;

/// How many names a message lists.
const SHOWN: usize = 8;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let section = &subject.policy.tools;
    for (index, glob) in section.hide.iter().enumerate() {
        let at = format!("{}/hide/{index}", subject.at);
        name(subject, glob, &at, true, findings);
    }
    for (key, rule) in &section.exact {
        // What an exact rule is for is its name, wildcards included; where it stands says how that is written.
        let doubt = unmatchable(key.chars(), key.chars().count());
        tell(subject, key, doubt, &|tool| **key == *tool, false, &subject.rule(rule), findings);
    }
    for (glob, rule) in &section.globs {
        name(subject, glob, &subject.rule(rule), false, findings);
    }
}

fn name(subject: &Subject<'_>, glob: &Glob, at: &str, hide: bool, findings: &mut Findings<'_>) {
    let doubt = unmatchable(glob.literal_characters(), glob.shortest());
    let precaution = hide && glob.exact().is_none();
    tell(subject, glob.source(), doubt, &|tool| glob.matches(tool), precaution, at, findings);
}

/// Says that no tool can have the name, or that none of the list has.
fn tell(
    subject: &Subject<'_>,
    name: &str,
    doubt: Option<String>,
    matches: &dyn Fn(&str) -> bool,
    precaution: bool,
    at: &str,
    findings: &mut Findings<'_>,
) {
    if subject.tools.is_some_and(|tools| tools.iter().any(|tool| matches(&tool.name))) {
        return;
    }
    if let Some(doubt) = doubt {
        let help = "names have 1 to 128 of the characters A-Z a-z 0-9 _ . -".to_owned();
        findings.of_key(&UNMATCHABLE_NAME, at.to_owned(), doubt, Some(help));
        return;
    }
    let Some(tools) = subject.tools else { return };
    let code = if precaution { &IDLE_HIDE } else { &UNKNOWN_TOOL };
    let help = nearest(name, tools.iter().map(|tool| tool.name.as_str())).map(|tool| format!("did you mean `{tool}`?"));
    findings.of_key(code, at.to_owned(), format!("no tool of the list matches `{}`", shown(name)), help);
}

/// Why no name that MCP allows can match.
fn unmatchable(mut literals: impl Iterator<Item = char>, shortest: usize) -> Option<String> {
    if let Some(other) = literals.find(|c| !c.is_ascii_alphanumeric() && !"_.-".contains(*c)) {
        return Some(format!("no tool can have this name, as MCP allows no `{}` in names", shown(&other.to_string())));
    }
    (shortest > LONGEST).then(|| format!("no tool can have this name, as it has {shortest} characters or more"))
}

/// Says which of the tools no policy names.
pub(super) fn unnamed(policies: &[&(Box<str>, Policy)], tools: &[&Tool], findings: &mut Findings<'_>) {
    let names = |policy: &Policy, tool: &str| policy.tools.hides(tool) || policy.tools.rule(tool).is_some();
    let unnamed = tools.iter().filter(|tool| !policies.iter().any(|(_, policy)| names(policy, &tool.name)));
    let unnamed: Vec<&Tool> = unnamed.copied().collect();
    let has = |default: Default| policies.iter().all(|(_, policy)| policy.default == default);
    let at = match policies {
        [] => return,
        [(name, _)] if name.is_empty() => "/default".to_owned(),
        [(name, _)] => format!("/policies{}/default", pointer_step(name)),
        _ => "/policies".to_owned(),
    };
    if has(Default::Deny) {
        if !unnamed.is_empty() {
            let message = format!("no rule names these, so the default denies them: {}", listed(&unnamed));
            findings.of_value(&DENIED_BY_DEFAULT, at, message, None);
        }
        return;
    }
    // What policies of both kinds come to depends on the route: it is for a reader to judge.
    if !has(Default::Allow) {
        return;
    }
    let (destructive, others): (Vec<&Tool>, Vec<&Tool>) = unnamed.into_iter().partition(|tool| seems_destructive(tool));
    for (code, tools, what) in [
        (
            &DESTRUCTIVE_DEFAULT,
            destructive,
            "of tools that seem to destroy something or to move money, these are allowed by default only",
        ),
        (&UNNAMED_TOOL, others, "no rule names these, so the default allows them"),
    ] {
        if !tools.is_empty() {
            let help = "name what may be called and let the default deny, or hide what may not".to_owned();
            findings.of_value(code, at.clone(), format!("{what}: {}", listed(&tools)), Some(help));
        }
    }
}

/// Whether a tool seems to destroy something or to move money, by the classes that `init` goes by.
fn seems_destructive(tool: &Tool) -> bool {
    matches!(classify(tool).class, Class::Destructive | Class::Financial)
}

fn listed(tools: &[&Tool]) -> String {
    quoted(&tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>())
}

/// The first of some names, and how many more there are.
pub(super) fn quoted(names: &[&str]) -> String {
    let mut said: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{}`", shown(name))).collect();
    if let Some(more) = names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        said.push(format!("{more} more"));
    }
    said.join(", ")
}
