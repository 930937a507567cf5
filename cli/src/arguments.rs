//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::init;

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
    /// Writes what another program needs to work with a configuration.
    #[command(arg_required_else_help = true)]
    Export {
        #[command(subcommand)]
        what: Export,
    },
    /// Writes a first policy for the tools of a server.
    Init(init::Options),
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
