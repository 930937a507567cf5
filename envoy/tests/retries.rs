//! One admitted call runs once, whatever Envoy would retry.

use anyhow::Result;
use envoy::{Config, Envoy, Route, config::UPSTREAM, filters::PolicyFilter, policed::held, upstream::Upstream};
use serde_json::json;

/// How often a server that is always unavailable sees one call.
async fn attempts(filter: Option<PolicyFilter>) -> Result<usize> {
    let upstream =
        Upstream::start(|_| vec![b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec()]).await?;
    // What Istio sets on every route, POST included.
    let retrying =
        Route::new("retrying", "/mcp", UPSTREAM).with("retry_policy", json!({ "retry_on": "5xx", "num_retries": 2 }));
    let mut config = Config::new(upstream.address()).route(retrying);
    config.policy = filter;
    let envoy = Envoy::start(&config).await?;
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "create_run" } });
    envoy::http()
        .post(envoy.url("/mcp"))
        .header("accept", "application/json, text/event-stream")
        // A client could ask for retries as well.
        .header("x-envoy-retry-on", "5xx")
        .header("x-envoy-max-retries", "5")
        .json(&call)
        .send()
        .await?;
    Ok(upstream.seen().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admitted_call_is_not_retried() -> Result<()> {
    assert!(attempts(None).await? > 1, "without the filter Envoy retries");
    let policy = json!({ "version": "1", "default": "allow" });
    assert_eq!(attempts(Some(PolicyFilter::new(held(&policy))?)).await?, 1);
    assert_eq!(attempts(Some(PolicyFilter::new(&policy)?.without_hold())).await?, 1);
    Ok(())
}
