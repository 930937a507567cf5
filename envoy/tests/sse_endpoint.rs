//! Where a server of 2024-11-05 sends its client: only to where the policy holds.

use envoy::{Config, Envoy, Result, filters::PolicyFilter};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_names_another_origin_is_not_followed() -> Result<()> {
    let stream = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n\
                  event: endpoint\ndata: http://127.0.0.1:1/message\n\n: still here\n\n";
    let upstream = envoy::upstream::Upstream::start(move |_| vec![stream.into()]).await?;
    let configuration = json!({
        "policies": {"p": {"version": "1", "default": "allow"}}, "routes": [{"policy": "p", "transport": "sse"}]});
    let envoy = Envoy::start(&Config::new(upstream.address()).policy(PolicyFilter::new(configuration)?)).await?;
    let mut response = envoy::http().get(envoy.url("/sse")).header("accept", "text/event-stream").send().await?;
    let mut seen = String::new();
    while !seen.contains("still here") {
        seen += &String::from_utf8_lossy(&response.chunk().await?.expect("the stream goes on"));
    }
    assert!(!seen.contains("endpoint"), "{seen}");
    Ok(())
}
