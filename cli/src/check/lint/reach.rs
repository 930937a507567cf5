//! Rules and parts of rules that no call comes to.

use policy::document::{
    Glob,
    model::{Action, Rule},
};

use super::{List, Subject};
use crate::{
    check::{
        code::{UNREACHABLE_CHECK, UNREACHABLE_RULE},
        finding::Findings,
    },
    output::shown,
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for section in subject.sections() {
        for (name, rule) in &section.exact {
            let by = section.hide.iter().find(|glob| glob.matches(name));
            hidden(subject, rule, by, findings);
        }
        for (glob, rule) in &section.globs {
            let by = section.hide.iter().find(|hidden| hidden.covers(glob));
            hidden(subject, rule, by, findings);
        }
    }
    for rule in subject.rules() {
        behind(subject, rule, findings);
    }
}

fn hidden(subject: &Subject<'_>, rule: &Rule, by: Option<&Glob>, findings: &mut Findings<'_>) {
    let Some(by) = by else { return };
    let message = format!("no call comes to this rule, as `hide` has `{}`", shown(by.source()));
    let help = "`hide` has no exceptions: remove the rule, or write the glob so that it leaves this out".to_owned();
    findings.of_key(&UNREACHABLE_RULE, subject.rule(rule), message, Some(help));
}

/// Says what of a rule is never asked, because a predicate has refused before.
fn behind(subject: &Subject<'_>, rule: &Rule, findings: &mut Findings<'_>) {
    let Some(always) = rule.deny_if.iter().position(|predicate| predicate.conditions.is_empty()) else { return };
    let at = subject.rule(rule);
    let all = rule.pointer.as_ref() == "/all_tools";
    // The predicate of a tool's own rule refuses before anything else is asked, that of `all_tools` in its turn.
    let mut idle: Vec<String> = Vec::new();
    if !all {
        idle.extend((0..rule.require.len()).map(|index| format!("{at}/require/{index}")));
        idle.extend((0..always).map(|index| format!("{at}/deny_if/{index}")));
    }
    idle.extend((always + 1..rule.deny_if.len()).map(|index| format!("{at}/{}/{index}", List::DenyIf.name())));
    idle.extend(rule.limits.iter().map(|limit| subject.limit(rule, limit)));
    if matches!(rule.action, Action::RequireApproval { .. }) {
        idle.push(format!("{at}/action"));
    }
    for pointer in idle {
        let message = "this is never asked: a `deny_if` without conditions refuses every call before".to_owned();
        let help = format!("see `{at}/deny_if/{always}`; to refuse every call, `\"action\": \"deny\"` says it plainly");
        findings.of_key(&UNREACHABLE_CHECK, pointer, message, Some(help).filter(|_| !all));
    }
}
