//! `mcp-policy`: what can be done with a policy or configuration beside an Envoy.
//!
//! Each command is a folder or file of its own with its `Options` and a `run`. What they share: [`document`] reads
//! policies, [`tools`] reads what servers offer, [`classify`] tells what harm a tool can do, [`failure`] says what went wrong, and with which exit status.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod arguments;
mod check;
mod classify;
mod deploy;
mod diff;
mod document;
mod explain;
mod export;
mod failure;
mod init;
mod module;
mod output;
mod pin;
mod place;
mod replay;
mod run;
mod schema;
mod test;
#[cfg(test)]
mod testing;
mod tools;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Init(options) => init::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Diff(options) => diff::run(&options),
        Command::Pin(options) => pin::run(&options),
        Command::Run(options) => run::run(&options),
        Command::Export { what } => export::run(&what),
        Command::Schema(options) => schema::run(&options),
        Command::Completions { shell } => completions(shell),
    };
    done.unwrap_or_else(|failure| failure.report())
}

fn completions(shell: clap_complete::Shell) -> failure::Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "mcp-policy", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
