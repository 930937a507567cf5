//! Pinned tools that their server no longer defines as they were reviewed, or that it does not have.

use std::collections::BTreeSet;

use policy::config::Config;

use super::{
    super::{
        code::{CHANGED_TOOL, GONE_TOOL, UNCHECKED_LOCK, UNPINNED_TOOL, UNREADABLE_LIST},
        finding::Findings,
        offered::{Offered, Part},
    },
    names::quoted,
    pointer_step,
};
use crate::{
    output::shown,
    pin::{Difference, Pinned, compare, pinned},
    tools::Tool,
};

pub(super) fn check(config: &Config, offered: &Offered, part: &Part, findings: &mut Findings<'_>) {
    let Some(listed) = &offered.pinned else { return };
    if part.is_open {
        let names: Vec<&str> = config.locks.iter().map(|(name, _)| &**name).collect();
        let message =
            format!("nothing says which routes lead to the server, so no lock is compared: {}", quoted(&names));
        let help = "name the server's lock with `--lock`, or its route with `--route`".to_owned();
        findings.of_key(&UNCHECKED_LOCK, "/locks".to_owned(), message, Some(help));
    }
    for (name, lock) in part.locks.iter().filter_map(|at| config.locks.get(*at)) {
        let at = format!("/locks{}", pointer_step(name));
        match listed {
            Ok(listed) => differences(&at, &pinned(lock), listed, findings),
            Err(why) => findings.of_key(&UNREADABLE_LIST, at, why.to_string(), None),
        }
    }
}

fn differences(lock: &str, locked: &Pinned, listed: &Pinned, findings: &mut Findings<'_>) {
    let mut new = Vec::new();
    for (tool, difference) in compare(locked, listed) {
        let at = format!("{lock}/tools{}", pointer_step(tool));
        match difference {
            Difference::Changed { now } => {
                let message = format!("`{}` is not what was reviewed, so its calls are denied", shown(tool));
                let help = format!(
                    "its digest is now {now}: read the definition, then write the lock anew with `mcp-policy pin`"
                );
                findings.of_key(&CHANGED_TOOL, at, message, Some(help));
            }
            Difference::Gone => {
                findings.of_key(&GONE_TOOL, at, format!("the server does not list `{}`", shown(tool)), None);
            }
            Difference::New => new.push(tool),
        }
    }
    if !new.is_empty() {
        let message = format!("the server lists these as well, and they are hidden: {}", quoted(&new));
        let help = "read their definitions and pin them, or leave them hidden".to_owned();
        findings.of_key(&UNPINNED_TOOL, lock.to_owned(), message, Some(help));
    }
}

/// The tools that are there for an agent: where there are locks, those that one of them has.
pub(super) fn there<'o>(config: &Config, offered: &'o Offered, part: &Part) -> Vec<&'o Tool> {
    let locks = part.locks.iter().filter_map(|at| config.locks.get(*at));
    let names: BTreeSet<&str> = locks.flat_map(|(_, lock)| lock.tools().map(|(name, _)| name)).collect();
    let is_there = |tool: &&Tool| part.locks.is_empty() || names.contains(tool.name.as_str());
    offered.tools.iter().filter(is_there).collect()
}
