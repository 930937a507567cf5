//! One file of cases, through the filter.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use host_test::scenario::{Difference, Exchange, File, InWasmtime, Outcome, Placed, Received, Scenario, ScenarioError};

use super::coverage::{Coverage, Judged};
use crate::document;

/// What came of a file.
pub(super) struct Ran {
    pub(super) path: PathBuf,
    /// Why none of its cases could be run.
    pub(super) error: Option<String>,
    pub(super) cases: Vec<Case>,
    /// Which rules its cases reached.
    pub(super) coverage: Coverage,
}

/// What came of a scenario.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) steps: usize,
    pub(super) took: Duration,
    /// Why it could not be run.
    pub(super) error: Option<String>,
    /// The steps that came out otherwise.
    pub(super) failed: Vec<Failed>,
}

/// A step that came out otherwise.
pub(super) struct Failed {
    /// File, line, and which step of which scenario.
    pub(super) place: String,
    pub(super) line: u64,
    /// Which step it is as written, counted from 1.
    pub(super) step: usize,
    pub(super) differences: Vec<Difference>,
    /// What the filter says that it did.
    pub(super) logged: Vec<String>,
}

impl Case {
    pub(super) fn passed(&self) -> bool {
        self.error.is_none() && self.failed.is_empty()
    }
}

/// Runs the scenarios of a file.
pub(super) fn file(path: &Path, host: &InWasmtime) -> Ran {
    let mut ran = Ran { path: path.to_owned(), error: None, cases: vec![], coverage: Coverage::default() };
    match read(path) {
        Ok(file) => {
            for scenario in &file.scenarios {
                let case = case(&file, scenario, host, &mut ran.coverage);
                ran.cases.push(case);
            }
        }
        Err(error) => ran.error = Some(error),
    }
    ran
}

/// Reads the cases, and looks at the policies that they name: what is wrong with one is told with its place in its own file.
fn read(path: &Path) -> Result<File, String> {
    let file = File::read(path).map_err(|error| told(path, &error))?;
    let mut documents: Vec<&Path> =
        file.scenarios.iter().filter_map(|scenario| file.document(&scenario.value)).collect();
    documents.sort();
    documents.dedup();
    for document in documents {
        document::configuration(document).map_err(|failure| format!("{}: {failure}", path.display()))?;
    }
    Ok(file)
}

fn told(path: &Path, error: &ScenarioError) -> String {
    let path = path.display();
    match (error, error.location()) {
        (ScenarioError::Text { source, .. }, Some((line, column))) => {
            format!("{path}:{line}:{column}: {}", source.without_snippet())
        }
        (ScenarioError::Io { source, .. }, _) => format!("cannot read `{path}`: {source}"),
        _ => error.to_string(),
    }
}

fn case(file: &File, scenario: &Placed<Scenario>, host: &InWasmtime, coverage: &mut Coverage) -> Case {
    let begun = Instant::now();
    let ran = host.run(file, scenario);
    let mut case = Case {
        name: scenario.value.name.clone(),
        line: scenario.referenced.line(),
        steps: scenario.value.steps.len(),
        took: begun.elapsed(),
        error: None,
        failed: vec![],
    };
    let outcomes = match ran {
        Ok(outcomes) => outcomes,
        Err(error) => {
            case.error = Some(error.to_string());
            return case;
        }
    };
    let mut judged = coverage.of(file, &scenario.value);
    let held = file.holds_heads(&scenario.value);
    for (index, (step, outcome)) in scenario.value.steps.iter().zip(&outcomes).enumerate() {
        let exchange = Exchange::of(&step.value);
        if let Some(judged) = &mut judged {
            Judged::step(judged, &exchange, outcome);
        }
        let differences = outcome.differences(&exchange, &step.value.expect, held);
        let (number, _) = step.value.number;
        // Of a step that is done several times, the first that fails is enough.
        if !differences.is_empty() && case.failed.last().is_none_or(|last| last.step != number) {
            let (place, line) = (file.place_of_step(scenario, index), step.referenced.line());
            let logged = logged(outcome);
            case.failed.push(Failed { place, line, step: number, differences, logged });
        }
    }
    case
}

/// What the filter says that it did. It names rules and tools, never arguments.
fn logged(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.logged.iter().filter_map(|line| line.strip_prefix("mcp_policy: "));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    if lines.is_empty() && outcome.received.iter().any(Received::asks) {
        lines.push("it may pass".to_owned());
    }
    lines
}
