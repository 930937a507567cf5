//! The report for people.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style};

use super::Report;
use super::run::{Case, Failed, Ran};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();

/// What fails with its place and both values, then what no case reached, then the sum.
pub(super) fn of(report: &Report) -> String {
    let mut out = String::new();
    // A `String` takes everything.
    write(&mut out, report).ok();
    out
}

fn write(out: &mut String, report: &Report) -> fmt::Result {
    for file in &report.files {
        for case in file.cases.iter().filter(|case| !case.passed()) {
            failed(out, file, case)?;
        }
    }
    coverage(out, report)?;
    let cases = || report.files.iter().flat_map(|file| &file.cases);
    let (all, failed) = (cases().count(), cases().filter(|case| !case.passed()).count());
    let steps: usize = cases().map(|case| case.steps).sum();
    let errors = report.files.iter().filter(|file| file.error.is_some()).count();
    if report.passed() {
        write!(out, "{GOOD}ok{GOOD:#}: {}", count(all, "scenario"))?;
    } else {
        write!(out, "{BAD}failed{BAD:#}: {failed} of {}", count(all, "scenario"))?;
    }
    write!(out, " ({} in {})", count(steps, "step"), count(report.files.len(), "file"))?;
    if errors > 0 {
        write!(out, ", and {} could not be run", count(errors, "file"))?;
    }
    if report.too_little().next().is_some() {
        write!(out, ", too little is covered")?;
    }
    writeln!(out)
}

fn failed(out: &mut String, file: &Ran, case: &Case) -> fmt::Result {
    let Case { name, line, .. } = case;
    writeln!(out, "{BAD}FAIL{BAD:#} {}:{line}: {name}", file.path.display())?;
    if let Some(error) = &case.error {
        writeln!(out, "  {}", error.replace('\n', "\n  "))?;
    }
    for Failed { place, differences, logged, .. } in &case.failed {
        writeln!(out, "  {place}")?;
        for line in logged {
            writeln!(out, "    {FAINT}the filter says: {line}{FAINT:#}")?;
        }
        for difference in differences {
            writeln!(out, "    {}", difference.what)?;
            writeln!(out, "      expected: {GOOD}{}{GOOD:#}", difference.expected)?;
            writeln!(out, "      found:    {BAD}{}{BAD:#}", difference.found)?;
        }
    }
    writeln!(out)
}

fn coverage(out: &mut String, report: &Report) -> fmt::Result {
    for policy in report.coverage.policies() {
        let (reached, all, percent) = (policy.reached(), policy.all(), policy.percent());
        let colon = if reached < all { ", no case reached" } else { "" };
        writeln!(out, "coverage of {}: {reached} of {all} rules ({percent} %){colon}", policy.title())?;
        for point in policy.missed() {
            writeln!(out, "  {point}")?;
        }
    }
    for policy in report.too_little() {
        let least = report.min_coverage.unwrap_or_default();
        writeln!(out, "{BAD}too little{BAD:#}: {} has {} %, {least} % are wanted", policy.title(), policy.percent())?;
    }
    Ok(())
}

/// `1 file`, `2 files`
fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
