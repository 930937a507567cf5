use core::fmt;

use crate::json::SyntaxError;

/// Why a body is not one message that every server reads alike.
///
/// Names what and where, and never holds a value of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Bytes from the start of the body to the place of the problem.
    pub offset: usize,
    /// What is wrong there.
    pub problem: ReadProblem,
}

/// What can be wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadProblem {
    /// The body is not strict JSON.
    Syntax(crate::json::Problem),
    /// The body is a JSON-RPC batch, where none is taken.
    Batch,
    /// The batch holds no message, or more than [`MAX_BATCH`](super::MAX_BATCH).
    BatchSize,
    /// A message of a batch is of a revision that has no batches.
    BatchRevision,
    /// Two requests of a batch have the same id: their answers could not be told apart.
    RepeatedId,
    /// The body is neither object nor array.
    NotAnObject,
    /// A key that some server takes for the known one named here.
    LookalikeKey(&'static str),
    /// `jsonrpc` is absent or not `"2.0"`.
    Version,
    /// A member named here has the wrong JSON type.
    WrongType {
        /// The member, as a path from the message.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The request's id is neither a string of bounded length nor an integer that a double holds exactly.
    BadId,
    /// `method` stands beside `result` or `error`, or `result` beside `error`.
    MixedMessage,
    /// None of `method`, `result` and `error` is there.
    NoMethod,
    /// A request's member, named here, is absent.
    Missing(&'static str),
}

impl ReadProblem {
    /// The JSON-RPC error code of the reply: parse error, invalid params or invalid request (JSON-RPC 2.0 section 5.1).
    pub fn code(self) -> i32 {
        match self {
            Self::Syntax(_) => -32700,
            _ => -32600,
        }
    }
}

impl From<SyntaxError> for ReadError {
    fn from(error: SyntaxError) -> Self {
        Self { offset: error.offset, problem: ReadProblem::Syntax(error.problem) }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            ReadProblem::Syntax(problem) => write!(f, "{problem}")?,
            ReadProblem::Batch => f.write_str("JSON-RPC batches are not accepted")?,
            ReadProblem::BatchSize => write!(f, "a batch must hold 1 to {} messages", super::MAX_BATCH)?,
            ReadProblem::BatchRevision => f.write_str("a message of a revision that has no batches")?,
            ReadProblem::RepeatedId => f.write_str("an id that another request of the batch has")?,
            ReadProblem::NotAnObject => f.write_str("a JSON-RPC message must be an object")?,
            ReadProblem::LookalikeKey(name) => write!(f, "a key that may be read as `{name}`")?,
            ReadProblem::Version => f.write_str("`jsonrpc` must be \"2.0\"")?,
            ReadProblem::WrongType { member, expected } => write!(f, "`{member}` must be {expected}")?,
            ReadProblem::BadId => {
                f.write_str("`id` must be a string of at most 1024 bytes or an integer within 2^53")?
            }
            ReadProblem::MixedMessage => f.write_str("only one of `method`, `result` and `error` may be present")?,
            ReadProblem::NoMethod => f.write_str("neither `method`, `result` nor `error` is present")?,
            ReadProblem::Missing(member) => write!(f, "`{member}` is missing")?,
        }
        write!(f, " at byte {}", self.offset)
    }
}

impl std::error::Error for ReadError {}
