//! Limits hold over all workers together.

use std::sync::Arc;

use anyhow::Result;
use envoy::{
    Config, Envoy,
    client::Outcome,
    filters::PolicyFilter,
    lab::Answers,
    policed::{Policed, held},
    upstream::Upstream,
    wire,
};
use serde_json::{Value, json};
use tokio::sync::Barrier;

const MAX: usize = 50;

fn limited(max: usize) -> Value {
    json!({
        "version": "1",
        "default": "deny",
        "tools": { "create_run": {
            "limits": [{ "counter": "create_run_rate", "window": "hour", "max": max, "scope": "grant" }],
        } },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_call_is_told_when_to_try_again() -> Result<()> {
    for configuration in [limited(2), held(&limited(2))] {
        let policed = Policed::start(&configuration, Answers::Events).await?;
        let client = policed.client().await?;
        let run = json!({ "robot_ip": "10.0.0.7", "protocol_id": "pcr-prep" });
        for _ in 0..2 {
            assert!(client.call("create_run", run.clone()).await?.reached_the_tool());
        }
        let outcome = client.call("create_run", run).await?;
        let Outcome::Refused(refusal) = outcome else { panic!("{outcome:?}") };
        assert_eq!(refusal.rule.as_deref(), Some("/tools/create_run/limits/create_run_rate"));
        assert_eq!(refusal.remaining, Some(0));
        let retry = refusal.retry_after_ms.unwrap_or_default();
        // A sliding window frees the slot at most one ring cell late: 16/15 of the window.
        assert!((1..=3_600_000 / 15 * 16).contains(&retry), "{retry}");
        assert_eq!(policed.lab.times_executed("create_run"), 2);
    }
    Ok(())
}

/// How many connections each worker took.
async fn served(envoy: &Envoy) -> Result<Vec<u64>> {
    let stats = envoy.admin().stats(".downstream_cx_total").await?;
    Ok(stats.into_iter().filter(|(name, _)| name.contains(".worker_")).map(|(_, connections)| connections).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_admit_exactly_the_limit_together() -> Result<()> {
    let upstream = Upstream::json(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#).await?;
    let envoy =
        Arc::new(Envoy::start(&Config::new(upstream.address()).policy(PolicyFilter::new(limited(MAX))?)).await?);
    // Every task has a connection of its own, so the kernel spreads them over both workers.
    let tasks: Vec<_> = (0..60)
        .map(|_| {
            let url = envoy.url("/mcp");
            tokio::spawn(async move {
                let http = reqwest::Client::new();
                let mut admitted = 0;
                for _ in 0..4 {
                    let answer: Value = http
                        .post(&url)
                        .header("content-type", "application/json")
                        .header("accept", "application/json, text/event-stream")
                        .body(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_run"}}"#)
                        .send()
                        .await?
                        .json()
                        .await?;
                    admitted += usize::from(answer["result"]["isError"] != true);
                }
                anyhow::Ok(admitted)
            })
        })
        .collect();
    let mut admitted = 0;
    for task in tasks {
        admitted += task.await??;
    }
    assert_eq!(admitted, MAX);
    assert_eq!(upstream.seen().iter().filter(|seen| !seen.body.is_empty()).count(), MAX);
    let served = served(&envoy).await?;
    assert!(served.len() == 2 && served.iter().all(|connections| *connections > 0), "{served:?}");
    Ok(())
}

/// How often the race below is run, each time with a grant that has no count yet.
const RACES: usize = 40;

/// How many connections call at once, one call each.
const CONNECTIONS: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_admit_exactly_the_limit_in_every_race_for_a_fresh_count() -> Result<()> {
    let upstream = Upstream::json(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#).await?;
    let configuration = json!({
        "policies": { "only": limited(10) },
        "routes": [{ "policy": "only" }],
        "identity": { "grant": [{ "header": "x-grant" }] },
    });
    let config = Config::new(upstream.address()).workers(4).policy(PolicyFilter::new(configuration)?);
    let envoy = Envoy::start(&config).await?;
    // Connections stay open over all races, so that the calls of one race really meet.
    let clients: Vec<_> = (0..CONNECTIONS).map(|_| reqwest::Client::new()).collect();
    for race in 0..RACES {
        let start = Arc::new(Barrier::new(CONNECTIONS));
        let tasks: Vec<_> = clients
            .iter()
            .map(|http| {
                let (http, url, start) = (http.clone(), envoy.url("/mcp"), Arc::clone(&start));
                tokio::spawn(async move {
                    start.wait().await;
                    let request = http.post(url).header("x-grant", race).json(&wire::call("create_run", &json!({})));
                    let answer: Value = request.send().await?.json().await?;
                    match wire::rule(&answer) {
                        None if answer["result"]["content"] == json!([]) => Ok(true),
                        Some("/tools/create_run/limits/create_run_rate") => Ok(false),
                        _ => Err(anyhow::anyhow!("{answer}")),
                    }
                })
            })
            .collect();
        let mut admitted = 0;
        for task in tasks {
            admitted += usize::from(task.await??);
        }
        assert_eq!(admitted, 10, "race {race}");
    }
    // In stream mode the heads of refused calls may arrive as well.
    assert_eq!(upstream.seen().iter().filter(|seen| !seen.body.is_empty()).count(), 10 * RACES);
    let served = served(&envoy).await?;
    assert!(served.len() == 4 && served.iter().filter(|connections| **connections > 0).count() > 1, "{served:?}");
    Ok(())
}
