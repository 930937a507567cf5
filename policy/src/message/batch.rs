use super::{Message, ReadError, ReadProblem, message, only};
use crate::json::Reader;

/// The most messages that a batch may hold.
pub const MAX_BATCH: usize = 50;

/// What a body holds.
#[derive(Debug)]
pub enum Body<'a> {
    /// One message.
    One(Message<'a>),
    /// A JSON-RPC batch of 1 to [`MAX_BATCH`] messages, whose requests have distinct ids.
    Batch(Vec<Message<'a>>),
}

/// Whether batches are read. Only revision 2025-03-26 has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batches {
    /// They are.
    Read,
    /// A body that is an array is refused.
    Refuse,
}

impl<'a> Body<'a> {
    /// The messages, in their order.
    pub fn messages(&self) -> &[Message<'a>] {
        match self {
            Self::One(message) => core::slice::from_ref(message),
            Self::Batch(messages) => messages,
        }
    }
}

/// Reads a body that must hold exactly one message or, if they are read, one batch. Nested at most `max_depth` levels,
/// a batch being one of them.
///
/// # Errors
/// Those of [`read`](super::read), for a batch as soon as one of its messages has them: servers run what they understand
/// of a batch. And if the batch is empty or too large, repeats an id, or holds a message of a later revision.
pub fn read_body(body: &[u8], max_depth: usize, batches: Batches) -> Result<Body<'_>, ReadError> {
    let mut reader = Reader::new(body, max_depth)?;
    if reader.peek() != Some(b'[') {
        return only(reader).map(Body::One);
    }
    let start = reader.offset();
    if batches == Batches::Refuse {
        return Err(ReadError { offset: start, problem: ReadProblem::Batch });
    }
    let mut messages: Vec<Message<'_>> = Vec::new();
    reader.array(|reader| {
        // Passes the white space in front.
        reader.peek();
        let offset = reader.offset();
        let fail = |problem| Err(ReadError { offset, problem });
        if messages.len() >= MAX_BATCH {
            return fail(ReadProblem::BatchSize);
        }
        let message = message(reader)?;
        if message.params().is_some_and(|params| params.protocol_version.is_some()) {
            return fail(ReadProblem::BatchRevision);
        }
        if let Some(id) = message.id()
            && messages.iter().filter_map(Message::id).any(|other| id.equals(other))
        {
            return fail(ReadProblem::RepeatedId);
        }
        messages.push(message);
        Ok(())
    })?;
    reader.end()?;
    if messages.is_empty() {
        return Err(ReadError { offset: start, problem: ReadProblem::BatchSize });
    }
    Ok(Body::Batch(messages))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(body: &str) -> Result<Vec<Message<'_>>, ReadProblem> {
        match read_body(body.as_bytes(), 64, Batches::Read) {
            Ok(Body::Batch(messages)) => Ok(messages),
            Ok(Body::One(message)) => panic!("{message:?}"),
            Err(error) => Err(error.problem),
        }
    }

    fn ping(id: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)
    }

    #[test]
    fn a_batch_holds_requests_notifications_and_responses_in_their_order() {
        let body = format!(
            " [{}, {}\n,{}] ",
            ping("1"),
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#
        );
        let messages = batch(&body).unwrap();
        assert!(matches!(
            messages.as_slice(),
            [Message::Request { .. }, Message::Notification { .. }, Message::Response]
        ));
    }

    #[test]
    fn a_body_with_one_message_is_read_as_ever() {
        for batches in [Batches::Read, Batches::Refuse] {
            assert!(matches!(read_body(ping("1").as_bytes(), 64, batches), Ok(Body::One(Message::Request { .. }))));
        }
        let refused = read_body(b"[]", 64, Batches::Refuse).unwrap_err();
        assert_eq!(refused.problem, ReadProblem::Batch);
    }

    #[test]
    fn a_batch_that_servers_read_differently_is_refused() {
        let one = ping("1");
        for (body, problem) in [
            ("[]".to_owned(), ReadProblem::BatchSize),
            ("[[]]".to_owned(), ReadProblem::NotAnObject),
            (format!("[[{one}]]"), ReadProblem::NotAnObject),
            (format!("[{one},1]"), ReadProblem::NotAnObject),
            (format!("[{one},{one}]"), ReadProblem::RepeatedId),
            (format!("[{},{}]", ping(r#""a""#), ping(r#""\u0061""#)), ReadProblem::RepeatedId),
            (format!("[{},{}]", ping("0"), ping("-0")), ReadProblem::RepeatedId),
            (format!("[{one},{}]", r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#), ReadProblem::Missing("id")),
            (
                r#"[{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}]"#
                    .to_owned(),
                ReadProblem::BatchRevision,
            ),
        ] {
            assert_eq!(batch(&body).unwrap_err(), problem, "{body}");
        }
        for body in [format!("[{one}"), format!("[{one}] x"), format!("[{one},]"), format!("[{one} {one}]")] {
            assert!(matches!(batch(&body).unwrap_err(), ReadProblem::Syntax(_)), "{body}");
        }
    }

    #[test]
    fn ids_of_different_types_differ() {
        assert_eq!(batch(&format!("[{},{}]", ping("1"), ping(r#""1""#))).unwrap().len(), 2);
    }

    #[test]
    fn a_batch_has_an_end() {
        let body =
            |count: usize| format!("[{}]", (0..count).map(|id| ping(&id.to_string())).collect::<Vec<_>>().join(","));
        assert_eq!(batch(&body(MAX_BATCH)).unwrap().len(), MAX_BATCH);
        assert_eq!(batch(&body(MAX_BATCH + 1)).unwrap_err(), ReadProblem::BatchSize);
    }
}
