//! `mcp-policy`: what can be done with a policy or configuration beside an Envoy.
//!
//! Each command is a folder or file of its own with its `Options` and a `run`. What they share: [`document`] reads
//! policies, [`tools`] reads what servers offer, [`classify`] tells what harm a tool can do, [`failure`] says what went wrong, and with which exit status.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod arguments;
mod classify;
mod document;
mod export;
mod failure;
mod init;
mod output;
mod tools;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Export { what } => export::run(&what),
        Command::Init(options) => init::run(&options),
    };
    done.unwrap_or_else(|failure| failure.report())
}
