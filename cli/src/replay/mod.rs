//! `mcp-policy replay`: what another policy would have made of recorded traffic.
//!
//! The way of a record: it is found in a [line](lines) of an access log and [read](record); all of them are put in the order
//! of time; what is [known] of each is [judged](judge) by the filter's own code, which is told by [`recall`] what it may
//! look at; what limits take is [counted](counts); and what is different is [told](report).

mod counts;
mod judge;
mod known;
mod lines;
mod order;
mod recall;
mod record;
mod report;
mod text;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use policy::config::{Config, Mode};

use crate::{
    document,
    failure::{FOUND, Failure, Outcome},
    output,
};
use counts::Counts;
use judge::Instead;
use lines::Line;
use record::Record;
use report::Report;

/// What to replay.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
A record is what the filter leaves for Envoy's access log where its configuration has `audit`. A line is a record, or JSON
that holds one, as an object or as a string. Lines without a record are passed over.

A bare policy is tried on every record. A configuration is tried on each record by its policies of the recorded names.
Counters are empty when the first record begins.

Examples:
  mcp-policy replay --policy policy.json audit.jsonl
  zcat audit-*.gz | mcp-policy replay --policy envelope.json --format json -
  mcp-policy replay --policy policy.json --fail-on newly-denied audit.jsonl

Exit status: 0 if the records are replayed, whatever changes; 1 if there is what --fail-on names, if no record can be read,
or if the policy does not check."
)]
pub(crate) struct Options {
    /// The policy to try, or the filter's whole configuration
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Access logs with records, one on a line; `-` reads standard input
    #[arg(value_name = "AUDIT", required = true)]
    files: Vec<PathBuf>,
    /// How to tell
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// What to fail for, with exit status 1; several are set apart by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    fail_on: Vec<FailOn>,
}

/// How to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// What to fail for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A call that passed, and would not
    NewlyDenied,
    /// A call that was refused, and would pass
    NewlyAllowed,
    /// A call of which too little is recorded
    Undecidable,
    /// A line that cannot be read
    Damaged,
}

/// So many damaged lines are told one by one.
const SHOWN: usize = 10;

/// Replays the records.
pub(crate) fn run(options: &Options) -> Outcome {
    let config = document::configuration(&options.policy)?;
    let mut read = Records::default();
    for file in &options.files {
        read.file(file)?;
    }
    if read.records.is_empty() {
        return Err(Failure::new(match read.damaged {
            0 => "there is no record: is `audit` in the filter's configuration, and in the access log's format?"
                .to_owned(),
            damaged => format!("there is no record, and {damaged} lines cannot be read"),
        }));
    }
    let damaged = read.damaged;
    let report = replay(&config, read)?;
    output::print(&match options.format {
        Format::Text => text::of(&report),
        Format::Json => {
            serde_json::to_string_pretty(&report).map_err(Failure::because("cannot write the report"))? + "\n"
        }
    })?;
    let found = options.fail_on.iter().any(|what| match what {
        FailOn::NewlyDenied => report.newly_denied > 0,
        FailOn::NewlyAllowed => report.newly_allowed > 0,
        FailOn::Undecidable => report.undecidable > 0,
        FailOn::Damaged => damaged > 0,
    });
    Ok(if found { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
}

/// The records of all files.
#[derive(Debug, Default)]
struct Records {
    records: Vec<Record>,
    damaged: usize,
}

impl Records {
    fn file(&mut self, path: &Path) -> Result<(), Failure> {
        if path == Path::new("-") {
            return self.lines("<stdin>", io::stdin().lock());
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(Failure::because(format!("cannot read `{name}`")))?;
        self.lines(&name, file)
    }

    fn lines(&mut self, name: &str, from: impl Read) -> Result<(), Failure> {
        for (index, line) in BufReader::new(from).split(b'\n').enumerate() {
            let line = line.map_err(Failure::because(format!("cannot read `{name}`")))?;
            match lines::read(&line) {
                Line::Record(record) => self.records.push(*record),
                Line::None => {}
                Line::Damaged(damage) => {
                    self.damaged += 1;
                    if self.damaged <= SHOWN {
                        let number = index + 1;
                        anstream::eprintln!("warning: {name}:{number}: not a record: {}", damage.0);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Replays records by time.
fn replay(config: &Config, Records { mut records, damaged }: Records) -> Result<Report, Failure> {
    let clock = order::by_time(&mut records);
    let instead = Instead::new(config);
    let begins = records.iter().map(|record| record.wall_ms).min().unwrap_or_default();
    let mut counts = Counts::begin(config, begins)?;
    let mut report = Report::default();
    report.damaged_lines = damaged;
    for record in &records {
        let anew = instead.judge(record, &mut counts, clock.now(record));
        report.add(record, &anew, instead.is_bare());
    }
    report.finish();
    if config.mode == Mode::Observe {
        report
            .notes
            .push("the configuration only observes: its refusals are told as if they were carried out".to_owned());
    }
    Ok(report)
}
