//! Every file of `scenarios/` in the real Envoy: each step comes out as it says, and as in the wasmtime host.

mod bootstrap;
mod client;
mod http;
mod server;

use std::collections::BTreeMap;

use anyhow::Result;
use envoy::{Envoy, workspace};
use host_test::scenario::{Exchange, File, InWasmtime, Outcome, Response};

use server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_comes_out_in_envoy_as_it_says_and_as_in_the_wasmtime_host() -> Result<()> {
    let mut files = File::read_folder(&workspace::root().join("scenarios"))?;
    files.extend(files.iter().map(File::with_heads_streamed).collect::<Vec<_>>());
    let host = InWasmtime::with(workspace::filter()?);
    let server = Server::start().await?;
    let envoy = Envoy::start_with_yaml(&bootstrap::of(&files, server.address())?.to_string()).await?;
    let (mut steps, mut report) = (0, String::new());
    for (number, (file, scenario)) in bootstrap::scenarios(&files).enumerate() {
        let listener = envoy.admin().listener(&bootstrap::listener(number)).await?;
        let held = file.holds_heads(&scenario.value);
        let expected = host.run(file, scenario)?;
        let mut counted = counters(&envoy).await?;
        for (index, (step, in_wasmtime)) in scenario.value.steps.iter().zip(&expected).enumerate() {
            let exchange = Exchange::of(&step.value);
            let so_far = server.expect(&exchange, &step.value.expect.meanwhile);
            let response = client::send(listener, &exchange, &so_far).await?;
            let response = Response { meanwhile: server.meanwhile(), ..response };
            let after = counters(&envoy).await?;
            let rise = |(name, value): (&String, &u64)| {
                let rise = value - counted.get(name).copied().unwrap_or_default();
                (rise > 0).then(|| (name.clone(), rise))
            };
            let rises = after.iter().filter_map(rise).collect();
            counted.clone_from(&after);
            let outcome = Outcome { received: server.received(), response, counted: rises, ..Outcome::default() };
            let heads = if held { "held" } else { "streaming ahead" };
            let place = format!("{} (with heads {heads})", file.place_of_step(scenario, index));
            for difference in outcome.differences(&exchange, &step.value.expect, held) {
                report += &format!("{place}\n  in Envoy, {difference}\n");
            }
            for difference in in_wasmtime.unlike(&outcome) {
                report += &format!("{place}\n  in the wasmtime host unlike Envoy, {difference}\n");
            }
            steps += 1;
        }
    }
    assert!(report.is_empty(), "\n{report}\nEnvoy's log:\n{}", envoy.log());
    assert!(steps >= 660, "{steps} steps are fewer than there were");
    Ok(())
}

/// The filter's counters by their own names.
async fn counters(envoy: &Envoy) -> Result<BTreeMap<String, u64>> {
    let page = envoy.admin().page("/stats?usedonly&filter=^wasmcustom.mcp_policy.").await?;
    let counter = |line: &str| {
        let (name, value) = line.strip_prefix("wasmcustom.mcp_policy.")?.split_once(": ")?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    Ok(page.lines().filter_map(counter).collect())
}
