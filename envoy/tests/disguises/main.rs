//! Disguised calls against real servers, straight and through Envoy.
//!
//! A disguise is a request that makes a server run a tool, or run it with a word, that the policy does not allow, while
//! a reader less careful than the server's own sees something harmless or nothing at all. Each has its *control*: a
//! server that is shown running it when there is no policy in between. Without it, a refusal would prove nothing.
//!
//! Every disguise goes to every server, and the promise is the same for all: what was executed through Envoy is what the
//! policy allows.

mod encode;
mod exchange;
mod honest;
mod house;
mod request;
mod rows;
mod spellings;
mod table;
mod words;

use anyhow::Result;

use house::House;
use table::Table;

#[tokio::test(flavor = "multi_thread")]
async fn no_disguise_gets_past_the_policy_and_each_is_shown_to_work_without_it() -> Result<()> {
    let house = House::start().await?;
    let table = Table::of(&house, rows::disguises()).await?;
    println!("{table}");
    table.check_controls()?;
    table.check_policed()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_server_here_runs_does_not_get_past_the_policy_either() -> Result<()> {
    let house = House::start().await?;
    let table = Table::of(&house, rows::uncontrolled()).await?;
    println!("{table}");
    table.check_nobody_runs_them()?;
    table.check_policed()
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_calls_are_executed_exactly_once() -> Result<()> {
    let house = House::start().await?;
    honest::check_spellings(&house).await?;
    honest::check_clients(&house).await
}
