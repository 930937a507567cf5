//! `mcp-policy`: what can be done with a policy or configuration beside an Envoy.
//!
//! Each command is a folder or file of its own with its `Options` and a `run`. What they share: [`document`] reads
//! policies, [`tools`] reads what servers offer, [`failure`] says what went wrong, and with which exit status.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod arguments;
mod check;
mod diff;
mod document;
mod export;
mod failure;
#[expect(dead_code, reason = "commands that write files come")]
mod output;
mod schema;
#[cfg(test)]
mod testing;
mod tools;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Check(options) => check::run(&options),
        Command::Schema(options) => schema::run(&options),
        Command::Diff(options) => diff::run(&options),
        Command::Export { what } => export::run(&what),
    };
    done.unwrap_or_else(|failure| failure.report())
}
