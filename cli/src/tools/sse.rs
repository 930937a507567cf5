//! Asking a server over HTTP+SSE, the transport of 2024-11-05: what is sent goes out in POSTs, and what comes back comes on the
//! event stream that a GET opened. rmcp has no client for it, so its messages are carried over here, a line each.

use reqwest::{
    Client, Response, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap},
};
use rmcp::ServiceExt;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::{
    record::{MAX_MESSAGE, Record},
    session::{self, Pages, Refused},
};
use crate::failure::Failure;

/// An open event stream.
#[derive(Debug)]
pub(super) struct Events {
    response: Response,
    /// What has come, and is no whole line yet.
    rest: Vec<u8>,
}

/// One event.
#[derive(Debug, Default)]
struct Event {
    name: String,
    data: String,
}

impl Events {
    /// Opens the stream. None if the server has none at this URL.
    pub(super) async fn open(url: &str, headers: &HeaderMap, client: &Client) -> Option<Self> {
        let asked = client.get(url).headers(headers.clone()).header(ACCEPT, "text/event-stream").send();
        let response = asked.await.ok()?;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let events = response.status().is_success() && kind.starts_with("text/event-stream");
        events.then(|| Self { response, rest: Vec::new() })
    }

    async fn next(&mut self) -> Result<Event, Failure> {
        let mut event = Event::default();
        loop {
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                let line = line.trim_end_matches(['\r', '\n']);
                let value =
                    |field: &str| line.strip_prefix(field).map(|value| value.strip_prefix(' ').unwrap_or(value));
                if line.is_empty() && !event.data.is_empty() {
                    return Ok(event);
                }
                if let Some(name) = value("event:") {
                    name.clone_into(&mut event.name);
                } else if let Some(data) = value("data:") {
                    // A line break cannot be inside of a JSON string, so it is white space.
                    event.data.push_str(data);
                    event.data.push(' ');
                }
            }
            if self.rest.len().saturating_add(event.data.len()) > MAX_MESSAGE {
                return Err(Failure::new("an event of the server is larger than 16 MiB"));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.rest.extend(chunk),
                Ok(None) => return Err(Failure::new("the server has ended its event stream")),
                Err(error) => return Err(Failure::new(session::because(&error))),
            }
        }
    }
}

/// What the server whose event stream is open answers to `tools/list`.
pub(super) async fn pages(
    mut events: Events,
    url: &Url,
    headers: &HeaderMap,
    client: &Client,
) -> Result<Pages, Failure> {
    let endpoint = loop {
        let event = events.next().await?;
        if event.name == "endpoint" {
            break event.data;
        }
    };
    let endpoint = url.join(endpoint.trim()).map_err(Failure::because("the server's endpoint is no URL"))?;
    if endpoint.origin() != url.origin() {
        return Err(Failure::new(format!("`{url}` sends its clients to another server, `{endpoint}`")));
    }
    let (near, far) = tokio::io::duplex(1 << 16);
    let (requests, answers) = tokio::io::split(far);
    let record = Record::default();
    let asking = async {
        let service = session::client().serve(near).await;
        let service = service.map_err(|error| Failure::new(session::because(&error)))?;
        let listed = session::list(service.peer(), &record).await;
        listed.map_err(|refused| match refused {
            Refused::List(failure) => failure,
            Refused::Service(error) => Failure::new(session::because(&error)),
        })
    };
    tokio::select! {
        listed = asking => listed,
        Err(failure) = send(requests, &endpoint, headers, client) => Err(failure),
        Err(failure) = deliver(events, answers, &record) => Err(failure),
    }
}

async fn send(requests: impl AsyncRead + Unpin, to: &Url, headers: &HeaderMap, client: &Client) -> Result<(), Failure> {
    let mut lines = BufReader::new(requests).lines();
    while let Some(line) = lines.next_line().await.map_err(Failure::because("cannot send"))? {
        let post = client.post(to.clone()).headers(headers.clone()).header(CONTENT_TYPE, "application/json").body(line);
        let answer = post.send().await.map_err(|error| Failure::new(session::because(&error)))?;
        if !answer.status().is_success() {
            return Err(Failure::new(format!("`{to}` answered {}", answer.status())));
        }
    }
    Ok(())
}

async fn deliver(mut events: Events, mut answers: impl AsyncWrite + Unpin, record: &Record) -> Result<(), Failure> {
    loop {
        let event = events.next().await?;
        if matches!(event.name.as_str(), "message" | "") {
            record.keep(event.data.trim().as_bytes());
            let line = format!("{}\n", event.data.trim());
            answers.write_all(line.as_bytes()).await.map_err(Failure::because("cannot deliver"))?;
        }
    }
}
