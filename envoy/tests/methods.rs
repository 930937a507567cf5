//! What is not a tool call: sessions, streams, other HTTP methods, notifications, other MCP methods.

use anyhow::Result;
use envoy::{
    Config, Envoy,
    filters::PolicyFilter,
    policed::held,
    upstream::{Upstream, json_response},
};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

fn policy() -> Value {
    json!({ "version": "1", "default": "deny", "tools": { "get_runs": {} }, "methods": { "x/status": { "action": "allow" } } })
}

async fn start() -> Result<(Upstream, Envoy)> {
    let upstream = Upstream::start(|seen| {
        if seen.body.windows(3).any(|part| part == b"\"id") {
            vec![json_response(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)]
        } else {
            vec![b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec()]
        }
    })
    .await?;
    let envoy = Envoy::start(&Config::new(upstream.address()).policy(PolicyFilter::new(held(&policy()))?)).await?;
    Ok((upstream, envoy))
}

fn post(envoy: &Envoy, message: &Value) -> RequestBuilder {
    envoy::http().post(envoy.url("/mcp")).header("accept", "application/json, text/event-stream").json(message)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_methods_of_a_session_pass() -> Result<()> {
    let (upstream, envoy) = start().await?;
    for message in [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "protocolVersion": "2025-06-18" } }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" }),
        json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/list" }),
        json!({ "jsonrpc": "2.0", "id": 4, "method": "logging/setLevel", "params": { "level": "info" } }),
        json!({ "jsonrpc": "2.0", "id": 5, "method": "x/status" }),
        // The client's answer to something that the server asked.
        json!({ "jsonrpc": "2.0", "id": 6, "result": { "roots": [] } }),
    ] {
        let before = upstream.seen().len();
        assert!(post(&envoy, &message).send().await?.status().is_success(), "{message}");
        assert_eq!(upstream.seen().len(), before + 1, "{message}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_no_rule_names_follow_the_default() -> Result<()> {
    let (upstream, envoy) = start().await?;
    for method in ["resources/read", "prompts/get", "x/unheard-of"] {
        let message =
            json!({ "jsonrpc": "2.0", "id": "a", "method": method, "params": { "uri": "file:///x", "name": "x" } });
        let response = post(&envoy, &message).send().await?;
        assert_eq!(response.status(), StatusCode::OK, "{method}");
        let answer: Value = response.json().await?;
        assert_eq!(answer["id"], "a", "{method}: {answer}");
        // Outside the range that JSON-RPC keeps for itself.
        let code = answer["error"]["code"].as_i64().unwrap_or_default();
        assert!(!(-32768..=-32000).contains(&code) && code != 0, "{method}: {answer}");
        assert_eq!(answer["error"]["data"]["rule"], "(default deny)", "{method}: {answer}");
    }
    assert_eq!(upstream.seen(), []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_notification_is_accepted_and_dropped() -> Result<()> {
    let (upstream, envoy) = start().await?;
    let notification = json!({ "jsonrpc": "2.0", "method": "x/unheard-of" });
    assert_eq!(post(&envoy, &notification).send().await?.status(), StatusCode::ACCEPTED);
    assert_eq!(upstream.seen(), []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_an_id_is_refused_whatever_the_policy() -> Result<()> {
    let (upstream, envoy) = start().await?;
    let call = json!({ "jsonrpc": "2.0", "method": "tools/call", "params": { "name": "get_runs" } });
    let response = post(&envoy, &call).send().await?;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(upstream.seen(), []);
    Ok(())
}

fn batch(tools: [&str; 2]) -> Value {
    let call = |(id, tool): (usize, &str)| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool } });
    tools.into_iter().enumerate().map(call).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_one_refused_call_is_not_forwarded_at_all() -> Result<()> {
    let (upstream, envoy) = start().await?;
    post(&envoy, &batch(["get_runs", "create_run"])).send().await?;
    assert_eq!(upstream.seen(), []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_of_a_refused_batch_is_answered_and_an_allowed_batch_passes() -> Result<()> {
    let (upstream, envoy) = start().await?;
    let response = post(&envoy, &batch(["get_runs", "create_run"])).send().await?;
    assert_eq!(response.status(), StatusCode::OK);
    let answers: Value = response.json().await?;
    let ids: Vec<&Value> = answers.as_array().into_iter().flatten().map(|answer| &answer["id"]).collect();
    assert_eq!(ids, [0, 1], "{answers}");
    let allowed = post(&envoy, &batch(["get_runs", "get_runs"])).send().await?;
    assert!(allowed.status().is_success());
    assert_eq!(upstream.seen().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_http_methods_of_mcp_reach_the_server() -> Result<()> {
    let (upstream, envoy) = start().await?;
    let http = envoy::http();
    let passing = [(Method::GET, "accept", "text/event-stream"), (Method::DELETE, "mcp-session-id", "abc")];
    for (method, header, value) in passing {
        let response = http.request(method.clone(), envoy.url("/mcp")).header(header, value).send().await?;
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{method}");
    }
    assert_eq!(upstream.seen().len(), 2);
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::PATCH, Method::HEAD, Method::OPTIONS] {
        let response = http.request(method.clone(), envoy.url("/mcp")).send().await?;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    assert_eq!(upstream.seen().len(), 2);
    Ok(())
}
