//! The command line.

use clap::{Parser, Subcommand};

use clap_complete::Shell;

use crate::{check, diff, explain, export::Export, init, pin, replay, run, schema, test};

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
    /// Writes digests of tools' definitions, so that the filter takes out what is defined otherwise one day.
    Pin(pin::Options),
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
    /// Says what is wrong with policies and configurations, and what is likely not meant.
    ///
    /// What it accepts, the filter loads. Exit status: 0 without errors, 1 with errors; that a server is not what was pinned is one.
    #[command(after_help = "\
Examples:
  mcp-policy check policy.json
  mcp-policy check --deny-warnings --tools tools.json policies/*.json
  mcp-policy check mcp-policy.json --server https://mcp.example.com/mcp --lock lab
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
    /// Says step by step how a call is judged, and what the agent would be told.
    Explain(explain::Options),
    /// Says what another policy would have made of recorded traffic.
    Replay(replay::Options),
    /// Runs test cases through the filter, and tells which rules no case reached.
    Test(test::Options),
    /// Writes a first policy for the tools of a server.
    Init(init::Options),
}
