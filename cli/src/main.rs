//! `mcp-policy`: what can be done with a policy or configuration beside an Envoy.
//!
//! Each command is a folder or file of its own with its `Options` and a `run`. What they share: [`document`] reads
//! policies, [`tools`] reads what servers offer, [`failure`] says what went wrong, and with which exit status.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod arguments;
mod deploy;
mod document;
mod export;
mod failure;
mod module;
#[expect(dead_code, reason = "commands that write files come")]
mod output;
mod run;
mod test;
#[expect(dead_code, reason = "commands that look at tools come")]
mod tools;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Completions { shell } => completions(shell),
        Command::Export { what } => export::run(&what),
        Command::Test(options) => test::run(&options),
    };
    done.unwrap_or_else(|failure| failure.report())
}

fn completions(shell: clap_complete::Shell) -> failure::Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "mcp-policy", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}
