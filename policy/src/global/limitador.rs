//! The limits file of Limitador, which knows no override: it has to be told each limit beforehand.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use super::hits::Hits;
use super::period::Period;
use crate::config::Config;
use crate::document::model::Store;

/// Writes the limits file that Limitador needs for this configuration, as YAML. `None` if no limit has `"store": "global"`.
///
/// A counter is one limit: its conditions name the descriptor's `policy`, `counter`, `scope`, `window` and `unit`, its
/// variable is the `value`. Limits that share a counter have one `max`, or the configuration would not have loaded. Where
/// only `max` changes, Limitador keeps the count.
pub fn limitador_limits(config: &Config) -> Option<String> {
    let settings = config.global_counters.as_ref()?;
    let mut limits = BTreeMap::new();
    for (policy, document) in &config.policies {
        for limit in document.limits().filter(|limit| limit.store == Store::Global) {
            // INVARIANT: a configuration in which one of the two is none does not load.
            let (Some(period), Some(hits)) = (Period::of(limit.window), Hits::of(limit.unit, limit.max)) else {
                continue;
            };
            let entries = [
                ("policy", policy.to_string()),
                ("counter", limit.counter.to_string()),
                ("scope", limit.scope.to_string()),
                ("window", period.to_string()),
                ("unit", hits.unit.to_owned()),
            ];
            let conditions = entries.map(|(key, value)| format!("descriptors[0].{key} == {}", cel_text(&value)));
            limits.insert(conditions, (hits.max, period.seconds()));
        }
    }
    if limits.is_empty() {
        return None;
    }
    let namespace = yaml_text(&settings.domain);
    let mut file = String::from("# Written by `mcp-policy export limitador`. Change the policy, and write it anew.\n");
    for (conditions, (max, seconds)) in limits {
        let conditions: String =
            conditions.iter().map(|condition| format!("    - {}\n", yaml_text(condition))).collect();
        // Writing to a string cannot fail.
        _ = write!(
            file,
            "- namespace: {namespace}\n  max_value: {max}\n  seconds: {seconds}\n  conditions:\n{conditions}  variables:\n    \
             - {}\n",
            yaml_text("descriptors[0].value")
        );
    }
    Some(file)
}

/// A string of the Common Expression Language.
fn cel_text(text: &str) -> String {
    quoted(text, |c| c.is_control(), |c| format!("\\U{:08x}", u32::from(c)))
}

/// A string of YAML, in ASCII: some characters beyond it cannot stand in a file.
fn yaml_text(text: &str) -> String {
    quoted(text, |c| c.is_control() || !c.is_ascii(), |c| format!("\\U{:08x}", u32::from(c)))
}

fn quoted(text: &str, special: impl Fn(char) -> bool, escape: impl Fn(char) -> String) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if special(c) => quoted.push_str(&escape(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
