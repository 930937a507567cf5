//! `mcp-policy check`: what is wrong with policies and configurations, and what is likely not meant.

mod code;
mod finding;
mod lint;
mod offered;
mod render;
mod text;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use finding::{Finding, Findings};
use offered::{Lists, Offered};
use text::Text;

use crate::{
    document::Source,
    failure::{FOUND, Failure, Outcome},
    output,
};

pub(crate) use code::Severity;

/// The command line.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Policies or configurations of the filter; `-` reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    lists: Lists,
    /// Fail on warnings as well
    #[arg(long)]
    deny_warnings: bool,
    /// Leave out the warnings or notes of a code, such as `unguarded-negation`
    #[arg(long, value_name = "CODE", value_parser = known_code)]
    allow: Vec<String>,
    /// How findings are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the line, and what is wrong with it
    #[default]
    Text,
    /// One JSON object
    Json,
    /// SARIF 2.1.0, which code scanning services take
    Sarif,
    /// Workflow commands, which GitHub Actions shows beside the change
    Github,
}

/// One document and what was found.
struct Checked {
    /// Its text; without any if it could not be read.
    text: Text,
    findings: Vec<Finding>,
}

/// How much was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    errors: usize,
    warnings: usize,
    notes: usize,
}

/// Writes the findings to standard output.
pub(crate) fn run(options: &Options) -> Outcome {
    let offered = options.lists.read()?;
    let mut all: Vec<Checked> = options.files.iter().map(|file| check(file.clone(), offered.as_ref())).collect();
    for checked in &mut all {
        // Errors have no say in it: the filter refuses them whatever is allowed here.
        checked.findings.retain(|f| f.severity == Severity::Error || !options.allow.iter().any(|code| code == f.code));
    }
    let count = Count::of(&all);
    // A file with errors may have it all the same.
    if let (Some(unmet), 0) = (offered.as_ref().and_then(Offered::unmet), count.errors) {
        return Err(Failure::new(unmet));
    }
    output::print(&match options.format {
        Format::Text => render::text(&all, count),
        Format::Json => render::json(&all, count),
        Format::Sarif => render::sarif(&all),
        Format::Github => render::github(&all, count),
    })?;
    let failed = count.errors > 0 || options.deny_warnings && count.warnings > 0;
    Ok(if failed { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

fn check(file: PathBuf, offered: Option<&Offered>) -> Checked {
    match Source::read(&file) {
        Ok(source) => {
            let text = Text::new(source);
            Checked { findings: findings(&text, offered), text }
        }
        Err(failure) => {
            let finding = Finding {
                severity: Severity::Error,
                code: code::UNREADABLE,
                pointer: String::new(),
                span: None,
                message: failure.to_string(),
                help: None,
            };
            let source = Source { name: file.display().to_string(), text: vec![] };
            Checked { text: Text::new(source), findings: vec![finding] }
        }
    }
}

/// All that is wrong with a document; where nothing is, what is likely not meant, in the order of the text.
fn findings(text: &Text, offered: Option<&Offered>) -> Vec<Finding> {
    match policy::config::load(&text.bytes) {
        Err(errors) => errors.iter().map(|error| Finding::of_error(error, text)).collect(),
        Ok(config) => {
            let mut findings = Findings::of(text);
            lint::configuration(&config, offered, &mut findings);
            findings.found.sort_by_key(|finding| finding.span.as_ref().map(|span| span.start));
            findings.found
        }
    }
}

fn known_code(text: &str) -> Result<String, String> {
    match code::ALL.iter().find(|code| code.name == text) {
        Some(code) if code.severity == Severity::Error => {
            return Err("this is an error, which cannot be allowed".to_owned());
        }
        Some(_) => return Ok(text.to_owned()),
        None => {}
    }
    let nearest = policy::document::nearest(text, code::ALL.iter().map(|code| code.name));
    Err(match nearest {
        Some(nearest) => format!("there is no such warning, did you mean `{nearest}`?"),
        None => "there is no such warning".to_owned(),
    })
}

impl Count {
    fn of(all: &[Checked]) -> Self {
        let of = |severity| all.iter().flat_map(|c| &c.findings).filter(|f| f.severity == severity).count();
        Self { errors: of(Severity::Error), warnings: of(Severity::Warning), notes: of(Severity::Note) }
    }
}

#[cfg(test)]
mod tests;
