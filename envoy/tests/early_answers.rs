//! A server that answers as soon as it has seen a request's head: the answer changes nothing of the judgement.

use std::time::Duration;

use anyhow::{Context, Result};
use envoy::{Config, Envoy, filters::PolicyFilter, upstream::Upstream, wire};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

const PATIENCE: Duration = Duration::from_secs(20);

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

/// Answers with its head at once and with the rest once the whole request is there.
async fn hasty() -> Result<Upstream> {
    let body = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;
    let rest = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).into_bytes();
    Ok(Upstream::start_early(HEAD.to_vec(), move |_| vec![rest.clone()]).await?)
}

/// Envoy in stream mode, where the server sees a request's head before the filter sees its body.
async fn start(upstream: &Upstream) -> Result<Envoy> {
    let policy = json!({ "version": "1", "default": "deny", "tools": { "get_runs": {} } });
    Ok(Envoy::start(&Config::new(upstream.address()).policy(PolicyFilter::new(policy)?.without_hold())).await?)
}

/// Sends the head of a `tools/call` of `tool`, and its body only once Envoy has the head of the server's answer.
async fn send(envoy: &Envoy, tool: &str) -> Result<TcpStream> {
    let body = wire::call(tool, &json!({})).to_string();
    let received = "cluster.upstream.upstream_cx_rx_bytes_total";
    let before = stat(envoy, received).await?;
    let mut stream = TcpStream::connect(envoy.address()).await?;
    let head = [
        "POST /mcp HTTP/1.1",
        "host: x",
        "accept: application/json",
        "content-type: application/json",
        &format!("content-length: {}", body.len()),
        "connection: close",
    ];
    stream.write_all(format!("{}\r\n\r\n", head.join("\r\n")).as_bytes()).await?;
    until(envoy, received, before + HEAD.len() as u64).await?;
    stream.write_all(body.as_bytes()).await?;
    Ok(stream)
}

/// The JSON that comes back until the connection ends.
async fn answer(mut stream: TcpStream) -> Result<Value> {
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await??;
    let answer = String::from_utf8_lossy(&answer);
    let json = answer.lines().find(|line| line.starts_with('{')).unwrap_or_default();
    serde_json::from_str(json).with_context(|| answer.into_owned())
}

async fn stat(envoy: &Envoy, name: &str) -> Result<u64> {
    Ok(envoy.admin().stats(name).await?.values().sum())
}

async fn until(envoy: &Envoy, name: &str, least: u64) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while stat(envoy, name).await? < least {
        anyhow::ensure!(Instant::now() < deadline, "{name} never reached {least}");
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_calls_body_stays_behind_though_its_answer_has_begun() -> Result<()> {
    let upstream = hasty().await?;
    let envoy = start(&upstream).await?;
    let _open = send(&envoy, "create_run").await?;
    until(&envoy, "wasmcustom.mcp_policy.denied", 1).await?;
    // What is sent after it has arrived, so it would have as well.
    answer(send(&envoy, "get_runs").await?).await?;
    let bodies: Vec<_> = upstream.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], b"");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_call_is_answered_though_its_answer_has_begun() -> Result<()> {
    let upstream = hasty().await?;
    let envoy = start(&upstream).await?;
    let answer = answer(send(&envoy, "create_run").await?).await?;
    assert_eq!(wire::rule(&answer), Some("(default deny)"), "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_calls_body_goes_on_though_its_answer_has_begun() -> Result<()> {
    let upstream = hasty().await?;
    let envoy = start(&upstream).await?;
    let answer = answer(send(&envoy, "get_runs").await?).await?;
    assert_eq!(answer["result"]["content"], json!([]), "{answer}");
    let seen = upstream.seen();
    assert_eq!(serde_json::from_slice::<Value>(&seen[0].body)?, wire::call("get_runs", &json!({})));
    Ok(())
}
