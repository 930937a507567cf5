//! What a recorded path leads to, as a condition would see it.

use std::borrow::Cow;

use super::record::MAX_VALUE;
use crate::decision::{Facts, Header, LookalikeArgument, look};
use crate::document::path::{Path, Root, Step};
use crate::json::{Value, write_string};
use crate::message::Arguments;

/// One end of a path.
#[derive(Debug, Clone)]
pub enum Leaf<'a> {
    /// A value of arguments or claims, as it is written.
    Value(Value<'a>),
    /// A header's.
    Text(Cow<'a, str>),
    /// Nothing is there.
    Absent,
    /// The way is blocked: by something that has no inside, or by a header or claim that is not clear.
    Unclear,
}

/// Why a recorded path has no value in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Nothing was there.
    Absent,
    /// What was there was not clear.
    Unclear,
    /// Another key could be mistaken for one of the path.
    Lookalike,
    /// It was too long to be recorded.
    TooLong,
}

impl Mark {
    /// Every mark, with the word that stands for it.
    pub const WORDS: [(Self, &'static str); 4] = [
        (Self::Absent, "absent"),
        (Self::Unclear, "unclear"),
        (Self::Lookalike, "lookalike"),
        (Self::TooLong, "too_long"),
    ];

    /// The word.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(mark, _)| *mark == self).map_or("", |(_, word)| word)
    }
}

/// What is recorded of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A value, as JSON; for a path with `[*]`, the array of its values. Those that are none are `null` there, and marked
    /// by their index.
    Value(Vec<u8>, Vec<(usize, Mark)>),
    /// There is no value.
    None(Mark),
}

impl Found {
    /// Follows a path.
    pub fn at(path: &Path, arguments: &Arguments<'_>, facts: &dyn Facts) -> Self {
        let leaves = match leaves(path, arguments, facts) {
            Ok(leaves) => leaves,
            Err(LookalikeArgument) => return Self::None(Mark::Lookalike),
        };
        let mut out = Vec::new();
        match leaves.as_slice() {
            [Leaf::Absent] => return Self::None(Mark::Absent),
            [Leaf::Unclear] => return Self::None(Mark::Unclear),
            [leaf] if !path.steps.contains(&Step::Every) => {
                return match write(leaf, &mut out) {
                    Some(()) => Self::Value(out, vec![]),
                    None => Self::None(Mark::TooLong),
                };
            }
            _ => {}
        }
        let mut marks = vec![];
        out.push(b'[');
        for (index, leaf) in leaves.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            let mark = match leaf {
                Leaf::Absent => Mark::Absent,
                Leaf::Unclear => Mark::Unclear,
                leaf if write(leaf, &mut out).is_some() => continue,
                _ => return Self::None(Mark::TooLong),
            };
            out.extend_from_slice(b"null");
            marks.push((index, mark));
            if out.len() > MAX_VALUE {
                return Self::None(Mark::TooLong);
            }
        }
        out.push(b']');
        if out.len() > MAX_VALUE { Self::None(Mark::TooLong) } else { Self::Value(out, marks) }
    }
}

fn leaves<'a>(
    path: &Path,
    arguments: &Arguments<'a>,
    facts: &'a dyn Facts,
) -> Result<Vec<Leaf<'a>>, LookalikeArgument> {
    match &path.root {
        Root::Arguments => look::arguments(arguments, &path.steps),
        Root::Claims => look::claims(facts, &path.steps),
        Root::Header(name) => Ok(vec![match facts.header(name) {
            Header::Absent => Leaf::Absent,
            Header::Once(value) => Leaf::Text(value),
            Header::Unclear => Leaf::Unclear,
        }]),
        // The loader lets no such path through.
        Root::Grant | Root::Hour | Root::Weekday => Ok(vec![Leaf::Unclear]),
    }
}

/// Appends a value as JSON on one line. None if it is too long: then some of it may have been appended.
fn write(leaf: &Leaf<'_>, out: &mut Vec<u8>) -> Option<()> {
    let text = |out: &mut Vec<u8>, bytes: &[u8]| {
        // Whoever sends megabytes must not have them copied.
        (bytes.len() <= MAX_VALUE).then(|| out.extend_from_slice(bytes))
    };
    match leaf {
        Leaf::Value(Value::Null) => text(out, b"null")?,
        Leaf::Value(Value::Bool(true)) => text(out, b"true")?,
        Leaf::Value(Value::Bool(false)) => text(out, b"false")?,
        Leaf::Value(Value::Number(number)) => text(out, number.as_str().as_bytes())?,
        Leaf::Value(Value::String(string)) => {
            out.push(b'"');
            text(out, string.raw())?;
            out.push(b'"');
        }
        Leaf::Value(Value::Array(raw) | Value::Object(raw)) => on_one_line(raw.bytes(), out)?,
        Leaf::Text(string) if string.len() <= MAX_VALUE => write_string(out, string),
        Leaf::Text(_) => return None,
        Leaf::Absent | Leaf::Unclear => {}
    }
    (out.len() <= MAX_VALUE).then_some(())
}

/// Appends JSON without the white space between its parts.
fn on_one_line(json: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (mut in_string, mut escaped) = (false, false);
    for byte in json {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = *byte == b'"';
        }
        out.push(*byte);
        if out.len() > MAX_VALUE {
            return None;
        }
    }
    Some(())
}
