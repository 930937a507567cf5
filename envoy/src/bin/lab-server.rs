//! The simulated laboratory as a program of its own.

use anyhow::{Result, bail};
use envoy::lab::{Answers, LabServer};
use lexopt::prelude::*;

const HELP: &str = "\
A Model Context Protocol server with a simulated laboratory robot behind it.

Usage: lab-server [--port N] [--json-response]

  --port N         listen on this port of 127.0.0.1 (default: a free one)
  --json-response  answer with plain JSON and without sessions, not in event streams

GET /executed lists every tool call that reached it.

Example:
  cargo run -p envoy --bin lab-server -- --port 9000
";

#[tokio::main]
async fn main() -> Result<()> {
    let mut port = 0;
    let mut answers = Answers::Events;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => port = arguments.value()?.parse()?,
            Long("json-response") => answers = Answers::Json,
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            other => bail!("{}\n\n{HELP}", other.unexpected()),
        }
    }
    let server = LabServer::start(port, answers).await?;
    println!("{}", server.url());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
