//! HTTP/1.1 to the byte (RFC 9112): what libraries would tidy up must stay as it is.

use host_test::scenario::{Headers, Message};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// A message as it came, perhaps not to its end.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    /// The request line, or the status line.
    pub(crate) start: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Headers,
    pub(crate) whole: bool,
}

impl Raw {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Where a message without a length ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsaid {
    /// With its headers: requests, and answers to HEAD, which have no body whatever their headers say.
    NoBody,
    /// With the connection.
    UntilClosed,
}

/// Reads messages from one side of a connection.
#[derive(Debug)]
pub(crate) struct Reader<S> {
    stream: S,
    unread: Vec<u8>,
}

impl<S: AsyncRead + Unpin> Reader<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, unread: Vec::new() }
    }

    /// The start line and headers; none if the connection ends before.
    pub(crate) async fn head(&mut self) -> Option<Raw> {
        let start = self.line().await?;
        let headers = self.headers().await?;
        Some(Raw { start, headers, ..Raw::default() })
    }

    /// Adds the body, as far as it comes, and shows what has come of it after each chunk.
    pub(crate) async fn body(&mut self, raw: &mut Raw, unsaid: Unsaid, show: impl Fn(&[u8])) {
        raw.whole = if raw.header("transfer-encoding").is_some() {
            self.chunks(raw, show).await.is_some()
        } else if let Some(length) = raw.header("content-length").and_then(|length| length.parse().ok()) {
            self.exactly(length, &mut raw.body).await.is_some()
        } else if unsaid == Unsaid::UntilClosed {
            while self.more().await.is_some() {}
            raw.body.append(&mut self.unread);
            true
        } else {
            true
        };
    }

    async fn chunks(&mut self, raw: &mut Raw, show: impl Fn(&[u8])) -> Option<()> {
        loop {
            let line = self.line().await?;
            let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
            if size == 0 {
                raw.trailers = self.headers().await?;
                return Some(());
            }
            self.exactly(size, &mut raw.body).await?;
            show(&raw.body);
            self.line().await?;
        }
    }

    async fn headers(&mut self) -> Option<Headers> {
        let mut headers = Headers::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Some(headers);
            }
            let (name, value) = line.split_once(':')?;
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let line = String::from_utf8_lossy(&self.unread[..end]).into_owned();
                self.unread.drain(..end + 2);
                return Some(line);
            }
            self.more().await?;
        }
    }

    /// Moves so many bytes, or those that come.
    async fn exactly(&mut self, size: usize, to: &mut Vec<u8>) -> Option<()> {
        let mut missing = size;
        loop {
            let here = missing.min(self.unread.len());
            to.extend(self.unread.drain(..here));
            missing -= here;
            if missing == 0 {
                return Some(());
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Option<()> {
        matches!(self.stream.read_buf(&mut self.unread).await, Ok(1..)).then_some(())
    }
}

/// Writes a message, each piece by itself, and waits for `before_last` before the last.
pub(crate) async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    start: &str,
    message: &Message,
    before_last: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let mut head = format!("{start}\r\n");
    for (name, value) in &message.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if message.is_chunked() {
        head += "transfer-encoding: chunked\r\n";
    } else if let Some(body) = message.pieces.first() {
        head += &format!("content-length: {}\r\n", body.len());
    } else if start.starts_with("HTTP/") {
        head += "content-length: 0\r\n";
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    let (mut before_last, mut left) = (Some(before_last), message.pieces.len());
    for piece in &message.pieces {
        left -= 1;
        if left == 0
            && let Some(before_last) = before_last.take()
        {
            before_last.await;
        }
        if !message.is_chunked() {
            stream.write_all(piece).await?;
        } else if !piece.is_empty() {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
            stream.write_all(piece).await?;
            stream.write_all(b"\r\n").await?;
        }
        stream.flush().await?;
        // Envoy gets a chance to see the piece by itself.
        tokio::task::yield_now().await;
    }
    if message.is_chunked() {
        let trailers: String = message.trailers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        stream.write_all(format!("0\r\n{trailers}\r\n").as_bytes()).await?;
    }
    stream.flush().await
}
