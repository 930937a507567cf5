//! An HTTP/1.1 server that records what arrives, byte for byte, and answers what it is told to.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{Error, Result};

/// One request that reached the server, perhaps only in part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The request line and the headers as they came, up to and with the empty line.
    pub head: String,
    /// The body as it came so far, with its chunk frames if it has them.
    pub body: Vec<u8>,
}

impl Seen {
    /// The first value of a header, without surrounding space.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// Whether the body is all there.
    fn is_whole(&self) -> bool {
        if self.header("transfer-encoding").is_some() {
            return self.body.ends_with(b"0\r\n\r\n");
        }
        let length = self.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        self.body.len() >= length
    }
}

/// Makes the bytes of a response, status line and headers included, out of a whole request. Each piece is
/// written and flushed by itself.
pub type Answer = dyn Fn(&Seen) -> Vec<Vec<u8>> + Send + Sync;

/// What the server sends, and when.
struct Script {
    early: Vec<u8>,
    answer: Box<Answer>,
}

/// A running upstream; it stops when dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

impl Upstream {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`Error::Listen`] if there is none.
    pub async fn start(answer: impl Fn(&Seen) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Result<Self> {
        Self::start_early(Vec::new(), answer).await
    }

    /// As [`Upstream::start`], but sends the bytes `early` as soon as a request's head is there, before its body.
    /// HTTP allows that (RFC 9110 section 15), and servers do it to refuse a request unread.
    ///
    /// # Errors
    /// As [`Upstream::start`].
    pub async fn start_early(
        early: Vec<u8>,
        answer: impl Fn(&Seen) -> Vec<Vec<u8>> + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let record = Arc::clone(&seen);
        let script = Arc::new(Script { early, answer: Box::new(answer) });
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&record), Arc::clone(&script)));
            }
        });
        Ok(Self { address, seen, task })
    }

    /// Answers every request with 200 and `body` as JSON.
    ///
    /// # Errors
    /// As [`Upstream::start`].
    pub async fn json(body: &str) -> Result<Self> {
        let response = json_response(body);
        Self::start(move |_| vec![response.clone()]).await
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request that reached it so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A 200 response with a JSON body.
#[must_use]
pub fn json_response(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// Serves one connection until either side ends it.
async fn serve(mut stream: TcpStream, record: Arc<Mutex<Vec<Seen>>>, script: Arc<Script>) {
    let mut unread = Vec::new();
    loop {
        let Some(head) = read_head(&mut stream, &mut unread).await else {
            return;
        };
        let place = {
            let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
            record.push(Seen { head, body: Vec::new() });
            record.len() - 1
        };
        if !script.early.is_empty() && stream.write_all(&script.early).await.is_err() {
            return;
        }
        // Recorded piece by piece: a request that is cut off still shows what came of it.
        let whole = loop {
            let seen = {
                let mut record = record.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(seen) = record.get_mut(place) else {
                    return;
                };
                seen.body.append(&mut unread);
                seen.clone()
            };
            if seen.is_whole() {
                break seen;
            }
            if !matches!(stream.read_buf(&mut unread).await, Ok(1..)) {
                return;
            }
        };
        for piece in (script.answer)(&whole) {
            if stream.write_all(&piece).await.is_err() || stream.flush().await.is_err() {
                return;
            }
        }
    }
}

/// Reads up to and with the empty line; what came after it stays in `unread`.
async fn read_head(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = unread.split_off(end + 4);
            let head = std::mem::replace(unread, rest);
            return Some(String::from_utf8_lossy(&head).into_owned());
        }
        if !matches!(stream.read_buf(unread).await, Ok(1..)) {
            return None;
        }
    }
}
