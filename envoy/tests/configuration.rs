//! Configurations, good and bad, on their way into a real Envoy.

use std::time::Duration;

use anyhow::Result;
use envoy::{
    Config, Envoy, Error, Update,
    client::{Client, Outcome},
    filters::PolicyFilter,
    lab::{Answers, LabServer},
};
use serde_json::{Value, json};

fn allowing(tool: &str) -> Value {
    json!({ "version": "1", "default": "deny", "tools": { tool: {} } })
}

/// Configurations that must not be taken, with a word that the log must say.
const MALFORMED: [(&str, &str); 5] = [
    ("", ""),
    ("{", ""),
    (r#"{"version":"2","default":"deny"}"#, "version"),
    (r#"{"version":"1","default":"deny","toolz":{}}"#, "toolz"),
    (
        r#"{"version":"1","default":"deny","tools":{"a":{"limits":[{"counter":"a","window":"fortnight","max":1}]}}}"#,
        "window",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_policy_never_serves() -> Result<()> {
    let lab = LabServer::start(0, Answers::Events).await?;
    for (malformed, word) in MALFORMED {
        match Envoy::start(&Config::new(lab.address()).policy(PolicyFilter::new(malformed)?)).await {
            Err(Error::Ended { log, .. }) => assert!(log.contains(word), "{malformed}: {log}"),
            other => panic!("{malformed}: {other:?}"),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_policy_that_was_never_good_lets_nothing_through() -> Result<()> {
    let lab = LabServer::start(0, Answers::Json).await?;
    let envoy = Envoy::start(&Config::new(lab.address()).live_policy(PolicyFilter::new("{")?)).await?;
    assert!(Client::connect(envoy.url("/mcp")).await.is_err());
    let answer = reqwest::get(envoy.url("/executed")).await?;
    assert!(answer.status().is_server_error());
    Ok(())
}

/// Whether the two tools pass, once Envoy's workers have heard of an update.
async fn passes(client: &Client) -> Result<(bool, bool)> {
    let mut passed = Vec::new();
    for tool in ["get_runs", "robot_health"] {
        let outcome = client.call(tool, json!({ "robot_ip": "10.0.0.7" })).await?;
        assert!(outcome.reached_the_tool() || matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
        passed.push(outcome.reached_the_tool());
    }
    Ok((passed[0], passed[1]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_update_leaves_the_old_policy_enforcing_and_a_good_one_replaces_it() -> Result<()> {
    let lab = LabServer::start(0, Answers::Events).await?;
    let config = Config::new(lab.address()).live_policy(PolicyFilter::new(allowing("get_runs"))?);
    let mut envoy = Envoy::start(&config).await?;
    let client = Client::connect(envoy.url("/mcp")).await?;
    assert_eq!(passes(&client).await?, (true, false));
    for (malformed, word) in MALFORMED {
        assert_eq!(envoy.update(&PolicyFilter::new(malformed)?).await?, Update::Refused, "{malformed}");
        assert!(envoy.log().contains(word), "{}", envoy.log());
        assert_eq!(passes(&client).await?, (true, false), "{malformed}");
    }
    assert_eq!(envoy.update(&PolicyFilter::new(allowing("robot_health"))?).await?, Update::Taken);
    // The workers hear of it a moment after Envoy counted it.
    let replaced = async {
        while passes(&client).await? != (false, true) {}
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(30), replaced).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_survive_an_update() -> Result<()> {
    let policy = |description: &str| {
        json!({
            "version": "1", "default": "deny", "description": description,
            "tools": { "get_runs": { "limits": [{ "counter": "reads", "window": "hour", "max": 3 }] } },
        })
    };
    let lab = LabServer::start(0, Answers::Events).await?;
    let config = Config::new(lab.address()).live_policy(PolicyFilter::new(policy("before"))?);
    let mut envoy = Envoy::start(&config).await?;
    let client = Client::connect(envoy.url("/mcp")).await?;
    for _ in 0..2 {
        assert!(client.call("get_runs", json!({ "robot_ip": "10.0.0.7" })).await?.reached_the_tool());
    }
    assert_eq!(envoy.update(&PolicyFilter::new(policy("after"))?).await?, Update::Taken);
    let mut admitted = 0;
    for _ in 0..5 {
        admitted += usize::from(client.call("get_runs", json!({ "robot_ip": "10.0.0.7" })).await?.reached_the_tool());
    }
    assert_eq!(admitted, 1);
    assert_eq!(lab.times_executed("get_runs"), 3);
    Ok(())
}
