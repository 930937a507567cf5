//! What a real client of 2026-07-28 repeats of a call's arguments in headers: the official TypeScript client, and a tool
//! that asks for it with `x-mcp-header`.

use anyhow::Result;
use envoy::{
    Config, Envoy,
    filters::PolicyFilter,
    policed::held,
    real::RealServer,
    servers::{Call, Caller, Tap},
};
use serde_json::{Value, json};

/// Regions, each with the header that the client makes of it. What a header cannot hold as it is goes as base64, and so
/// does what would be taken for that.
const ALLOWED: [(&str, &str); 6] = [
    ("eu-west", "eu-west"),
    ("eu, \"west\"; a\tb", "eu, \"west\"; a\tb"),
    ("größe", "=?base64?Z3LDtsOfZQ==?="),
    (" eu ", "=?base64?IGV1IA==?="),
    ("", "=?base64??="),
    ("=?base64?eA==?=", "=?base64?PT9iYXNlNjQ/ZUE9PT89?="),
];

/// What the policy denies. Its header goes nowhere.
const DENIED: &str = "moon";

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_a_client_repeats_in_headers_pass() -> Result<()> {
    let server = RealServer::conformance().await?;
    let tap = Tap::before(server.address(), "mcp-param-region").await?;
    let not_the_moon = json!({ "conditions": [{ "path": "args.region", "op": "eq", "value": DENIED }] });
    let policy = json!({
        "version": "1",
        "default": "deny",
        "tools": { "test_x_mcp_header": { "deny_if": [not_the_moon] } },
    });
    let envoy = Envoy::start(&Config::new(tap.address()).policy(PolicyFilter::new(held(&policy))?)).await?;
    let call = |arguments: Value| Call { url: envoy.url("/mcp"), tool: "test_x_mcp_header".into(), arguments };
    let regions = ALLOWED.map(|(region, _)| region).into_iter().chain([DENIED]);
    let mut calls: Vec<_> = regions.map(|region| call(json!({ "region": region }))).collect();
    // Without the argument there is no header.
    calls.push(call(json!({})));

    let answers = Caller::TypeScript2.call(&calls).await?;
    assert_eq!(answers.len(), calls.len());
    for (call, answer) in calls.iter().zip(&answers) {
        assert_eq!(answer["revision"], "2026-07-28", "{answer}");
        assert_eq!(answer["is_error"], call.arguments["region"] == DENIED, "{}: {answer}", call.arguments);
    }
    for (region, header) in ALLOWED {
        assert!(tap.passed(header), "{region:?}");
    }
    assert!(!tap.passed(DENIED));
    Ok(())
}
