//! `mcp-policy test`.
//!
//! The way of a run: [`find`] the files, have the [filter](module)'s module at hand, [`run`] each file's scenarios in the wasmtime
//! host, note which rules they reach ([`coverage`]), and report that as text, [`json`] or [`junit`].

mod coverage;
mod find;
mod json;
mod junit;
mod points;
mod reached;
mod run;
mod text;

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::Mutex,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use clap::{Args, ValueEnum};
use host_test::scenario::InWasmtime;

use crate::{
    failure::{FOUND, Failure, Outcome},
    module, output,
};
use coverage::Coverage;
use run::Ran;

/// What to test, and how to tell.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Cases are scenarios in YAML. Of a folder, all files `cases.yaml` and `*.cases.yaml` in it are run, however deep.

Examples:
  mcp-policy test policies/
  mcp-policy test --min-coverage 90 --format junit policies/ > report.xml
  mcp-policy test --filter mcp_policy.wasm opentrons/cases.yaml

Exit status: 0 if every case comes out as it says; 1 if one does not, a file cannot be read, or too little is covered."
)]
pub(crate) struct Options {
    /// Files of cases, or folders to look for them in
    #[arg(value_name = "DIR|FILE", required = true)]
    paths: Vec<PathBuf>,
    /// The filter's module [default: $MCP_POLICY_WASM, or mcp_policy.wasm beside this program]
    #[arg(long, value_name = "FILE")]
    filter: Option<PathBuf>,
    /// How to tell what came of it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// How many of each policy's rules the cases must reach, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,
}

/// How to tell what came of the cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// JUnit XML, for CI systems
    Junit,
    /// For programs
    Json,
}

/// What came of all files.
struct Report {
    files: Vec<Ran>,
    coverage: Coverage,
    min_coverage: Option<u8>,
}

impl Report {
    fn passed(&self) -> bool {
        let files = self.files.iter().all(|file| file.error.is_none() && file.cases.iter().all(|case| case.passed()));
        files && self.too_little().next().is_none()
    }

    /// The policies of whose rules fewer are reached than there must be.
    fn too_little(&self) -> impl Iterator<Item = &coverage::Policy> {
        let least = self.min_coverage.unwrap_or_default();
        self.coverage.policies().filter(move |policy| policy.percent() < u64::from(least))
    }
}

/// Runs the cases.
pub(crate) fn run(options: &Options) -> Outcome {
    let paths = find::files(&options.paths)?;
    let host = InWasmtime::with(module::find(options.filter.as_deref())?);
    let mut files = in_parallel(&paths, &host);
    let mut coverage = Coverage::default();
    for file in &mut files {
        coverage.add(std::mem::take(&mut file.coverage));
    }
    for error in files.iter().filter_map(|file| file.error.as_ref()) {
        Failure::new(error).report();
    }
    let report = Report { files, coverage, min_coverage: options.min_coverage };
    let text = match options.format {
        Format::Text => text::of(&report),
        Format::Junit => junit::of(&report)?,
        Format::Json => json::of(&report),
    };
    output::print(&text)?;
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

/// Runs the files on all cores. What came of them is in their order.
fn in_parallel(paths: &[PathBuf], host: &InWasmtime) -> Vec<Ran> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let work = || {
        while let Some((index, path)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            paths.get(index).map(|path| (index, path))
        } {
            let ran = run::file(path, host);
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, ran));
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from).min(paths.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, ran)| ran).collect()
}
