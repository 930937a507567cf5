//! `cargo xtask demo`: a policed laboratory to look at and to try.

use std::{
    io::{IsTerminal, stdout},
    process::ExitCode,
};

use anyhow::{Result, bail};
use envoy::{
    demo::{CATALOGUE_PATH, Demo, RECOMMENDED_PATH},
    fetch::ENVOY_VERSION,
};
use lexopt::prelude::*;

const HELP: &str = "\
Starts a simulated laboratory robot's MCP server behind a real Envoy with the policies of examples/opentrons,
calls it, and shows what becomes of each call. Then it stays up for your own client.

Usage: cargo xtask demo [--once] [--port N]

  --once    end after the transcript; exit code 0 only if every outcome was as expected
  --port N  where Envoy listens on 127.0.0.1 (default 10000; a free port if that is taken)

Examples:
  cargo xtask demo
  cargo xtask demo --once
";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut once = false;
    let mut port = 10_000;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("once") => once = true,
            Long("port") => port = arguments.value()?.parse()?,
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(ExitCode::SUCCESS);
            }
            other => bail!("{}\n\n{HELP}", other.unexpected()),
        }
    }
    let demo = Demo::start(port).await?;
    println!("A simulated robot behind Envoy {ENVOY_VERSION} with two workers");
    let transcript = demo.play().await?;
    println!("{}", transcript.text(stdout().is_terminal()));
    let as_expected = transcript.is_as_expected();
    println!("{}", if as_expected { "Every outcome is as expected." } else { "NOT EVERY OUTCOME IS AS EXPECTED." });
    if !once {
        invite(&demo);
        tokio::signal::ctrl_c().await?;
    }
    Ok(if as_expected { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How to call it oneself.
fn invite(demo: &Demo) {
    let url = demo.envoy.url(CATALOGUE_PATH);
    println!(
        "
It stays up until Ctrl-C.

  catalogue policy    {url}
  recommended policy  {recommended}
  what got through    http://{lab}/executed
  Envoy's statistics  http://{admin}/stats?filter=wasmcustom

With the Python SDK (pip install 'mcp<2'):

  import asyncio
  from mcp import ClientSession
  from mcp.client.streamable_http import streamablehttp_client

  async def main():
      async with streamablehttp_client(\"{url}\") as (read, write, _):
          async with ClientSession(read, write) as session:
              await session.initialize()
              print(await session.call_tool(\"robot_health\", {{\"robot_ip\": \"10.0.0.7\"}}))

  asyncio.run(main())
",
        recommended = demo.envoy.url(RECOMMENDED_PATH),
        lab = demo.lab.address(),
        admin = demo.envoy.admin().address(),
    );
}
