//! Limits hold over all workers together.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use anyhow::Result;
use envoy::{
    Config, Envoy,
    client::Outcome,
    filters::PolicyFilter,
    lab::Answers,
    policed::{Policed, held},
    raw::{self, Connection, Responder},
    upstream::{self, Upstream},
    wire,
};
use serde_json::{Value, json};

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
                let http = envoy::http();
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

#[tokio::test(flavor = "multi_thread")]
async fn filters_of_different_names_count_apart_and_those_of_one_name_together() -> Result<()> {
    for (names, admitted) in [(["company", "team"], 4), (["team", "team"], 2)] {
        let upstream = Upstream::json(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#).await?;
        // Both see each call and count it under the same policy, counter, `root_id` and `vm_id`.
        let mut config = Config::new(upstream.address());
        for name in names {
            let mut typed = PolicyFilter::new(limited(4))?.typed_config();
            typed["config"]["name"] = json!(name);
            config = config.in_front(json!({ "name": "policy", "typed_config": typed }));
        }
        let envoy = Envoy::start(&config).await?;
        let mut connection = Connection::open(envoy.address())?;
        let request = raw::post("", wire::call("create_run", &json!({})).to_string().as_bytes());
        let mut done = 0;
        for _ in 0..6 {
            done += usize::from(!connection.ask(&request)?.contains("[POLICY DENIED]"));
        }
        assert_eq!(done, admitted, "{names:?}");
    }
    Ok(())
}

/// How often the race below is run, each time for a grant that has no count yet.
const RACES: usize = 3_000;

/// How many connections call at once, one call each.
const CONNECTIONS: usize = 16;

/// What each race may admit.
const PLACES: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_admit_exactly_the_limit_in_thousands_of_races_for_a_fresh_count() -> Result<()> {
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;
    let responder = Responder::start(upstream::json_response(answer))?;
    let mut configuration = held(&limited(PLACES));
    configuration["identity"] = json!({ "grant": [{ "header": "x-grant" }] });
    let config = Config::new(responder.address()).workers(4).policy(PolicyFilter::new(configuration)?);
    let envoy = Envoy::start(&config).await?;
    // Connections stay open over all races, each on the worker that the kernel gave it, so that the calls of one race
    // really meet.
    let (start, admitted) = (Barrier::new(CONNECTIONS), [const { AtomicUsize::new(0) }; RACES]);
    let body = wire::call("create_run", &json!({})).to_string();
    let call = |connection: &mut Connection, race: usize| {
        let answer = connection.ask(&raw::post(&format!("x-grant: {race}\r\n"), body.as_bytes()))?;
        if answer.ends_with(r#""result":{"content":[]}}"#) {
            admitted[race].fetch_add(1, Relaxed);
            return Ok(());
        }
        anyhow::ensure!(answer.contains("/tools/create_run/limits/create_run_rate"), "{answer}");
        Ok(())
    };
    let run = |connection: &mut Connection| {
        // Who has failed still comes to the start, where all wait for each other.
        let mut so_far = Ok(());
        for race in 0..RACES {
            start.wait();
            if so_far.is_ok() {
                so_far = call(connection, race);
            }
        }
        so_far
    };
    let mut connections = (0..CONNECTIONS).map(|_| Connection::open(envoy.address())).collect::<Result<Vec<_>, _>>()?;
    thread::scope(|scope| {
        let tasks: Vec<_> = connections.iter_mut().map(|connection| scope.spawn(|| run(connection))).collect();
        tasks.into_iter().try_for_each(|task| task.join().expect("no connection's thread panics"))
    })?;
    for (race, admitted) in admitted.iter().enumerate() {
        assert_eq!(admitted.load(Relaxed), PLACES, "race {race}");
    }
    assert_eq!(responder.answered(), PLACES * RACES);
    let served = served(&envoy).await?;
    assert!(served.len() == 4 && served.iter().filter(|connections| **connections > 0).count() > 1, "{served:?}");
    Ok(())
}
