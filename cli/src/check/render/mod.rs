//! Findings, written for people and for programs.

mod github;
mod json;
mod sarif;
mod text;

pub(super) use github::github;
pub(super) use json::json;
pub(super) use sarif::sarif;
pub(super) use text::text;

use super::{Checked, Count};

/// How much was found, in words: `2 errors and 1 warning in 3 files`.
fn summary(all: &[Checked], count: Count) -> String {
    let some = |n: usize, what: &str| match n {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    };
    let notes = if count.notes > 0 { format!(", {}", some(count.notes, "note")) } else { String::new() };
    let (errors, warnings) = (some(count.errors, "error"), some(count.warnings, "warning"));
    format!("{errors}, {warnings}{notes} in {}", some(all.len(), "file"))
}

/// A text that ends in a line break, as JSON for programs.
fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
