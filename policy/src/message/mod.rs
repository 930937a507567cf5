//! One MCP message, read strictly from the bytes of a body.
//!
//! What a message says is decided here once. The rules follow from what real servers do with sloppy bodies: nothing
//! is accepted that two of them read differently. The body is read in one pass; what is judged later (the target's
//! name, the arguments) is borrowed from it. A body of revision 2025-03-26 may hold a batch of messages, which
//! [`read_body`] takes as well.
//!
//! ```
//! use policy::message::{Message, read};
//!
//! let body = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_run","arguments":{}}}"#;
//! let Ok(Message::Request { method, params, .. }) = read(body, 64) else { panic!("not a request") };
//! assert_eq!((&*method, params.name.as_deref()), ("tools/call", Some("get_run")));
//! ```

mod batch;
mod copies;
mod error;
mod id;
mod mirrored;
mod params;

use std::borrow::Cow;

pub use batch::{Batches, Body, MAX_BATCH, read_body};
pub use copies::{HEADER_MISMATCH, HeaderCopies, HeaderMismatch};
pub use error::{ReadError, ReadProblem};
pub use id::Id;
pub use params::{Arguments, Params, Reference, STATELESS};

use crate::json::{Key, Reader, Text, Value, lookalike};

/// One JSON-RPC message of MCP.
#[derive(Debug)]
pub enum Message<'a> {
    /// A request, which wants an answer.
    Request {
        /// To be echoed in the answer.
        id: Id,
        /// What is asked for.
        method: Cow<'a, str>,
        /// With what.
        params: Params<'a>,
    },
    /// A notification, which gets no answer.
    Notification {
        /// What is told.
        method: Cow<'a, str>,
        /// With what.
        params: Params<'a>,
    },
    /// An answer to a request of the other side.
    Response,
}

impl<'a> Message<'a> {
    /// The id of a request.
    pub fn id(&self) -> Option<&Id> {
        match self {
            Self::Request { id, .. } => Some(id),
            Self::Notification { .. } | Self::Response => None,
        }
    }

    /// What a request or notification is about.
    pub fn method(&self) -> Option<&str> {
        match self {
            Self::Request { method, .. } | Self::Notification { method, .. } => Some(method),
            Self::Response => None,
        }
    }

    /// What a request or notification says beside its method.
    pub fn params(&self) -> Option<&Params<'a>> {
        match self {
            Self::Request { params, .. } | Self::Notification { params, .. } => Some(params),
            Self::Response => None,
        }
    }
}

/// Reads a body that must hold exactly one message, nested at most `max_depth` levels.
///
/// # Errors
/// If the body is not one JSON-RPC 2.0 message that every server reads alike. The error says what is wrong and at
/// which byte.
pub fn read(body: &[u8], max_depth: usize) -> Result<Message<'_>, ReadError> {
    let mut reader = Reader::new(body, max_depth)?;
    if reader.peek() == Some(b'[') {
        return Err(ReadError { offset: reader.offset(), problem: ReadProblem::Batch });
    }
    only(reader)
}

/// Reads the message that is all that is left.
fn only(mut reader: Reader<'_>) -> Result<Message<'_>, ReadError> {
    let message = message(&mut reader)?;
    reader.end()?;
    Ok(message)
}

/// Reads the message that stands next.
fn message<'a>(reader: &mut Reader<'a>) -> Result<Message<'a>, ReadError> {
    if reader.peek() == Some(b'{') {
        return Envelope::read(reader);
    }
    // Says what is wrong with the text if it is not even JSON.
    let offset = reader.offset();
    reader.value()?;
    Err(ReadError { offset, problem: ReadProblem::NotAnObject })
}

const ENVELOPE_KEYS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// The members of a message as they are met.
#[derive(Default)]
struct Envelope<'a> {
    version: bool,
    id: Option<Value<'a>>,
    method: Option<Text<'a>>,
    params: Params<'a>,
    result: bool,
    error: bool,
}

impl<'a> Envelope<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Message<'a>, ReadError> {
        let offset = reader.offset();
        let mut envelope = Self::default();
        reader.object(|reader, key| envelope.member(reader, key))?;
        envelope.classify().map_err(|problem| ReadError { offset, problem })
    }

    fn member(&mut self, reader: &mut Reader<'a>, key: &Key<'a>) -> Result<(), ReadError> {
        match key.as_bytes() {
            b"jsonrpc" => {
                let value = reader.value()?;
                self.version = matches!(value, Value::String(text) if text == *"2.0");
            }
            b"id" => self.id = Some(reader.value()?),
            b"method" => self.method = Some(string(reader, key, "method")?),
            b"params" => self.params = Params::read(reader, key)?,
            b"result" => {
                self.result = true;
                reader.skip()?;
            }
            b"error" => {
                self.error = true;
                reader.skip()?;
            }
            _ => {
                refuse_lookalike(key, &ENVELOPE_KEYS)?;
                reader.skip()?;
            }
        }
        Ok(())
    }

    fn classify(self) -> Result<Message<'a>, ReadProblem> {
        if !self.version {
            return Err(ReadProblem::Version);
        }
        if usize::from(self.method.is_some()).saturating_add(self.result.into()).saturating_add(self.error.into()) > 1 {
            return Err(ReadProblem::MixedMessage);
        }
        let Some(method) = self.method else {
            return match (self.result || self.error, &self.id) {
                (false, _) => Err(ReadProblem::NoMethod),
                // An error whose request could not be read has no id (JSON-RPC 2.0 section 5).
                (true, None | Some(Value::Null)) if self.error => Ok(Message::Response),
                (true, Some(id)) if Id::from_value(id).is_some() => Ok(Message::Response),
                (true, _) => Err(ReadProblem::BadId),
            };
        };
        let method = method.decode();
        let params = self.params.checked(&method)?;
        match self.id {
            // Without an id the caller would not learn that it was refused, or what came of it.
            None if is_judged(&method) => Err(ReadProblem::Missing("id")),
            None => Ok(Message::Notification { method, params }),
            Some(id) => {
                let id = Id::from_value(&id).ok_or(ReadProblem::BadId)?;
                Ok(Message::Request { id, method, params })
            }
        }
    }
}

/// Whether rules for tools, prompts or resources judge the method: it must then be a request.
fn is_judged(method: &str) -> bool {
    matches!(
        method,
        "tools/call"
            | "prompts/get"
            | "resources/read"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "completion/complete"
            | "subscriptions/listen"
    )
}

/// Reads a value that must be a string.
fn string<'a>(reader: &mut Reader<'a>, key: &Key<'a>, member: &'static str) -> Result<Text<'a>, ReadError> {
    match reader.value()? {
        Value::String(text) => Ok(text),
        _ => Err(wrong_type(key, member, "a string")),
    }
}

fn wrong_type(key: &Key<'_>, member: &'static str, expected: &'static str) -> ReadError {
    ReadError { offset: key.offset(), problem: ReadProblem::WrongType { member, expected } }
}

fn refuse_lookalike(key: &Key<'_>, known: &[&'static str]) -> Result<(), ReadError> {
    match known.iter().find(|name| lookalike(key.as_bytes(), name)) {
        Some(name) => Err(ReadError { offset: key.offset(), problem: ReadProblem::LookalikeKey(name) }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
