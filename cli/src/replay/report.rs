//! What is different.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    judge::{Anew, Becomes},
    record::{Call, Record},
};

/// What is different.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    pub(super) bodies: usize,
    pub(super) calls: usize,
    /// When the first body was judged, and the last.
    pub(super) first: String,
    pub(super) last: String,
    /// Calls of which the same becomes.
    pub(super) as_recorded: usize,
    /// Calls that are refused as before, by another rule or in another way.
    pub(super) refused_otherwise: usize,
    pub(super) newly_denied: usize,
    pub(super) newly_allowed: usize,
    pub(super) undecidable: usize,
    pub(super) damaged_lines: usize,
    /// What changes, by tool and grant.
    pub(super) changes: Vec<Change>,
    /// What to know of these numbers.
    pub(super) notes: Vec<String>,
    #[serde(skip)]
    groups: BTreeMap<Group, (usize, String, String)>,
    #[serde(skip)]
    runs: usize,
    #[serde(skip)]
    several: usize,
}

/// How a call changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    NewlyDenied,
    NewlyAllowed,
    Undecidable,
}

/// What the calls of one line of the report have in common, in the order of the lines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Group {
    pub(super) change: Kind,
    /// The tool, prompt or resource.
    pub(super) name: String,
    pub(super) method: String,
    /// A digest, or `anonymous`.
    pub(super) grant: String,
    pub(super) was: Decided,
    /// None if it is not known.
    pub(super) becomes: Option<Decided>,
    /// The paths that would have to be recorded; in parentheses, what cannot be.
    pub(super) needs: Vec<String>,
}

/// What became of a call, and by which rule of which policy if it did not pass.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Decided {
    pub(super) outcome: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) policy: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rule: Option<String>,
}

/// One line of the report.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    #[serde(flatten)]
    pub(super) group: Group,
    pub(super) calls: usize,
    pub(super) first: String,
    pub(super) last: String,
}

impl Report {
    /// Adds what becomes of a body. Bodies come in the order of time.
    pub(super) fn add(&mut self, record: &Record, anew: &Anew, bare: bool) {
        if self.bodies == 0 {
            self.first.clone_from(&record.time);
        }
        self.last.clone_from(&record.time);
        self.bodies += 1;
        self.runs += usize::from(anew.runs);
        self.several += usize::from(bare && record.policies.len() > 1);
        for (call, becomes) in record.calls.iter().zip(&anew.calls) {
            self.calls += 1;
            let was = Decided::was(call);
            let (change, becomes, needs) = match becomes {
                Becomes::Same => {
                    self.as_recorded += 1;
                    continue;
                }
                Becomes::Allowed if call.passed() => {
                    self.as_recorded += 1;
                    continue;
                }
                Becomes::Refused { outcome, policy, rule } if !call.passed() => {
                    let now = Decided::refused(outcome, policy, rule);
                    // A bare policy has no name to compare.
                    let same = now.outcome == was.outcome && now.rule == was.rule && (bare || now.policy == was.policy);
                    *(if same { &mut self.as_recorded } else { &mut self.refused_otherwise }) += 1;
                    continue;
                }
                Becomes::Allowed => {
                    self.newly_allowed += 1;
                    let allowed = Decided { outcome: "allowed".to_owned(), policy: String::new(), rule: None };
                    (Kind::NewlyAllowed, Some(allowed), vec![])
                }
                Becomes::Refused { outcome, policy, rule } => {
                    self.newly_denied += 1;
                    (Kind::NewlyDenied, Some(Decided::refused(outcome, policy, rule)), vec![])
                }
                Becomes::Unknown(needs) => {
                    self.undecidable += 1;
                    (Kind::Undecidable, None, needs.iter().cloned().collect())
                }
            };
            let group = Group {
                change,
                name: call.about(),
                method: call.method.clone(),
                grant: record.grant.clone(),
                was,
                becomes,
                needs,
            };
            let (calls, _, last) = self.groups.entry(group).or_insert_with(|| (0, record.time.clone(), String::new()));
            *calls += 1;
            last.clone_from(&record.time);
        }
    }

    /// Puts what was added in order.
    pub(super) fn finish(&mut self) {
        let groups = std::mem::take(&mut self.groups).into_iter();
        self.changes = groups.map(|(group, (calls, first, last))| Change { group, calls, first, last }).collect();
        if self.runs > 0 {
            self.notes.push(format!(
                "{} bodies come under `concurrency`, which is not replayed: records do not say when a call has ended",
                self.runs
            ));
        }
        if self.several > 0 {
            self.notes.push(format!(
                "{} bodies were judged by several policies: replay the whole configuration to try them together",
                self.several
            ));
        }
    }
}

impl Decided {
    fn was(call: &Call) -> Self {
        Self { outcome: call.outcome.clone(), policy: call.policy.clone(), rule: call.rule.clone() }
    }

    fn refused(outcome: &str, policy: &str, rule: &str) -> Self {
        Self { outcome: outcome.to_owned(), policy: policy.to_owned(), rule: Some(rule.to_owned()) }
    }
}

impl Call {
    /// What the call is about, in one word if there is one.
    fn about(&self) -> String {
        let one = self.name.as_ref().or(self.uri.as_ref()).or(self.template.as_ref());
        match (one, &self.uris) {
            (Some(one), _) => one.clone(),
            (None, Some(uris)) => uris.join(" "),
            (None, None) => String::new(),
        }
    }
}
