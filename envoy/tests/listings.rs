//! Listings on their way back, whole and in event streams.

use anyhow::Result;
use envoy::{
    Config, Envoy,
    filters::PolicyFilter,
    lab::{Answers, TOOL_NAMES},
    policed::{Policed, held},
    upstream::Upstream,
};
use serde_json::{Value, json};

fn hiding() -> Value {
    json!({ "version": "1", "default": "allow", "hide": ["home_robot", "control_*"] })
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_tools_are_left_out_of_a_listing_in_json_and_in_events() -> Result<()> {
    for answers in [Answers::Json, Answers::Events] {
        for configuration in [hiding(), held(&hiding())] {
            let policed = Policed::start(&configuration, answers).await?;
            let expected: Vec<&str> = TOOL_NAMES
                .into_iter()
                .filter(|name| !matches!(*name, "home_robot" | "control_run" | "control_lights"))
                .collect();
            assert_eq!(policed.client().await?.tools().await?, expected, "{answers:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_of_allowed_tools_leaves_out_what_would_be_denied() -> Result<()> {
    let policy = json!({
        "version": "1", "default": "deny", "listing": "allowed",
        "tools": { "get_runs": {}, "robot_health": {}, "control_run": { "action": "deny" } },
    });
    let policed = Policed::start(&policy, Answers::Events).await?;
    assert_eq!(policed.client().await?.tools().await?, ["get_runs", "robot_health"]);
    Ok(())
}

/// A tools/list answer in two events, cut at `cut` bytes into two writes.
fn events(cut: usize) -> Vec<Vec<u8>> {
    let listing = json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": [
        { "name": "home_robot", "inputSchema": { "type": "object" } },
        { "name": "get_runs", "inputSchema": { "type": "object" } },
    ] } });
    let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progress": 1, "progressToken": 7 } });
    let stream = format!("event: message\ndata: {progress}\n\nid: 5\nevent: message\ndata: {listing}\n\n");
    let (first, second) = stream.as_bytes().split_at(cut.min(stream.len()));
    let frame = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    [
        vec![head],
        [first, second].into_iter().filter(|part| !part.is_empty()).map(frame).collect(),
        vec![b"0\r\n\r\n".to_vec()],
    ]
    .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_is_filtered_wherever_its_event_is_cut() -> Result<()> {
    let upstream = Upstream::start(|seen| {
        let cut = seen.header("x-cut").and_then(|cut| cut.parse().ok()).unwrap_or(0);
        events(cut)
    })
    .await?;
    let envoy = Envoy::start(&Config::new(upstream.address()).policy(PolicyFilter::new(hiding())?)).await?;
    let http = envoy::http();
    for cut in (0..360).step_by(13) {
        let answer = http
            .post(envoy.url("/mcp"))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("x-cut", cut)
            .body(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
            .send()
            .await?
            .text()
            .await?;
        assert!(!answer.contains("home_robot"), "cut at {cut}: {answer}");
        assert!(answer.contains("get_runs") && answer.contains("notifications/progress"), "cut at {cut}: {answer}");
        assert!(answer.contains("id: 5"), "the event keeps its id: {answer}");
    }
    Ok(())
}
