//! `cargo xtask fuzz`: libFuzzer over every target, on the compiler that builds everything else.
//!
//! The coverage marks that libFuzzer follows are a pass of LLVM, which every compiler has. `cargo fuzz` asks for it in the
//! same way, and adds an address sanitizer that needs a nightly compiler; `policy` has no unsafe code to look for with it.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;

use crate::cargo::{cargo, root, run, target_dir};

pub(crate) const HELP: &str = "\
Looks for inputs that break a property of what reads messages, listings, policies, schemas, URIs and answers.

Usage: cargo xtask fuzz [--seconds N] [TARGET...]

  --seconds N  how long each target runs (default 60)
  TARGET       document, envelope, listing, message, rate_limit_answer, schema, uri (default: all, one after the other)

Starts from fuzz/seeds, keeps what reaches new code in fuzz/corpus, and writes what breaks a property to
fuzz/artifacts. Needs a C++ compiler. To look at such a file without libFuzzer:
  cargo run --package fuzz --bin message -- fuzz/artifacts/message/crash-...

Examples:
  cargo xtask fuzz
  cargo xtask fuzz --seconds 600 message
";

/// How long a target runs.
#[derive(Debug, Clone, Copy)]
enum Length {
    /// As long as somebody has time for.
    Seconds(u64),
    /// So many inputs, the same ones each time as far as the program is the same.
    Inputs(u64),
}

/// What the tests run of each target: a few seconds of one core.
const SHORT: Length = Length::Inputs(20_000);

/// The longest input. Most code is reached by far less.
const MAX_BYTES: u32 = 1024;

pub(crate) fn command(arguments: Vec<OsString>) -> Result<ExitCode> {
    let mut seconds = 60;
    let mut chosen = Vec::new();
    let mut arguments = lexopt::Parser::from_args(arguments);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("seconds") => seconds = arguments.value()?.parse()?,
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            Value(target) => chosen.push(target.string()?),
            other => bail!("{}\n\n{HELP}", other.unexpected()),
        }
    }
    let targets = targets()?;
    if let Some(unknown) = chosen.iter().find(|name| !targets.contains(name)) {
        bail!("no target `{unknown}`; there are {}", targets.join(", "));
    }
    let built = build()?;
    for target in targets.iter().filter(|name| chosen.is_empty() || chosen.contains(name)) {
        fuzz(&built, target, &root().join("fuzz/corpus").join(target), Length::Seconds(seconds))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A few seconds of each target, which find the same each time.
pub(crate) fn short() -> Result<()> {
    let built = build()?;
    for target in targets()? {
        let corpus = target_dir().join("fuzz/short").join(&target);
        if corpus.exists() {
            fs::remove_dir_all(&corpus)?;
        }
        fuzz(&built, &target, &corpus, SHORT)?;
    }
    Ok(())
}

/// The targets: each has a folder of seeds.
fn targets() -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for folder in fs::read_dir(root().join("fuzz/seeds")).context("no fuzz/seeds")? {
        targets.push(folder?.file_name().to_string_lossy().into_owned());
    }
    targets.sort();
    Ok(targets)
}

/// Compiles all targets with coverage marks, and returns where they lie.
fn build() -> Result<PathBuf> {
    let flags = [
        "--cfg=fuzzing",
        "-Cpasses=sancov-module",
        "-Cllvm-args=-sanitizer-coverage-level=4",
        "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
        "-Cllvm-args=-sanitizer-coverage-pc-table",
        "-Cllvm-args=-sanitizer-coverage-trace-compares",
        // The pass drops marks where a crate is compiled in parts.
        "-Ccodegen-units=1",
        "-Cdebug-assertions",
        "-Coverflow-checks",
    ];
    let host = host()?;
    let folder = target_dir().join("fuzz");
    let mut command = cargo();
    // With a target named, build scripts and macros are compiled without the flags.
    command.args(["build", "--quiet", "--release", "--package", "fuzz", "--bins", "--target", &host]);
    run(command.env("CARGO_TARGET_DIR", &folder).env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")))?;
    Ok(folder.join(host).join("release"))
}

fn host() -> Result<String> {
    let output = Command::new("rustc").current_dir(root()).arg("-vV").output().context("cannot start rustc")?;
    let version = String::from_utf8_lossy(&output.stdout);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it runs on")?.to_owned())
}

/// Runs one target and prints a line about it.
fn fuzz(built: &Path, target: &str, corpus: &Path, length: Length) -> Result<()> {
    let artifacts = root().join("fuzz/artifacts").join(target);
    fs::create_dir_all(corpus)?;
    fs::create_dir_all(&artifacts)?;
    let start = Instant::now();
    let mut command = Command::new(built.join(target));
    command
        .args([corpus, &root().join("fuzz/seeds").join(target)])
        .arg(format!("-dict={}", root().join("fuzz/json.dict").display()))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(format!("-max_len={MAX_BYTES}"))
        .args(["-timeout=10", "-print_final_stats=1", "-use_value_profile=1"])
        .arg(match length {
            Length::Seconds(seconds) => format!("-max_total_time={seconds}"),
            Length::Inputs(count) => format!("-runs={count}"),
        })
        .args(matches!(length, Length::Inputs(_)).then_some("-seed=1"));
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start the target {target}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("the target {target} found an input that breaks a property:\n{}", ending(&said));
    }
    let inputs = after(&said, "stat::number_of_executed_units:").unwrap_or("no");
    let reached = after(&said, " cov: ").unwrap_or("no");
    println!("fuzz {target:>17}: {inputs} inputs in {} s, {reached} branches reached", start.elapsed().as_secs());
    Ok(())
}

/// The last lines: what broke, and where the input lies.
fn ending(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// The word after the last mention of `label`.
fn after<'s>(said: &'s str, label: &str) -> Option<&'s str> {
    said.rsplit_once(label)?.1.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_the_fuzzer_is_reported() {
        let said = "#2 INITED cov: 10 ft: 20\n#9 NEW    cov: 12 ft: 30 corp: 1\nstat::number_of_executed_units: 400\n";
        assert_eq!(after(said, " cov: "), Some("12"));
        assert_eq!(after(said, "stat::number_of_executed_units:"), Some("400"));
        assert_eq!(after("", " cov: "), None);
    }
}
