//! `mcp-policy diff`: what a new policy changes, in words.

mod configuration;
mod limit;
mod mark;
mod predicate;
mod rule;
mod section;
mod words;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use mark::{Change, Mark};
use serde_json::json;

use crate::{
    document,
    failure::{FOUND, Outcome},
    output,
};

/// The command line.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The policy or configuration as it was; `-` reads standard input
    old: PathBuf,
    /// As it is to be; `-` reads standard input
    new: PathBuf,
    /// How differences are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How differences are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each
    #[default]
    Text,
    /// One JSON object
    Json,
}

/// Writes the differences to standard output.
pub(crate) fn run(options: &Options) -> Outcome {
    let (old, new) = (document::configuration(&options.old)?, document::configuration(&options.new)?);
    let changes = configuration::compare(&old, &new);
    output::print(&match options.format {
        Format::Text => text(&changes),
        Format::Json => json(&changes),
    })?;
    Ok(if changes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

/// A line for each difference; nothing where there is none.
fn text(changes: &[Change]) -> String {
    let line = |Change { mark, about, what }: &Change| {
        let (style, word) = (mark.style(), mark.word());
        format!("{style}{word:<9}{style:#}  {about}: {what}\n")
    };
    let mut text: String = changes.iter().map(line).collect();
    if !changes.is_empty() {
        let [loosened, tightened, changed] = count(changes);
        text.push_str(&format!("{loosened} loosened, {tightened} tightened, {changed} changed\n"));
    }
    text
}

fn json(changes: &[Change]) -> String {
    let all =
        changes.iter().map(|Change { mark, about, what }| json!({ "mark": mark.word(), "about": about, "what": what }));
    let all: Vec<_> = all.collect();
    let [loosened, tightened, changed] = count(changes);
    format!("{:#}\n", json!({ "loosened": loosened, "tightened": tightened, "changed": changed, "changes": all }))
}

fn count(changes: &[Change]) -> [usize; 3] {
    let of = |mark| changes.iter().filter(|change| change.mark == mark).count();
    [of(Mark::Loosened), of(Mark::Tightened), of(Mark::Changed)]
}

#[cfg(test)]
mod tests;
