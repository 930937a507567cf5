//! The points of a policy that cases can reach.

use policy::document::model::{Action, Policy, Rule, Section};

/// The places that decide, as paths into the policy: see the documentation of `mcp-policy test` for what each means.
pub(super) fn of(policy: &Policy) -> Vec<String> {
    let sections = [&policy.tools, &policy.resources, &policy.prompts, &policy.methods];
    let rules = sections.into_iter().flat_map(rules);
    let mut points: Vec<String> = rules.flat_map(|rule| of_rule(rule, passes(rule))).collect();
    points.extend(of_rule(&policy.all_tools, false));
    let hidden = [("/hide", &policy.tools), ("/resources/hide", &policy.resources), ("/prompts/hide", &policy.prompts)];
    for (place, section) in hidden {
        points.extend(section.hide.iter().map(|glob| format!("{place}/{}", glob.source())));
    }
    points
}

fn rules(section: &Section) -> impl Iterator<Item = &Rule> {
    section.exact.values().chain(section.globs.iter().map(|(_, rule)| rule))
}

/// Whether the rule itself ever decides: what a predicate without conditions refuses always does not get there.
fn passes(rule: &Rule) -> bool {
    let always = rule.deny_if.iter().any(|predicate| predicate.conditions.is_empty());
    let never = rule.schema.as_ref().is_some_and(|schema| schema.is_never());
    matches!(rule.action, Action::Deny { .. }) || !always && !never
}

fn of_rule(rule: &Rule, itself: bool) -> Vec<String> {
    let own = itself.then_some(&rule.pointer);
    let schema = rule.schema.iter().map(|schema| &schema.pointer);
    let predicates = rule.require.iter().chain(&rule.deny_if).map(|predicate| &predicate.pointer);
    let limits = rule.limits.iter().map(|limit| &limit.pointer);
    own.into_iter().chain(schema).chain(predicates).chain(limits).map(ToString::to_string).collect()
}
