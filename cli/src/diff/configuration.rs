//! Configurations against configurations, and the policies in them.

use std::fmt::Debug;

use policy::{
    config::{Config, Mode, Unmatched},
    document::{
        Policy,
        model::{Action, Default, Listing, Rule},
    },
};

use super::{
    mark::{Change, Mark},
    rule::{self, Told},
    section, words,
};

/// Says how two documents differ.
pub(super) fn compare(old: &Config, new: &Config) -> Vec<Change> {
    let mut changes = Vec::new();
    settings(old, new, &mut changes);
    let find = |config: &'_ Config, name: &str| config.policies.iter().position(|(other, _)| **other == *name);
    for (name, policy) in &old.policies {
        match find(new, name).and_then(|index| new.policies.get(index)) {
            Some((_, now)) => policies(name, policy, now, &mut changes),
            None => Told { about: title(name), changes: &mut changes }.say(Mark::Changed, "is gone".to_owned()),
        }
    }
    for (name, _) in new.policies.iter().filter(|(name, _)| find(old, name).is_none()) {
        Told { about: title(name), changes: &mut changes }.say(Mark::Changed, "is new".to_owned());
    }
    changes
}

fn title(name: &str) -> String {
    // A bare policy has no name.
    if name.is_empty() { "the policy".to_owned() } else { format!("policy {}", words::quoted(name)) }
}

/// What stands around the policies. Values are not shown: some are secret.
fn settings(old: &Config, new: &Config, changes: &mut Vec<Change>) {
    let mut told = |name: &str, mark: Mark, what: &str| {
        changes.push(Change { mark, about: name.to_owned(), what: what.to_owned() });
    };
    match (old.mode, new.mode) {
        (Mode::Enforce, Mode::Observe) => told("mode", Mark::Loosened, "`observe`: nothing is refused any more"),
        (Mode::Observe, Mode::Enforce) => told("mode", Mark::Tightened, "`enforce`: refusals are carried out"),
        _ => {}
    }
    match (old.unmatched, new.unmatched) {
        (Unmatched::Deny, Unmatched::Pass) => told("unmatched", Mark::Loosened, "requests that no route names pass"),
        (Unmatched::Pass, Unmatched::Deny) => {
            told("unmatched", Mark::Tightened, "requests that no route names are refused")
        }
        _ => {}
    }
    let names = |config: &Config| config.policies.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    // A route holds the numbers of its policies.
    let routes = |config: &Config| {
        let names = names(config);
        let chosen = |index: &usize| names.get(*index).cloned();
        let route = |route: &policy::config::Route| {
            let policies: Vec<_> = route.policies.iter().filter_map(chosen).collect();
            let place = (&route.host, &route.path, &route.route, &route.cluster, &route.when, route.transport);
            format!("{place:?} {policies:?}")
        };
        config.routes.iter().map(route).collect::<Vec<_>>()
    };
    for (name, differs) in [
        ("routes", routes(old) != routes(new)),
        ("pass_paths", differ(&old.pass_paths, &new.pass_paths)),
        ("identity", differ(&old.identity, &new.identity)),
        ("denial", old.denial != new.denial),
        ("disclose", old.disclose != new.disclose),
        ("request_headers", old.request_headers != new.request_headers),
        ("retries", old.retries != new.retries),
        ("batches", differ(&old.batches, &new.batches)),
        ("max_body_bytes", old.max_body_bytes != new.max_body_bytes),
        ("max_depth", old.max_depth != new.max_depth),
        ("max_event_bytes", old.max_event_bytes != new.max_event_bytes),
        ("counters", differ(&old.counters, &new.counters)),
        ("global_counters", differ(&old.global_counters, &new.global_counters)),
        ("approvals", differ(&old.approvals, &new.approvals)),
        ("audit", old.audit.is_some() != new.audit.is_some()),
    ] {
        if differs {
            told(name, Mark::Changed, "is set otherwise");
        }
    }
}

fn differ<T: Debug>(one: &T, other: &T) -> bool {
    format!("{one:?}") != format!("{other:?}")
}

fn policies(name: &str, old: &Policy, new: &Policy, changes: &mut Vec<Change>) {
    let before = changes.len();
    section::compare(&old.tools, &new.tools, "tool", changes);
    rule::compare(&old.all_tools, &new.all_tools, &mut Told { about: "all tools".to_owned(), changes });
    section::compare(&old.resources, &new.resources, "resource", changes);
    section::compare(&old.prompts, &new.prompts, "prompt", changes);
    methods(old, new, changes);
    if old.listing != new.listing {
        let what = match new.listing {
            Listing::All => "lists leave out only what is hidden",
            Listing::Allowed => {
                "lists leave out what would be denied, and a call to it is answered like one to a hidden tool"
            }
        };
        Told { about: "listing".to_owned(), changes }.say(Mark::Changed, what.to_owned());
    }
    if changes.len() == before && differ(old, new) {
        let what = "differs in the order of what it says, or in what no call comes to";
        Told { about: title(name), changes }.say(Mark::Changed, what.to_owned());
    }
    if !name.is_empty() {
        for change in changes.iter_mut().skip(before).filter(|change| change.about != title(name)) {
            change.about = format!("{}: {}", title(name), change.about);
        }
    }
}

/// Methods: a rule allows or denies; without one it depends on the method.
fn methods(old: &Policy, new: &Policy, changes: &mut Vec<Change>) {
    if old.default != new.default {
        let told = &mut Told { about: "methods that nothing else judges".to_owned(), changes };
        match new.default {
            Default::Allow => told.say(Mark::Loosened, "allowed, were denied".to_owned()),
            Default::Deny => told.say(Mark::Tightened, "denied, were allowed".to_owned()),
        }
    }
    let keys = |policy: &Policy| -> std::collections::BTreeMap<String, Option<bool>> {
        let denies = |rule: &Rule| Some(matches!(rule.action, Action::Deny { .. }));
        let exact = policy.methods.exact.iter().map(|(name, rule)| (name.to_string(), denies(rule)));
        let globs = policy.methods.globs.iter().map(|(glob, rule)| (glob.source().to_owned(), denies(rule)));
        exact.chain(globs).collect()
    };
    let (before, after) = (keys(old), keys(new));
    let all: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in all {
        let word = |rule: Option<&Option<bool>>| match rule {
            Some(Some(true)) => "denied",
            Some(_) => "allowed",
            None => "without a rule",
        };
        let (was, now) = (word(before.get(name)), word(after.get(name)));
        let mark = match (was, now) {
            (was, now) if was == now => continue,
            ("denied", "allowed") => Mark::Loosened,
            ("allowed", "denied") => Mark::Tightened,
            _ => Mark::Changed,
        };
        let told = &mut Told { about: format!("method {}", words::quoted(name)), changes };
        told.say(mark, format!("{now}, was {was}"));
    }
}
