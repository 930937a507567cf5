//! `cargo xtask test`: every test there is.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    process::{ExitCode, Stdio},
    time::Instant,
};

use anyhow::{Context, Result};

use crate::{
    build,
    cargo::{cargo, run},
    fuzz,
};

/// The sums over all `test result:` lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    programs: u32,
    passed: u32,
    failed: u32,
    ignored: u32,
}

/// Prepares what the tests need, runs them, and closes with one line that sums them up. Without arguments, which would
/// choose some of the tests, the fuzz targets run for a few seconds as well.
pub(crate) fn everything(arguments: &[OsString]) -> Result<ExitCode> {
    let start = Instant::now();
    build::filter()?;
    run(cargo().args(["run", "--quiet", "--package", "envoy", "--bin", "fetch"]))?;
    // Everything but the plugin, which is no program of this machine: the default members of the workspace.
    let mut command = cargo();
    command.args(["test", "--no-fail-fast"]);
    command.args(arguments.iter().skip_while(|argument| *argument == "--"));
    let mut tests = command.stdout(Stdio::piped()).spawn().context("cannot start cargo test")?;
    let mut summary = Summary::default();
    if let Some(output) = tests.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.context("cannot read what the tests write")?;
            println!("{line}");
            summary.add(&line);
        }
    }
    let mut succeeded = tests.wait()?.success();
    if arguments.is_empty()
        && let Err(error) = fuzz::short()
    {
        println!("\n{error:#}");
        succeeded = false;
    }
    let Summary { programs, passed, failed, ignored } = summary;
    println!(
        "\n{}: {passed} passed, {failed} failed, {ignored} ignored, in {programs} test programs, {} s",
        if succeeded { "all tests pass" } else { "TESTS FAIL" },
        start.elapsed().as_secs()
    );
    Ok(if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Summary {
    /// Reads a line like `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; …`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else {
            return;
        };
        self.programs += 1;
        for part in counts.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else {
                continue;
            };
            let number = number.parse::<u32>().unwrap_or(0);
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_adds_up_what_each_program_reports() {
        let mut summary = Summary::default();
        summary.add("running 3 tests");
        summary.add("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s");
        summary.add("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.2s");
        assert_eq!(summary, Summary { programs: 2, passed: 5, failed: 1, ignored: 1 });
    }
}
