//! Conditions that cannot hold together, although all of them must.

use policy::document::{condition::Condition, path::Step};

use super::{List, Subject, solve};
use crate::check::{code::CONTRADICTION, finding::Findings};

/// A condition and where it stands.
type Placed<'a> = (String, &'a Condition);

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for rule in subject.rules() {
        // All of `require` must hold, be it in one predicate or in several. What `all_tools` adds is held against it, and
        // against itself in its own turn.
        let own = placed(subject, rule, List::Require);
        let added = subject.added(rule).map(|all| placed(subject, all, List::Require)).unwrap_or_default();
        for (index, later) in own.iter().enumerate() {
            let before = own.get(..=index).unwrap_or_default().iter().chain(&added);
            tell(before, later, "so every call is refused", findings);
        }
        for (number, predicate) in rule.deny_if.iter().enumerate() {
            let at = format!("{}/deny_if/{number}/conditions", subject.rule(rule));
            let conditions = predicate.conditions.iter().enumerate();
            // Of several elements, one may meet the one condition and another the other.
            let single = conditions.filter(|(_, condition)| !condition.path.steps.contains(&Step::Every));
            let all: Vec<Placed<'_>> = single.map(|(index, c)| (format!("{at}/{index}"), c)).collect();
            for (index, later) in all.iter().enumerate() {
                let before = all.get(..=index).unwrap_or_default().iter();
                tell(before, later, "so this refuses no value of the type that is wanted", findings);
            }
        }
    }
}

/// All conditions of a list.
fn placed<'a>(subject: &Subject<'a>, rule: &'a policy::document::model::Rule, list: List) -> Vec<Placed<'a>> {
    let mut all = Vec::new();
    for (number, predicate) in list.of(rule).iter().enumerate() {
        let at = format!("{}/{}/{number}/conditions", subject.rule(rule), list.name());
        all.extend(predicate.conditions.iter().enumerate().map(|(index, c)| (format!("{at}/{index}"), c)));
    }
    all
}

/// Says that a condition cannot hold: by itself, or together with one before.
fn tell<'a>(
    mut before: impl Iterator<Item = &'a Placed<'a>>,
    later: &Placed<'_>,
    so: &str,
    findings: &mut Findings<'_>,
) {
    let against = before.find(|(_, other)| solve::same_path(other, later.1) && solve::exclude(other, later.1));
    let Some((pointer, _)) = against else { return };
    let (message, help) = if *pointer == later.0 {
        (format!("no value meets this, {so}"), None)
    } else {
        (format!("no value meets both this and an earlier condition, {so}"), Some(format!("see `{pointer}`")))
    };
    findings.of_value(&CONTRADICTION, later.0.clone(), message, help);
}
