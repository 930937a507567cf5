//! The client's side of a step.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use envoy::token::token;
use host_test::scenario::{Exchange, Response, essential};
use serde_json::Value;
use tokio::io::AsyncRead;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::http::{Raw, Reader, Unsaid, write};

/// How long an answer may take on a busy machine. Longer is a request that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a request over a connection of its own and waits for the end of its answer. What has come of its body is shown
/// in `so_far`.
pub(crate) async fn send(
    listener: SocketAddr,
    exchange: &Exchange,
    so_far: &watch::Sender<Vec<u8>>,
) -> Result<Response> {
    let mut stream = TcpStream::connect(listener).await?;
    stream.set_nodelay(true)?;
    let (incoming, mut outgoing) = stream.split();
    let start = format!("{} {} HTTP/1.1\r\nhost: {}", exchange.method, exchange.path, exchange.host);
    let mut request = exchange.request.clone();
    if let Some(claims) = &exchange.claims {
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        let token = token(subject, &Value::from(claims.clone()));
        request.headers.push(("authorization".into(), format!("Bearer {token}")));
    }
    let writing = async {
        // Envoy may answer and close before it has read everything; the answer tells.
        write(&mut outgoing, &start, &request, std::future::ready(())).await.ok();
        std::future::pending::<()>().await;
    };
    let show = |body: &[u8]| drop(so_far.send_replace(body.to_vec()));
    let reading = read(Reader::new(incoming), &exchange.method, show);
    let raw = tokio::select! {
        answer = tokio::time::timeout(PATIENCE, reading) => answer.ok().flatten(),
        () = writing => None,
    };
    let raw = raw.unwrap_or_default();
    Ok(Response {
        status: raw.start.split(' ').nth(1).and_then(|status| status.parse().ok()),
        headers: essential(raw.headers),
        body: raw.body,
        meanwhile: vec![],
        trailers: essential(raw.trailers),
        whole: raw.whole,
    })
}

async fn read<S: AsyncRead + Unpin>(mut reader: Reader<S>, method: &str, show: impl Fn(&[u8])) -> Option<Raw> {
    let mut raw = reader.head().await?;
    if method == "HEAD" {
        raw.whole = true;
    } else {
        reader.body(&mut raw, Unsaid::UntilClosed, show).await;
    }
    Some(raw)
}
