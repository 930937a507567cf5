//! A real experiment tracker's MCP server, `mlflow-mcp`, behind `mcp-proxy`.

use anyhow::Result;
use envoy::{
    Config, Envoy,
    client::{Client, Outcome},
    examples,
    filters::PolicyFilter,
    policed::held,
    real::{RealServer, python_client},
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_real_experiment_tracker_is_policed() -> Result<()> {
    let (server, run_id) = RealServer::mlflow().await?;
    let config = |policy: &str| {
        let policy = PolicyFilter::new(held(&examples::policy(policy)?))?;
        anyhow::Ok(Config::new(server.address()).policy(policy))
    };
    let run = json!({ "run_id": run_id });

    let envoy = Envoy::start(&config("mlflow/catalogue")?).await?;
    let seen = python_client(
        &envoy.url("/mcp"),
        &[("get_run", run.clone()), ("delete_run", run.clone()), ("health", json!({}))],
    )
    .await?;
    assert_eq!(seen["tools"].as_array().map(Vec::len), Some(40));
    assert_eq!(seen["calls"][0]["is_error"], false);
    assert!(seen["calls"][0]["text"].as_str().is_some_and(|text| text.contains(&run_id)));
    assert_eq!(seen["calls"][1]["meta"]["rule"], "(default deny)");
    assert_eq!(seen["calls"][2]["meta"]["rule"], "(default deny)");

    let envoy = Envoy::start(&config("mlflow/policy")?).await?;
    let client = Client::connect(envoy.url("/mcp")).await?;
    let tools = client.tools().await?;
    assert_eq!(tools.len(), 35);
    assert!(!tools.iter().any(|name| name.starts_with("delete_")));
    assert!(matches!(client.call("get_run", run.clone()).await?, Outcome::Done(_)));
    let outside =
        client.call("get_artifact_content", json!({ "run_id": run_id, "artifact_path": "../../etc/passwd" })).await?;
    assert_eq!(outside.rule(), Some("/all_tools/deny_if/args.artifact_path-regex"), "{outside:?}");
    let hidden = client.call("delete_run", run).await?;
    assert_eq!(hidden, Outcome::Error { code: -32602, message: "Unknown tool: delete_run".into() });
    Ok(())
}
