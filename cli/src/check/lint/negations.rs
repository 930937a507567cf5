//! `neq` and `not_in` of what may be missing.

use policy::document::{
    condition::{Condition, Test},
    model::Rule,
    path::{Root, Step},
};

use super::{List, Subject, arguments, solve::same_path};
use crate::check::{code::UNGUARDED_NEGATION, finding::Findings};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for rule in subject.rules() {
        for list in [List::Require, List::DenyIf] {
            for (number, predicate) in list.of(rule).iter().enumerate() {
                for (index, condition) in predicate.conditions.iter().enumerate() {
                    let guards = guards(subject, rule, list, &predicate.conditions);
                    if negates(&condition.test)
                        && may_be_missing(subject, rule, list, condition)
                        && !guards.iter().any(|guard| same_path(guard, condition))
                    {
                        let at = format!("{}/{}/{number}/conditions/{index}", subject.rule(rule), list.name());
                        tell(list, condition, at, findings);
                    }
                }
            }
        }
    }
}

fn tell(list: List, condition: &Condition, at: String, findings: &mut Findings<'_>) {
    let path = &condition.path.source;
    let (message, help) = match list {
        List::Require => (
            format!("this also refuses calls without `{path}`, as what is missing meets no condition under `require`"),
            format!("put `exists` of `{path}` beside it if that is meant, else say what is refused under `deny_if`"),
        ),
        List::DenyIf => (
            format!("calls without `{path}` meet this as well, as what is missing differs from everything"),
            format!("put `exists` of `{path}` beside it to let them pass, or under `require` to say that it is meant"),
        ),
    };
    findings.of_value(&UNGUARDED_NEGATION, at, message, Some(help));
}

fn negates(test: &Test) -> bool {
    matches!(test, Test::Neq(_) | Test::NotIn(_))
}

/// The conditions that say what becomes of a missing value: those that it does not meet.
fn guards<'a>(subject: &Subject<'a>, rule: &'a Rule, list: List, own: &'a [Condition]) -> Vec<&'a Condition> {
    // All of `require` has been met before `deny_if` is asked.
    let added = subject.added(rule).into_iter();
    let required = std::iter::once(rule).chain(added).flat_map(|rule| &rule.require).flat_map(|p| &p.conditions);
    // A `neq` under `require` is not met either, but is itself what is in doubt.
    let required = required.filter(|condition| list == List::DenyIf || !negates(&condition.test));
    required.chain(own.iter().filter(|condition| !negates(&condition.test))).collect()
}

fn may_be_missing(subject: &Subject<'_>, rule: &Rule, list: List, condition: &Condition) -> bool {
    match (&condition.path.root, list) {
        (Root::Hour | Root::Weekday, _) => false,
        // To refuse who lacks the claim, the header or the grant as well is what such a rule is for.
        (Root::Claims | Root::Header(_) | Root::Grant, List::DenyIf) => false,
        (Root::Arguments, _) => match condition.path.steps.as_slice() {
            [Step::Key(name)] => !arguments::always_there(subject, rule, name),
            _ => true,
        },
        _ => true,
    }
}
