//! One connection: everything is written, and everything that comes back is read.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Longer than any server here takes to answer on a busy machine. A server that waits for more of a request, or answers
/// with an endless stream, ends with it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
}

impl Answer {
    /// The status of the first answer; none if there was none.
    pub(crate) fn status(&self) -> Option<u16> {
        let line = self.bytes.split(|byte| *byte == b'\r').next()?;
        std::str::from_utf8(line).ok()?.split(' ').nth(1)?.parse().ok()
    }

    /// A header of the first answer.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let (head, _) = split(&self.bytes)?;
        header(&head, name).map(str::to_owned)
    }

    /// How many answers came whole.
    fn whole(&self) -> usize {
        let mut rest = &*self.bytes;
        let mut whole = 0;
        while let Some((head, body)) = split(rest) {
            let interim = head.starts_with("HTTP/1.1 1");
            let chunked = header(&head, "transfer-encoding").is_some();
            let length = header(&head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let after = if chunked { after_chunks(body) } else { body.get(length..) };
            let Some(after) = after else { break };
            whole += usize::from(!interim);
            rest = after;
        }
        whole
    }
}

/// A head as text, and what follows it.
fn split(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(bytes.get(..end)?).into_owned(), bytes.get(end + 4..)?))
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    headers.filter(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}

/// What follows the last chunk of a body that has no trailers.
fn after_chunks(mut body: &[u8]) -> Option<&[u8]> {
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(body.get(..end)?).ok()?, 16).ok()?;
        body = body.get(end + 2 + size + 2..)?;
        if size == 0 {
            return Some(body);
        }
    }
}

/// Sends `bytes` and waits for so many answers, or for the end of the connection.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8], answers: usize) -> Answer {
    let mut answer = Answer::default();
    // A peer may refuse at any byte; what it had said until then is the answer.
    let talk = async {
        let mut stream = TcpStream::connect(address).await?;
        let written = stream.write_all(bytes).await;
        let mut buffer = [0; 4096];
        loop {
            match stream.read(&mut buffer).await? {
                0 => return written,
                count => answer.bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            }
            if answer.whole() >= answers {
                return written;
            }
        }
    };
    timeout(PATIENCE, talk).await.ok();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_when_they_are_whole() {
        let one = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let two =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
        let both = format!("{one}{two}");
        for (end, whole) in [(one.len() - 1, 0), (one.len(), 1), (both.len() - 1, 1), (both.len(), 2)] {
            assert_eq!(Answer { bytes: both.as_bytes()[..end].to_vec() }.whole(), whole);
        }
    }
}
