//! The command line.

use clap::{Parser, Subcommand};

use clap_complete::Shell;

use crate::{export::Export, run, test};

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
    /// Runs a gate on this machine: an Envoy with the policy, in front of an MCP server.
    ///
    /// Prints the URL that clients connect to once it serves, and runs until it is ended.
    #[command(after_help = "\
Examples:
  mcp-policy run --policy policy.json --upstream http://127.0.0.1:9000/mcp
  mcp-policy run --policy examples/mlflow/policy.json --upstream https://mcp.example.com/mcp --listen 127.0.0.1:0")]
    Run(run::Options),
    /// Writes the completions of this command line for a shell.
    #[command(after_help = "\
Examples:
  mcp-policy completions bash > ~/.local/share/bash-completion/completions/mcp-policy
  mcp-policy completions zsh > ~/.zfunc/_mcp-policy
  mcp-policy completions fish > ~/.config/fish/completions/mcp-policy.fish")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Writes what another program needs to work with a configuration.
    #[command(arg_required_else_help = true)]
    Export {
        #[command(subcommand)]
        what: Export,
    },
    /// Runs test cases through the filter, and tells which rules no case reached.
    Test(test::Options),
}
