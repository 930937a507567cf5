//! `mcp-policy`: what can be done with a policy or configuration without an Envoy.
#![deny(missing_docs)]

mod arguments;
mod document;
mod export;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Export { what } => export::run(&what),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(said) => {
            eprintln!("{said}");
            ExitCode::FAILURE
        }
    }
}
