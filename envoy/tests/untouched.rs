//! Nothing of a refused message reaches the server.

use std::time::Duration;

use anyhow::Result;
use envoy::{Config, Envoy, filters::PolicyFilter, policed::held, upstream::Upstream};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

fn policy() -> Value {
    json!({ "version": "1", "default": "deny", "hide": ["secret"], "tools": { "get_runs": {} } })
}

fn post(url: String, body: impl Into<reqwest::Body>) -> RequestBuilder {
    envoy::http()
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(body)
}

fn call(tool: &str, padding: usize) -> String {
    let filler = "x".repeat(padding);
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": { "filler": filler } } }).to_string()
}

/// Messages that must be refused, with the status of the answer.
fn refused() -> Vec<(&'static str, Vec<u8>, StatusCode)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("a denied tool", call("create_run", 0).into_bytes(), StatusCode::OK),
        ("a hidden tool", call("secret", 0).into_bytes(), StatusCode::OK),
        ("a denied tool in a body of many reads", call("create_run", 300_000).into_bytes(), StatusCode::OK),
        ("not JSON", text("{"), StatusCode::BAD_REQUEST),
        ("nothing", text(""), StatusCode::BAD_REQUEST),
        (
            "two messages in one body",
            [call("get_runs", 0), call("create_run", 0)].concat().into_bytes(),
            StatusCode::BAD_REQUEST,
        ),
        (
            "a name given twice",
            text(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_runs","name":"create_run"}}"#),
            StatusCode::BAD_REQUEST,
        ),
        (
            "a name given again in escapes",
            text(
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_runs","n\u0061me":"create_run"}}"#,
            ),
            StatusCode::BAD_REQUEST,
        ),
        (
            "a name given again in capitals",
            text(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_runs","Name":"create_run"}}"#),
            StatusCode::BAD_REQUEST,
        ),
        (
            "a byte order mark",
            ["\u{feff}".as_bytes(), call("get_runs", 0).as_bytes()].concat(),
            StatusCode::BAD_REQUEST,
        ),
        ("UTF-16", call("get_runs", 0).encode_utf16().flat_map(u16::to_le_bytes).collect(), StatusCode::BAD_REQUEST),
        ("more than the body limit", call("get_runs", 1_100_000).into_bytes(), StatusCode::PAYLOAD_TOO_LARGE),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_request_that_is_refused_never_reaches_the_server() -> Result<()> {
    let upstream = Upstream::json("{}").await?;
    let envoy = Envoy::start(&Config::new(upstream.address()).policy(PolicyFilter::new(held(&policy()))?)).await?;
    for (what, body, status) in refused() {
        let answer = post(envoy.url("/mcp"), body).send().await?;
        assert_eq!(answer.status(), status, "{what}: {}", answer.text().await?);
        assert_eq!(upstream.seen(), [], "{what}");
    }
    post(envoy.url("/mcp"), call("get_runs", 0)).send().await?;
    assert_eq!(upstream.seen().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_request_that_is_refused_shows_the_server_its_head_at_most() -> Result<()> {
    let upstream = Upstream::json("{}").await?;
    let filter = PolicyFilter::new(policy())?.without_hold();
    let envoy = Envoy::start(&Config::new(upstream.address()).policy(filter)).await?;
    for (what, body, status) in refused() {
        let answer = post(envoy.url("/mcp"), body).send().await?;
        assert_eq!(answer.status(), status, "{what}: {}", answer.text().await?);
        for seen in upstream.seen() {
            assert_eq!(seen.body, b"", "{what}: {}", seen.head);
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encoded_body_is_refused_unread() -> Result<()> {
    let upstream = Upstream::json("{}").await?;
    let envoy = Envoy::start(&Config::new(upstream.address()).policy(PolicyFilter::new(held(&policy()))?)).await?;
    for (name, value) in [
        ("content-encoding", "gzip"),
        ("content-encoding", "deflate"),
        ("content-type", "application/json; charset=utf-7"),
        ("content-type", "application/json; charset=\"UTF-16\""),
    ] {
        let request = envoy::http()
            .post(envoy.url("/mcp"))
            .header("accept", "application/json, text/event-stream")
            .header(name, value)
            .body(call("get_runs", 0));
        assert_eq!(request.send().await?.status(), StatusCode::BAD_REQUEST, "{name}: {value}");
        assert_eq!(upstream.seen(), [], "{name}: {value}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admitted_body_arrives_byte_for_byte() -> Result<()> {
    let upstream = Upstream::json("{}").await?;
    for configuration in [policy(), held(&policy())] {
        let envoy = Envoy::start(&Config::new(upstream.address()).policy(PolicyFilter::new(configuration)?)).await?;
        for padding in [0, 70_000, 900_000] {
            let body = call("get_runs", padding);
            post(envoy.url("/mcp"), body.clone()).send().await?;
            let seen = upstream.seen();
            assert!(seen.last().is_some_and(|seen| seen.body == body.as_bytes()), "{padding} bytes more");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_envoy_does_not_grant_is_given_up_and_the_remedy_logged() -> Result<()> {
    let upstream = Upstream::json("{}").await?;
    let filter = PolicyFilter::new(held(&policy()))?.without_hold();
    let envoy = Envoy::start(&Config::new(upstream.address()).policy(filter)).await?;
    let answer = post(envoy.url("/mcp"), call("get_runs", 0)).send();
    let answer = tokio::time::timeout(Duration::from_secs(30), answer).await??;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(envoy.log().matches("allow_on_headers_stop_iteration").count(), 1);
    Ok(())
}
