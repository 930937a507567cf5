//! The harness itself, on an Envoy without the filter: what it proves with one, it must not prove without.

use anyhow::Result;
use envoy::{
    Config, Envoy, Error,
    client::{Client, Outcome},
    filters::{envoy_mcp, envoy_rbac},
    lab::{Answers, LabServer, TOOL_NAMES},
    upstream::Upstream,
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_every_call_reaches_the_server() -> Result<()> {
    for answers in [Answers::Events, Answers::Json] {
        let lab = LabServer::start(0, answers).await?;
        let envoy = Envoy::start(&Config::new(lab.address())).await?;
        let client = Client::connect(envoy.url("/mcp")).await?;
        assert_eq!(client.tools().await?, TOOL_NAMES);
        for _ in 0..12 {
            let run = json!({ "robot_ip": "10.0.0.7", "protocol_id": "pcr-prep" });
            assert!(matches!(client.call("create_run", run).await?, Outcome::Done(_)));
        }
        let failed = client.call("get_run_status", json!({ "robot_ip": "10.0.0.7", "run_id": "run-99" })).await?;
        assert!(matches!(failed, Outcome::Failed(_)), "{failed:?}");
        assert_eq!(lab.times_executed("create_run"), 12);
        let told: serde_json::Value = reqwest::get(format!("http://{}/executed", lab.address())).await?.json().await?;
        assert_eq!(told.as_array().map(Vec::len), Some(13));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_records_what_reached_it() -> Result<()> {
    let upstream = Upstream::json("{}").await?;
    let envoy = Envoy::start(&Config::new(upstream.address())).await?;
    let http = envoy::http();
    http.post(envoy.url("/mcp?x=1")).header("x-mark", "7").body("hello").send().await?;
    let seen = upstream.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].head.starts_with("POST /mcp?x=1 HTTP/1.1\r\n"));
    assert_eq!(seen[0].header("X-Mark"), Some("7"));
    assert_eq!(seen[0].body, b"hello");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envoy_that_refuses_its_configuration_says_why() -> Result<()> {
    match Envoy::start_with_yaml("static_resources: { listeners: [{ name: mcp, adress: {} }] }").await {
        Err(Error::Ended { log, .. }) => assert!(log.contains("adress"), "{log}"),
        other => panic!("{other:?}"),
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn envoys_own_filters_refuse_with_403_and_admit_the_named_tool() -> Result<()> {
    let upstream = Upstream::json("{}").await?;
    let config = Config::new(upstream.address()).in_front(envoy_mcp()).in_front(envoy_rbac("get_run"));
    let envoy = Envoy::start(&config).await?;
    for (tool, status) in [("get_run", 200), ("create_run", 403)] {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } });
        let answer = envoy::http()
            .post(envoy.url("/mcp"))
            .header("accept", "application/json, text/event-stream")
            .json(&call)
            .send()
            .await?;
        assert_eq!(answer.status(), status, "{tool}");
    }
    assert_eq!(upstream.seen().len(), 1);
    Ok(())
}
