use core::fmt;

use crate::json::{Problem, SyntaxError};

/// Why a message cannot be passed on, and where.
///
/// Never holds a byte of the message, so it can be logged and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    /// Bytes from the start of the message to the place of the problem. In an event stream, the message is the event's
    /// data, its lines joined; 0 where the problem is not in the data.
    pub offset: usize,
    /// What is wrong there.
    pub reason: Reason,
}

/// What can be wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// Not strict JSON.
    Syntax(Problem),
    /// A key that some client takes for the known one named here.
    LookalikeKey(&'static str),
    /// A batch inside a batch.
    NestedBatch,
    /// The member of `result` named here holds something other than an array.
    NotAnArray(&'static str),
    /// An entry of the listing named here, or of `inputRequests`, is not an object.
    NotAnObject(&'static str),
    /// An entry lacks the member named here, by which rules know it.
    Missing(&'static str),
    /// The member named here, by which rules go, is not a string.
    NotAString(&'static str),
    /// The message is a request or notification of a denied method, or a batch of nothing else. Nobody waits for it.
    DeniedRequest,
    /// The message is a response that asks the client for a denied method. A request still waits for its answer.
    DeniedInput,
    /// An event is longer than this many bytes.
    EventTooLarge(usize),
    /// A line of an event that is not data may hold a listing or a denied method for clients that split lines elsewhere.
    StrayListing,
    /// An `endpoint` event sends the client to where the policy does not apply.
    EndpointElsewhere,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(problem) => problem.fmt(f),
            Self::LookalikeKey(name) => write!(f, "key that can be taken for `{name}`"),
            Self::NestedBatch => f.write_str("batch inside a batch"),
            Self::NotAnArray(member) => write!(f, "`{member}` is not an array"),
            Self::NotAnObject(member) => write!(f, "entry of `{member}` is not an object"),
            Self::Missing(member) => write!(f, "entry without `{member}`"),
            Self::NotAString(member) => write!(f, "`{member}` is not a string"),
            Self::DeniedRequest => f.write_str("request or notification of a denied method"),
            Self::DeniedInput => f.write_str("response that asks for a denied method"),
            Self::EventTooLarge(max) => write!(f, "event of more than {max} bytes"),
            Self::StrayListing => f.write_str("possible message outside of the event's data"),
            Self::EndpointElsewhere => f.write_str("endpoint outside of the policy"),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::EventTooLarge(_) | Reason::StrayListing | Reason::EndpointElsewhere => self.reason.fmt(f),
            _ => write!(f, "{} at byte {}", self.reason, self.offset),
        }
    }
}

impl std::error::Error for Unreadable {}

impl From<SyntaxError> for Unreadable {
    fn from(error: SyntaxError) -> Self {
        Self { offset: error.offset, reason: Reason::Syntax(error.problem) }
    }
}
