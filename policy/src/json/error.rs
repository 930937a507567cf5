use core::fmt;

/// Why a text is not the JSON that every server reads alike, and where.
///
/// Never holds a byte of the document, so it can be logged and sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntaxError {
    /// Bytes from the start of the text to the place of the problem.
    pub offset: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The text starts with a UTF-8 byte order mark (RFC 8259 section 8.1 forbids sending one).
    ByteOrderMark,
    /// A string holds bytes that are not UTF-8.
    InvalidUtf8,
    /// A byte that cannot stand there.
    UnexpectedByte,
    /// The text ends inside a value.
    UnexpectedEnd,
    /// An unescaped control character in a string.
    ControlCharacter,
    /// An escape that RFC 8259 section 7 does not have.
    BadEscape,
    /// A UTF-16 surrogate escape without its other half.
    LoneSurrogate,
    /// A number that RFC 8259 section 6 does not allow.
    BadNumber,
    /// A number larger than a double can hold.
    NumberOutOfRange,
    /// Two members of one object have the same name.
    DuplicateKey,
    /// Objects and arrays are nested deeper than allowed.
    TooDeep,
    /// Something follows the value.
    TrailingData,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByteOrderMark => "byte order mark",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::UnexpectedByte => "unexpected byte",
            Self::UnexpectedEnd => "unexpected end",
            Self::ControlCharacter => "unescaped control character in a string",
            Self::BadEscape => "invalid escape in a string",
            Self::LoneSurrogate => "lone surrogate in a string",
            Self::BadNumber => "invalid number",
            Self::NumberOutOfRange => "number out of the range of a double",
            Self::DuplicateKey => "duplicate key",
            Self::TooDeep => "nested too deep",
            Self::TrailingData => "data after the value",
        })
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.problem, self.offset)
    }
}

impl std::error::Error for SyntaxError {}
