//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{check, diff, schema};

/// Works with the policies and configurations of the MCP policy filter.
///
/// Exit status: 0 if it is done; 1 if a document is refused or cannot be read, with each error on a line of standard error;
/// 2 if the command line is wrong.
#[derive(Debug, Parser)]
#[command(name = "mcp-policy", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says what is wrong with policies and configurations, and what is likely not meant.
    ///
    /// What it accepts, the filter loads. Exit status: 0 without errors, 1 with errors.
    #[command(after_help = "\
Examples:
  mcp-policy check policy.json
  mcp-policy check --deny-warnings --tools tools.json policies/*.json
  mcp-policy check --format sarif policies/*.json > results.sarif
  kubectl get configmap mcp -o jsonpath='{.data.policy\\.json}' | mcp-policy check -")]
    Check(check::Options),
    /// Writes the JSON Schema that editors complete and check documents by.
    #[command(after_help = "\
Examples:
  mcp-policy schema > policy.schema.json
  mcp-policy schema configuration > configuration.schema.json

An editor finds it by `\"$schema\": \"./policy.schema.json\"` in the document, or in Visual Studio Code by the setting
`json.schemas`.")]
    Schema(schema::Options),
    /// Says in words what a new policy or configuration changes.
    ///
    /// `loosened`: all that passed passes still, and more may. `tightened`: the reverse. `changed`: neither is sure, or it is
    /// not about what passes. Exit status: 0 if nothing is different, 1 if something is.
    #[command(after_help = "\
Examples:
  mcp-policy diff deployed.json policy.json
  git show main:policy.json | mcp-policy diff - policy.json")]
    Diff(diff::Options),
    /// Writes what another program needs to work with a configuration.
    #[command(arg_required_else_help = true)]
    Export {
        #[command(subcommand)]
        what: Export,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Export {
    /// Writes the limits file that Limitador needs for the limits with `"store": "global"`.
    #[command(after_help = "\
Limitador takes limits from its own file only, so write it anew whenever the policy changes, and load it first.

Examples:
  mcp-policy export limitador configuration.json > limits.yaml
  limitador-server --rate-limit-headers DRAFT_VERSION_03 limits.yaml redis redis://redis:6379")]
    Limitador {
        /// The filter's configuration, as Envoy hands it over; `-` reads standard input
        #[arg(value_name = "CONFIGURATION")]
        configuration: PathBuf,
    },
}
