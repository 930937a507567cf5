//! `mcp-policy explain`.
//!
//! The way of a question: the [`call`] is read as the filter reads it, the [`caller`] is who the command line says, each
//! policy of the route judges it while a [`watch`] looks on, and what was seen is told as [`text`] or JSON.

mod call;
mod caller;
mod explanation;
#[cfg(test)]
mod tests;
mod text;
mod watch;
mod words;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use policy::config::Config;

use crate::{
    document::{self, Source},
    failure::{Failure, Outcome},
    output,
};
use caller::Caller;
use explanation::Explanation;

/// What to explain.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Nothing is counted: of limits it is said what the call would take. Header values and the grant are never shown.

Examples:
  mcp-policy explain --policy policy.json call.json
  echo '{\"name\": \"create_run\", \"arguments\": {\"robot_ip\": \"10.1.2.3\"}}' | mcp-policy explain --policy policy.json -
  mcp-policy explain --policy envelope.json --route opentrons --claim groups='[\"robotics\"]' --grant ada call.json

Exit status: 0 if it is explained, whatever the decision; 1 if the policy does not check or a file cannot be read."
)]
pub(crate) struct Options {
    /// The policy, or the filter's whole configuration
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// A JSON-RPC request, or `{"name": …, "arguments": …}` for a tool call; `-` reads standard input
    #[arg(value_name = "CALL")]
    call: PathBuf,
    #[command(flatten)]
    caller: caller::Options,
    /// How to tell
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Explains one call.
pub(crate) fn run(options: &Options) -> Outcome {
    let config = document::configuration(&options.policy)?;
    let call = Source::read(&options.call)?;
    let caller = Caller::of(&options.caller)?;
    let explanation = explain(&config, &call.text, &caller)?;
    output::print(&match options.format {
        Format::Text => text::of(&explanation),
        Format::Json => {
            let json = serde_json::to_string_pretty(&explanation);
            json.map_err(Failure::because("cannot write the explanation"))? + "\n"
        }
    })
}

fn explain(config: &Config, call: &[u8], caller: &Caller) -> Result<Explanation, Failure> {
    call::with(call, config, |message| Explanation::of(config, message, caller))
}
