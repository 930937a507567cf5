//! Listings beyond what Envoy buffers: never a hidden tool, never silence.

use std::time::Duration;

use anyhow::Result;
use envoy::{
    Config, Envoy,
    filters::PolicyFilter,
    policed::held,
    upstream::{Upstream, json_response},
    wire,
};
use serde_json::{Value, json};

/// About two and a half times Envoy's default buffer of 1 MiB.
const BYTES: usize = 2_500_000;

/// What a client would wait for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A tools/list answer of [`BYTES`] with the hidden tool in its middle.
fn listing() -> String {
    let tool = |name: &str, bytes: usize| json!({ "name": name, "description": "x".repeat(bytes), "inputSchema": { "type": "object" } });
    let tools = [tool("get_runs", BYTES / 2), tool("home_robot", 1), tool("robot_health", BYTES / 2)];
    json!({ "jsonrpc": "2.0", "id": "list-7", "result": { "tools": tools } }).to_string()
}

fn chunked(kind: &str, body: &str) -> Vec<Vec<u8>> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunks = body.as_bytes().chunks(40_000);
    let frame = |chunk: &[u8]| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
    [vec![head.into_bytes()], chunks.map(frame).collect(), vec![b"0\r\n\r\n".to_vec()]].concat()
}

/// What the client is sent for a tools/list that the server answers like this, if both Envoy and the filter hold at
/// most `limit` bytes; none leaves both at their defaults.
async fn answer(pieces: Vec<Vec<u8>>, limit: Option<u32>) -> Result<(u16, String)> {
    let upstream = Upstream::start(move |_| pieces.clone()).await?;
    let mut configuration = held(&json!({ "version": "1", "default": "allow", "hide": ["home_robot"] }));
    if let Some(bytes) = limit {
        configuration["max_event_bytes"] = json!(bytes);
    }
    let mut config = Config::new(upstream.address()).policy(PolicyFilter::new(configuration)?);
    config.buffer_limit = limit;
    let envoy = Envoy::start(&config).await?;
    let list = json!({ "jsonrpc": "2.0", "id": "list-7", "method": "tools/list" });
    let exchange = async {
        let response = wire::post(envoy.url("/mcp"), &list).send().await?;
        Ok::<_, reqwest::Error>((response.status().as_u16(), response.text().await?))
    };
    Ok(tokio::time::timeout(PATIENCE, exchange).await??)
}

/// The message in a document or in the only event of a stream.
fn message(text: &str) -> Result<Value> {
    let data = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap_or(text);
    Ok(serde_json::from_str(data)?)
}

/// Asserts that the client is told in a JSON-RPC error with its id that it gets no list.
async fn assert_withheld(pieces: Vec<Vec<u8>>) -> Result<()> {
    let (status, text) = answer(pieces, None).await?;
    assert!(!text.contains("home_robot"), "a hidden tool in {} bytes", text.len());
    let message = message(&text)?;
    assert_eq!((status, &message["id"]), (200, &json!("list-7")), "{message}");
    assert!(message["error"]["code"].is_i64(), "{message}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_larger_than_envoys_buffer_is_an_error_with_its_id() -> Result<()> {
    assert_withheld(vec![json_response(&listing())]).await?;
    assert_withheld(chunked("application/json", &listing())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_larger_than_envoys_buffer_is_an_error_with_its_id() -> Result<()> {
    assert_withheld(chunked("text/event-stream", &format!("event: message\ndata: {}\n\n", listing()))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_listing_is_filtered_where_both_hold_enough() -> Result<()> {
    for pieces in [
        vec![json_response(&listing())],
        chunked("application/json", &listing()),
        chunked("text/event-stream", &format!("event: message\ndata: {}\n\n", listing())),
    ] {
        let (status, text) = answer(pieces, Some(4 << 20)).await?;
        assert_eq!(status, 200);
        let message = message(&text)?;
        let tools = message["result"]["tools"].as_array().into_iter().flatten();
        let names: Vec<&str> = tools.filter_map(|tool| tool["name"].as_str()).collect();
        assert_eq!(names, ["get_runs", "robot_health"], "{} bytes", text.len());
    }
    Ok(())
}
