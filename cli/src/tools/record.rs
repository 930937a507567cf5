//! What a server says, word for word. rmcp reads messages into types of its own, which drop the members that they do not
//! know and forget how numbers were written; the digest of a tool's definition covers both.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use rmcp::model::RequestId;
use serde::{Deserialize, de::IgnoredAny};
use tokio::io::{AsyncRead, ReadBuf};

/// The longest message that is kept, in bytes.
pub(super) const MAX_MESSAGE: usize = 16 << 20;

/// The messages of a server since the last question. Clones write the same record.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(Arc<Mutex<Vec<Vec<u8>>>>);

impl Record {
    /// Keeps a message as it has come.
    pub(super) fn keep(&self, message: &[u8]) {
        let mut kept = self.kept();
        let held: usize = kept.iter().map(Vec::len).sum();
        // What is not kept is missed later, and told then.
        if held.saturating_add(message.len()) <= MAX_MESSAGE {
            kept.push(message.to_vec());
        }
    }

    /// Begins anew, before a question.
    pub(super) fn forget(&self) {
        self.kept().clear();
    }

    /// The answer to a question. None if there is none, or more than one.
    pub(super) fn answer(&self, question: &RequestId) -> Option<Vec<u8>> {
        #[derive(Deserialize)]
        struct Response {
            id: RequestId,
            #[serde(rename = "result")]
            _result: IgnoredAny,
        }
        let answers = |message: &Vec<u8>| {
            serde_json::from_slice::<Response>(message).is_ok_and(|response| response.id == *question)
        };
        let mut kept = self.kept();
        let mut answers = kept.extract_if(.., |message| answers(message));
        let answer = answers.next();
        if answers.next().is_some() { None } else { answer }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream of messages, a line each, that are kept as they go by.
#[derive(Debug)]
pub(super) struct Heard<R> {
    stream: R,
    record: Record,
    /// What has come, and is no whole line yet.
    rest: Vec<u8>,
}

impl<R> Heard<R> {
    pub(super) fn new(stream: R, record: &Record) -> Self {
        Self { stream, record: record.clone(), rest: Vec::new() }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Heard<R> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let heard = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut heard.stream).poll_read(context, buffer))?;
        for part in buffer.filled().get(before..).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            if heard.rest.len().saturating_add(part.len()) > MAX_MESSAGE {
                return Poll::Ready(Err(io::Error::other("a message of the server is larger than 16 MiB")));
            }
            heard.rest.extend_from_slice(part);
            if part.ends_with(b"\n") {
                heard.record.keep(heard.rest.trim_ascii());
                heard.rest.clear();
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_only_one_with_its_id() {
        let record = Record::default();
        let question = RequestId::Number(7);
        record.keep(br#"{"id":7,"method":"ping"}"#);
        record.keep(br#"{"id":8,"result":{}}"#);
        assert_eq!(record.answer(&question), None);
        let answer = br#"{"id":7,"result":{"tools":[],"max":1.0e0}}"#;
        record.keep(answer);
        assert_eq!(record.answer(&question).as_deref(), Some(&answer[..]));
        for _ in 0..2 {
            record.keep(answer);
        }
        assert_eq!(record.answer(&question), None);
        record.keep(answer);
        record.forget();
        assert_eq!(record.answer(&question), None);
    }
}
