//! `mcp-policy init`: a first policy, from what a server offers.
//!
//! Each tool gets the rule of its class, and checks of its arguments that its own input schema gives reason for. What is
//! written is to be read and changed by people; it is safe before they have.

mod arguments;
mod explain;
mod layout;
mod looks;
mod pattern;
mod policy;
mod schema;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    failure::{Failure, Outcome},
    output,
    tools::From,
};

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Everything is denied that the policy does not name. A tool that reads is allowed; one that writes may be called 30 times a
minute, one that executes 10 times, each per grant; what destroys is hidden; what moves money waits for a human.

Examples:
  mcp-policy init tools.json > policy.json
  mcp-policy init --server https://mcp.example.com/mcp --header \"Authorization: Bearer $TOKEN\" -o policy.json
  mcp-policy init --stdio 'npx -y @modelcontextprotocol/server-everything' --explain")]
pub(crate) struct Options {
    #[command(flatten)]
    tools: From,
    /// Shows each tool with its class, the rule it gets, and the words that speak for it; writes no policy
    #[arg(long)]
    explain: bool,
    /// Writes into this file, which must not be there yet
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Writes over the file of `-o`
    #[arg(long, requires = "output")]
    force: bool,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let file = options.output.as_deref().filter(|file| *file != Path::new("-"));
    let there = file.filter(|file| !options.force && file.symlink_metadata().is_ok());
    if let Some(there) = there {
        return Err(Failure::new(format!("`{}` is there already; write over it with `--force`", there.display())));
    }
    let tools = options.tools.read()?.tools()?;
    if tools.is_empty() {
        return Err(Failure::new("there are no tools, so there is nothing to write a policy for"));
    }
    let judged = policy::judged(&tools);
    let text = if options.explain { explain::table(&judged) } else { policy::write(&judged)? };
    output::write(&text, options.output.as_deref())
}
