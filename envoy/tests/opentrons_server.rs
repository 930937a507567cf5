//! A real robot's MCP server, `labmcp-opentrons`, with the simulator that it brings along.

use anyhow::Result;
use envoy::{
    Config, Envoy,
    client::{Client, Outcome},
    examples,
    filters::PolicyFilter,
    policed::held,
    real::{RealServer, python_client},
};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_real_robot_server_is_policed() -> Result<()> {
    let server = RealServer::opentrons().await?;
    let policy = examples::policy("opentrons/labmcp")?;
    let envoy = Envoy::start(&Config::new(server.address()).policy(PolicyFilter::new(held(&policy))?)).await?;

    // The policy names exactly the tools that the server has.
    let client = Client::connect(envoy.url("/mcp")).await?;
    let mut tools = client.tools().await?;
    tools.sort();
    let mut named: Vec<&String> = policy["tools"].as_object().into_iter().flat_map(|tools| tools.keys()).collect();
    named.sort();
    assert_eq!(tools.iter().collect::<Vec<_>>(), named);

    assert!(matches!(client.call("get_robot_status", json!({})).await?, Outcome::Done(_)));
    let unconfirmed = client.call("start_run", json!({ "protocol_id": "x", "deck_confirmed": false })).await?;
    assert_eq!(unconfirmed.rule(), Some("/tools/start_run/require/args.deck_confirmed-eq"), "{unconfirmed:?}");
    let elsewhere = client.call("upload_protocol", json!({ "path": "/etc/passwd" })).await?;
    assert_eq!(elsewhere.rule(), Some("/tools/upload_protocol/require/args.path-regex"), "{elsewhere:?}");

    let seen = python_client(
        &envoy.url("/mcp"),
        &[("set_lights", json!({ "on": true })), ("self_destruct", json!({})), ("list_runs", json!({}))],
    )
    .await?;
    let outcomes: Vec<(&Value, &Value)> =
        seen["calls"].as_array().into_iter().flatten().map(|call| (&call["is_error"], &call["meta"]["rule"])).collect();
    assert_eq!(
        outcomes,
        [(&json!(false), &Value::Null), (&json!(true), &json!("(default deny)")), (&json!(false), &Value::Null),]
    );
    Ok(())
}
