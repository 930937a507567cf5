//! What tests of several commands share: the documents that are shipped, and what the filter decides.

use std::{
    fs,
    path::{Path, PathBuf},
};

use policy::decision::{Decision, Effort, Facts, Header, Takings, judge};
use serde_json::Value;

/// Nothing is known of a call beside its body.
struct Nothing;

impl Facts for Nothing {
    fn grant(&self) -> Option<&str> {
        None
    }

    fn claim(&self, _name: &str) -> Option<&[u8]> {
        None
    }

    fn header(&self, _name: &str) -> Header<'_> {
        Header::Absent
    }

    fn unix_seconds(&self) -> u64 {
        0
    }
}

/// How far a call gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Refused,
    NeedsApproval,
    Passes,
}

/// How far the filter lets a call get under a policy, and the counters that it takes from.
pub(crate) fn outcome(policy: &str, tool: &str, arguments: &str) -> (Outcome, Vec<String>) {
    let policy = policy::document::load(policy.as_bytes()).unwrap();
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
    );
    let message = policy::message::read(body.as_bytes(), 64).unwrap();
    let counters = |takings: Takings<'_>| takings.iter().map(|taking| taking.limit.counter.to_string()).collect();
    match judge(&policy, message.method().unwrap(), message.params().unwrap(), None, &Nothing, &Effort::default()) {
        Decision::Refuse(_) => (Outcome::Refused, vec![]),
        Decision::Approve(_, takings) => (Outcome::NeedsApproval, counters(takings)),
        Decision::Allow(takings) => (Outcome::Passes, counters(takings)),
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files below a folder whose names end so: their paths and texts.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<(PathBuf, String)> {
    let mut texts = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == extension) {
                let text = fs::read_to_string(&path).unwrap();
                texts.push((path, text));
            }
        }
    }
    texts
}

/// The policies and configurations that people read or copy, each with the file that holds it: examples, documentation, and
/// scenarios.
pub(crate) fn shipped() -> Vec<(PathBuf, String)> {
    let mut texts = files("examples", "json");
    let readme = root().join("README.md");
    let readme = (readme.clone(), fs::read_to_string(readme).unwrap());
    for (path, markdown) in files("docs", "md").into_iter().chain([readme]) {
        let blocks = markdown.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
        texts.extend(blocks.map(|block| (path.clone(), block.to_owned())));
    }
    for (path, scenario) in files("scenarios", "yaml") {
        let scenario: Value = serde_saphyr::from_str(&scenario).unwrap();
        policies_of(&scenario, &path, &mut texts);
    }
    texts.retain(|(_, text)| policy::config::load(text.as_bytes()).is_ok());
    texts
}

/// What stands under `policy` and `configuration` anywhere.
fn policies_of(value: &Value, path: &Path, into: &mut Vec<(PathBuf, String)>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                if ["policy", "configuration"].contains(&key.as_str()) && value.is_object() {
                    into.push((path.to_owned(), value.to_string()));
                }
                policies_of(value, path, into);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|value| policies_of(value, path, into)),
        _ => {}
    }
}
