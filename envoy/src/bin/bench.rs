//! `cargo xtask bench`: what the filter costs.

use anyhow::{Result, bail};
use envoy::{
    bench::{Plan, count, run},
    workspace,
};
use lexopt::prelude::*;

const HELP: &str = "\
Measures the CPU time that Envoy spends on one request: without any filter, with this one (allowed, compared,
counted, denied), and with Envoy's own mcp and rbac filters set to the same rule. Prints a table and writes it to
target/bench/envoy.md, with every single turn in envoy.json. Leave the machine alone meanwhile.

What a limit adds is measured by itself, in many short turns. Usage: cargo xtask bench [--quick | --limit | --instructions]

  --quick         seconds instead of minutes: to see that it works, not to compare
  --limit         only what a limit adds: three minutes
  --instructions  count instructions in place of time, with valgrind, which must be there: what else the machine does
                  changes nothing, so a hundredth more or less can be seen

Example:
  cargo xtask bench
";

#[tokio::main]
async fn main() -> Result<()> {
    let mut plan = Plan::FULL;
    let mut counts = false;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("quick") => plan = Plan::QUICK,
            Long("limit") => plan = Plan::LIMIT,
            Long("instructions") => counts = true,
            Long("help") | Short('h') => {
                print!("{HELP}");
                return Ok(());
            }
            other => bail!("{}\n\n{HELP}", other.unexpected()),
        }
    }
    if counts {
        print!("{}", count(|what| eprintln!("{what}")).await?.markdown());
        return Ok(());
    }
    let report = run(plan, |round| eprintln!("round {} of {}", round + 1, plan.rounds)).await?;
    let folder = workspace::target_dir().join("bench");
    report.write(&folder)?;
    print!("{}", report.markdown());
    eprintln!("\nwritten to {}", folder.join("envoy.md").display());
    Ok(())
}
