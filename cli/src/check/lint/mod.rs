//! What is legal, and likely not meant. A file for each kind of doubt.
//!
//! A warning must be right in every case: where a policy could mean what it says, nothing is said.

mod arguments;
mod contradictions;
mod lacking;
mod limits;
mod names;
mod negations;
mod pinned;
mod reach;
mod records;
mod regexes;
mod solve;

use policy::{
    config::Config,
    document::{
        Policy,
        model::{Action, Limit, Predicate, Rule, Section},
        pointer_step,
    },
};

use super::{finding::Findings, offered::Offered};
use crate::tools::Tool;

/// One policy of a document.
struct Subject<'a> {
    policy: &'a Policy,
    /// Where it stands: nothing, or `/policies/NAME`.
    at: String,
    /// What the servers offer that it is for, if that is known.
    tools: Option<&'a [Tool]>,
}

/// Says what there is to say of a configuration.
pub(super) fn configuration(config: &Config, offered: Option<&Offered>, findings: &mut Findings<'_>) {
    let part = offered.map(|offered| (offered, offered.part(config)));
    for (index, (name, policy)) in config.policies.iter().enumerate() {
        // A bare policy has no name.
        let at = if name.is_empty() { String::new() } else { format!("/policies{}", pointer_step(name)) };
        let concerned = part.as_ref().filter(|(_, part)| part.policies.contains(&index));
        let subject = Subject { policy, at, tools: concerned.map(|(offered, _)| offered.tools.as_slice()) };
        names::check(&subject, findings);
        reach::check(&subject, findings);
        limits::check(&subject, findings);
        contradictions::check(&subject, findings);
        negations::check(&subject, findings);
        regexes::check(&subject, findings);
        records::check(&subject, config, findings);
        arguments::check(&subject, findings);
        lacking::check(&subject, findings);
    }
    if let Some((offered, part)) = &part {
        let policies: Vec<_> = part.policies.iter().filter_map(|at| config.policies.get(*at)).collect();
        names::unnamed(&policies, &pinned::there(config, offered, part), findings);
        pinned::check(config, offered, part, findings);
    }
}

impl<'a> Subject<'a> {
    fn sections(&self) -> [&'a Section; 4] {
        let policy = self.policy;
        [&policy.tools, &policy.resources, &policy.prompts, &policy.methods]
    }

    /// Every rule, `all_tools` included.
    fn rules(&self) -> impl Iterator<Item = &'a Rule> + use<'a> {
        self.sections().into_iter().flat_map(rules).chain([&self.policy.all_tools])
    }

    /// What `all_tools` adds to a rule.
    fn added(&self, rule: &Rule) -> Option<&'a Rule> {
        let added = is_tool(rule) && !matches!(rule.action, Action::Deny { .. });
        added.then_some(&self.policy.all_tools)
    }

    /// Where a rule stands.
    fn rule(&self, rule: &Rule) -> String {
        format!("{}{}", self.at, rule.pointer)
    }

    /// Where a limit stands.
    fn limit(&self, rule: &Rule, limit: &Limit) -> String {
        let at = self.rule(rule);
        let own = |field: &str| *limit.pointer == *format!("{}/{field}", rule.pointer);
        match rule.limits.iter().position(|other| std::ptr::eq(other, limit)) {
            Some(index) if !own("rate_limit") && !own("concurrency") => format!("{at}/limits/{index}"),
            _ if own("concurrency") => format!("{at}/concurrency"),
            _ => format!("{at}/rate_limit"),
        }
    }
}

/// The rules of a section.
fn rules(section: &Section) -> impl Iterator<Item = &Rule> {
    section.exact.values().chain(section.globs.iter().map(|(_, rule)| rule))
}

fn is_tool(rule: &Rule) -> bool {
    rule.pointer.starts_with("/tools/")
}

/// The list of a rule that a predicate stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    Require,
    DenyIf,
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::DenyIf => "deny_if",
        }
    }

    fn of(self, rule: &Rule) -> &[Predicate] {
        match self {
            Self::Require => &rule.require,
            Self::DenyIf => &rule.deny_if,
        }
    }
}
