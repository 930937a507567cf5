//! The official conformance suite finds the same behind the filter as without it.

mod repeats;

use std::collections::BTreeSet;

use anyhow::Result;
use envoy::{
    Config, Envoy,
    conformance::{Check, Findings, Suite, visit},
    filters::PolicyFilter,
    policed::held,
    real::RealServer,
};
use serde_json::{Value, json};

use repeats::{Differences, no_difference};

/// What is visited.
#[derive(Debug, Clone, Copy)]
enum Host {
    /// The server of ours that has everything that the suites ask for.
    Conformance,
    /// `server-everything`, which was not made for the suites: much that they ask for is refused there, by a server.
    Everything,
}

impl Host {
    /// A server for one visit, since what a visit changes there is announced to others.
    async fn start(self) -> Result<RealServer> {
        Ok(match self {
            Self::Conformance => RealServer::conformance().await?,
            Self::Everything => RealServer::everything_streamable().await?,
        })
    }

    /// What `suite` finds there.
    async fn straight(self, suite: Suite) -> Result<Findings> {
        let server = self.start().await?;
        Ok(visit(suite, &format!("http://{}/mcp", server.address())).await?)
    }

    /// What it finds through an Envoy with the filter and `policy`.
    async fn policed(self, suite: Suite, policy: &Value) -> Result<Findings> {
        let server = self.start().await?;
        let envoy = Envoy::start(&Config::new(server.address()).policy(PolicyFilter::new(held(policy))?)).await?;
        Ok(visit(suite, &envoy.url("/mcp")).await?)
    }
}

/// For each scenario that is found to be different: its name, and the checks that only one side has.
fn differences(straight: &Findings, policed: &Findings) -> Differences {
    let scenarios: BTreeSet<_> = straight.keys().chain(policed.keys()).collect();
    let checks = |findings: &Findings, scenario| findings.get(scenario).cloned().unwrap_or_default();
    scenarios
        .into_iter()
        .filter(|&scenario| straight.get(scenario) != policed.get(scenario))
        .map(|scenario| {
            let [before, after] = [straight, policed].map(|findings| checks(findings, scenario));
            let only = |side, checks: &[Check], others: &[Check]| {
                let own = checks.iter().filter(|check| !others.contains(check));
                own.map(|check| format!("\n  {side}: {check}")).collect::<String>()
            };
            (scenario.clone(), only("straight", &before, &after) + &only("policed", &after, &before))
        })
        .collect()
}

/// `scenarios` and `successes` are what `suite` finds straight, so that a suite or a server that does nothing is noticed.
async fn compare(host: Host, suite: Suite, scenarios: usize, successes: usize) -> Result<Differences> {
    let mut found = Differences::new();
    let straight = host.straight(suite).await?;
    let passed = straight.values().flatten().filter(|check| check.status == "SUCCESS").count();
    if (straight.len(), passed) != (scenarios, successes) {
        let what = format!(": {} scenarios, {passed} checks passed: {straight:#?}", straight.len());
        found.insert("what is found straight".into(), what);
    }
    for policy in [allow_all(), by_rules()] {
        let differences = differences(&straight, &host.policed(suite, &policy).await?);
        found.extend(differences.into_iter().map(|(scenario, checks)| (format!("{scenario} with {policy}"), checks)));
    }
    Ok(found)
}

async fn finds_the_same_behind_the_filter(host: Host, suite: Suite, scenarios: usize, successes: usize) -> Result<()> {
    no_difference(async || compare(host, suite, scenarios, successes).await).await
}

fn allow_all() -> Value {
    json!({ "version": "1", "default": "allow" })
}

/// Allows what the suite asks for by rules, with every list read on its way back and nothing left out of it.
fn by_rules() -> Value {
    json!({
        "version": "1",
        "default": "deny",
        "listing": "allowed",
        "hide": ["no_such_tool"],
        "all_tools": { "deny_if": [{ "conditions": [{ "path": "args.amount", "op": "gt", "value": 100 }] }] },
        "tools": { "*": { "rate_limit": "10000/minute" } },
        "resources": { "default": "allow", "hide": ["test://no-such-resource"], "uris": { "test://*": {} } },
        "prompts": { "default": "deny", "hide": ["no_such_prompt"], "names": { "*": {} } },
        // What the suite asks to see that nobody knows it.
        "methods": { "unknown/method": {} },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_released_suite_finds_the_same_behind_the_filter() -> Result<()> {
    finds_the_same_behind_the_filter(Host::Conformance, Suite::Release, 32, 44).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_released_suite_finds_the_same_at_server_everything_behind_the_filter() -> Result<()> {
    finds_the_same_behind_the_filter(Host::Everything, Suite::Release, 32, 13).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_the_same_behind_the_filter() -> Result<()> {
    finds_the_same_behind_the_filter(Host::Conformance, Suite::Sessions, 33, 84).await
}

#[tokio::test(flavor = "multi_thread")]
async fn stateless_requests_are_the_same_behind_the_filter() -> Result<()> {
    finds_the_same_behind_the_filter(Host::Conformance, Suite::Stateless, 50, 194).await
}

/// The control: what a policy takes away is missed.
#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_tool_is_missed_by_the_suite() -> Result<()> {
    let host = Host::Conformance;
    let policy = json!({ "version": "1", "default": "allow", "hide": ["test_image_content"] });
    let missed = differences(&host.straight(Suite::Release).await?, &host.policed(Suite::Release, &policy).await?);
    assert_eq!(missed.keys().collect::<Vec<_>>(), ["tools-call-image"], "{missed:?}");
    Ok(())
}
