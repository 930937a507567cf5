//! The report for programs.

use serde_json::{Value, json};

use super::Report;
use super::coverage::Policy;
use super::run::{Case, Failed, Ran};

/// One JSON document.
pub(super) fn of(report: &Report) -> String {
    let policies: Vec<Value> = report.coverage.policies().map(policy).collect();
    let files: Vec<Value> = report.files.iter().map(file).collect();
    let whole = json!({ "passed": report.passed(), "files": files, "coverage": policies });
    format!("{whole:#}\n")
}

fn file(file: &Ran) -> Value {
    let Ran { path, error, cases, .. } = file;
    let cases: Vec<Value> = cases.iter().map(case).collect();
    json!({ "file": path.display().to_string(), "error": error, "scenarios": cases })
}

fn case(case: &Case) -> Value {
    let Case { name, line, steps, error, failed, .. } = case;
    let failures: Vec<Value> = failed.iter().map(failure).collect();
    json!({
        "name": name, "line": line, "steps": steps, "passed": case.passed(), "error": error, "failures": failures,
    })
}

fn failure(failed: &Failed) -> Value {
    let Failed { line, step, differences, logged, .. } = failed;
    let differences: Vec<Value> = differences
        .iter()
        .map(|one| json!({ "what": one.what, "expected": one.expected, "found": one.found }))
        .collect();
    json!({ "step": step, "line": line, "log": logged, "differences": differences })
}

fn policy(policy: &Policy) -> Value {
    let missed: Vec<&str> = policy.missed().collect();
    json!({
        "policy": policy.document.display().to_string(),
        "name": Some(&policy.name).filter(|name| !name.is_empty()),
        "rules": policy.all(),
        "reached": policy.reached(),
        "percent": policy.percent(),
        "missed": missed,
    })
}
