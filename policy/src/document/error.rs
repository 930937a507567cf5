//! What is wrong with a document, and where.

use core::fmt;

use super::cidr::CidrError;
use super::glob::GlobError;
use super::path::PathError;
use crate::json::Problem;
use crate::sort::sort_by;
use crate::uri::UriError;

/// Everything that is wrong with a document, in the order of the text. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors(Vec<Error>);

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pointer: String,
    line: usize,
    column: usize,
    offset: usize,
    kind: ErrorKind,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not strict JSON.
    Syntax(Problem),
    /// The text is larger than so many bytes.
    TooLarge(usize),
    /// There is no text, or neither a policy nor a configuration in it.
    NothingConfigured,
    /// A value of another JSON type.
    WrongType {
        /// What is wanted, with its article.
        wanted: &'static str,
        /// What is there, with its article.
        found: &'static str,
    },
    /// An object has a member that is none of its fields.
    UnknownField {
        /// The member's name.
        field: Box<str>,
        /// The field that it may have been meant to be.
        nearest: Option<Box<str>>,
        /// The fields that there are.
        known: &'static [&'static str],
    },
    /// An object lacks a field.
    MissingField(&'static str),
    /// A string that is none of the words that can stand there.
    UnknownWord {
        /// The string.
        word: Box<str>,
        /// The word that it may have been meant to be.
        nearest: Option<Box<str>>,
        /// The words that there are.
        known: Box<[Box<str>]>,
    },
    /// A number outside what can stand there.
    OutOfRange {
        /// The least value, in the field's own unit.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// A number that changes in a double: a control plane or a server would see another one.
    Inexact,
    /// The document says the same thing twice.
    Repeated(Box<str>),
    /// A path that cannot be read.
    Path(PathError),
    /// A name or glob that cannot be read.
    Glob(GlobError),
    /// An address range that cannot be read.
    Cidr(CidrError),
    /// A URI that cannot be compared.
    Uri(UriError),
    /// A regular expression that is refused, with the engine's words.
    Regex(Box<str>),
    /// Two globs that match some name and have as many literal characters: neither wins.
    Tie(Box<str>),
    /// Limits on one counter that do not agree.
    CounterMismatch {
        /// The counter.
        counter: Box<str>,
        /// What they must agree on.
        aspect: &'static str,
        /// The limit that stands before.
        other: Box<str>,
    },
    /// Anything that has a meaning of its own, but not there: what the matter is.
    Misplaced(&'static str),
}

impl Errors {
    /// Orders what was found by its place.
    pub(crate) fn new(text: &[u8], mut found: Vec<(usize, String, ErrorKind)>) -> Self {
        if found.is_empty() {
            // INVARIANT: a reader that gives nothing has said why. Should one forget to, the document is refused all the same.
            found.push((0, String::new(), ErrorKind::NothingConfigured));
        }
        let found = sort_by(found, |(one, ..), (other, ..)| one.cmp(other));
        Self(found.into_iter().map(|(offset, pointer, kind)| Error::new(text, offset, pointer, kind)).collect())
    }

    /// Each error, in the order of the text. At least one.
    pub fn iter(&self) -> core::slice::Iter<'_, Error> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Errors {
    type Item = &'a Error;
    type IntoIter = core::slice::Iter<'a, Error>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Error {
    fn new(text: &[u8], offset: usize, pointer: String, kind: ErrorKind) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.split(|byte| *byte == b'\n').count();
        let last = before.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        // Bytes that continue a character do not count.
        let column = last.iter().filter(|byte| **byte & 0xC0 != 0x80).count().saturating_add(1);
        Self { pointer, line, column, offset, kind }
    }

    /// JSON Pointer (RFC 6901) of the value that is wrong, or of the object that lacks a field.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The line of the text, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The character of the line, counted from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// Bytes from the start of the text.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// What is wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "(document)" } else { &self.pointer };
        write!(f, "{}: {} (line {}, column {})", Shortened(pointer, 200), self.kind, self.line, self.column)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(problem) => problem.fmt(f),
            Self::TooLarge(bytes) => write!(f, "the document is larger than {bytes} bytes"),
            Self::NothingConfigured => f.write_str(
                "nothing is configured: expected a policy, which has `version`, or a configuration, which has `policies` \
                 and `routes`",
            ),
            Self::WrongType { wanted, found } => write!(f, "expected {wanted}, found {found}"),
            Self::UnknownField { field, nearest: Some(nearest), .. } => {
                write!(f, "unknown field {}, did you mean `{nearest}`?", Quoted(field))
            }
            Self::UnknownField { field, nearest: None, known } => {
                write!(f, "unknown field {}, expected {}", Quoted(field), Choice(known))
            }
            Self::MissingField(field) => write!(f, "missing field `{field}`"),
            Self::UnknownWord { word, nearest: Some(nearest), .. } => {
                write!(f, "unknown word {}, did you mean `{nearest}`?", Quoted(word))
            }
            Self::UnknownWord { word, nearest: None, known } if known.is_empty() => {
                write!(f, "unknown word {}, there are none to choose from", Quoted(word))
            }
            Self::UnknownWord { word, nearest: None, known } => {
                write!(f, "unknown word {}, expected {}", Quoted(word), Choice(known))
            }
            Self::OutOfRange { least, most } => write!(f, "expected a whole number from {least} to {most}"),
            Self::Inexact => f.write_str("this number does not fit a double, so others would read another one"),
            Self::Repeated(what) => write!(f, "{} stands here twice", Quoted(what)),
            Self::Path(error) => error.fmt(f),
            Self::Glob(error) => error.fmt(f),
            Self::Cidr(error) => error.fmt(f),
            Self::Uri(error) => error.fmt(f),
            Self::Regex(message) => write!(f, "the expression cannot be used: {}", Shortened(message, 200)),
            Self::Tie(other) => write!(
                f,
                "some names match both this and {}, which has as many literal characters, so neither wins",
                Quoted(other)
            ),
            Self::CounterMismatch { counter, aspect, other } => {
                write!(f, "limits on the counter {} must have the same {aspect}, see {}", Quoted(counter), Quoted(other))
            }
            Self::Misplaced(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}
impl std::error::Error for Errors {}

/// Text of a document in backticks, without line breaks and not all too long.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", Shortened(self.0, 80))
    }
}

/// At most so many characters of a text, control characters escaped.
struct Shortened<'a>(&'a str, usize);

impl fmt::Display for Shortened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(self.1) {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?
            } else {
                write!(f, "{character}")?
            }
        }
        if characters.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// `a`, `b` or `c`
struct Choice<'a, S>(&'a [S]);

impl<S: AsRef<str>> fmt::Display for Choice<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.0.len().saturating_sub(1);
        for (index, word) in self.0.iter().enumerate() {
            let comma = if index == 0 {
                ""
            } else if index == last {
                " or "
            } else {
                ", "
            };
            write!(f, "{comma}`{}`", word.as_ref())?;
        }
        Ok(())
    }
}
