//! A document as text: its lines, and what stands at an offset.

use std::ops::Range;

use crate::document::Source;

/// A text and where its lines begin.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    starts: Vec<usize>,
}

/// A place for people: both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Text {
    pub(crate) fn new(Source { name, text }: Source) -> Self {
        let breaks = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { name, bytes: text, starts }
    }

    /// The line and column of an offset. The same that an error of the loader says.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = self.bytes.get(start..offset.min(self.bytes.len())).unwrap_or_default();
        Position { line, column: before.iter().filter(|byte| !continues(**byte)).count() + 1 }
    }

    /// The line, without what ends it, in which an offset lies.
    pub(crate) fn line(&self, offset: usize) -> Range<usize> {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let end = self.starts.get(line).map_or(self.bytes.len(), |next| next - 1);
        let end = if self.bytes.get(start..end).is_some_and(|line| line.ends_with(b"\r")) { end - 1 } else { end };
        start..end.max(start)
    }

    /// What to mark at an offset: a string, number or word whole; an object or array if it is short and on one line, else its
    /// bracket.
    pub(crate) fn token(&self, offset: usize) -> Range<usize> {
        let rest = self.bytes.get(offset..).unwrap_or_default();
        let length = match rest.first() {
            None | Some(b'\n' | b'\r') => 0,
            Some(b'"') => string(rest),
            Some(b'{' | b'[') => bracketed(rest).unwrap_or(1),
            Some(byte) if byte.is_ascii_alphanumeric() || b"-+.".contains(byte) => rest
                .iter()
                .position(|byte| !byte.is_ascii_alphanumeric() && !b"-+._".contains(byte))
                .unwrap_or(rest.len()),
            Some(_) => 1 + rest.iter().skip(1).take_while(|byte| continues(**byte)).count(),
        };
        let start = offset.min(self.bytes.len());
        start..start + length
    }
}

/// Whether a byte of UTF-8 continues a character.
pub(crate) fn continues(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// How long the string is that a text begins with; to the end of the line where it does not end.
fn string(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'\n' | b'\r' => return at,
            b'"' if !escaped => return at + 1,
            _ => escaped = *byte == b'\\' && !escaped,
        }
    }
    text.len()
}

/// How long the object or array is that a text begins with, if it is on one line and short enough to be marked.
fn bracketed(text: &[u8]) -> Option<usize> {
    const SHORT: usize = 120;
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len().min(SHORT) {
        match text.get(at)? {
            b'"' => at += string(text.get(at..)?).max(1) - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 1 => return Some(at + 1),
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b'\n' | b'\r' => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8]) -> Text {
        Text::new(Source { name: "p.json".to_owned(), text: bytes.to_vec() })
    }

    #[test]
    fn strings_and_words_are_marked_whole() {
        let text = text("{\"a\\\"b\": -1.5e3,\r\n\"é\": tru\n\"open".as_bytes());
        for (offset, token) in [
            (0, 0..1),
            (1, 1..7),
            (9, 9..15),
            (16, 16..16),
            (18, 18..22),
            (24, 24..27),
            (28, 28..33),
            (33, 33..33),
            (99, 33..33),
        ] {
            assert_eq!(text.token(offset), token, "{offset}");
        }
        assert_eq!((text.line(9), text.line(24), text.line(33)), (0..16, 18..27, 28..33));
        let object = self::text(br#"{"a": [1, "}"], "b": {} } [1"#);
        assert_eq!((object.token(0), object.token(6), object.token(26)), (0..25, 6..14, 26..27));
        assert_eq!(text.position(24), Position { line: 2, column: 6 });
    }

    proptest! {
        #[test]
        fn places_are_those_that_the_loader_says(bytes in "[{}\":,a-z\u{e9}\n\r\\[ 1]{0,40}") {
            let text = text(bytes.as_bytes());
            for error in &policy::config::load(&text.bytes).unwrap_err() {
                let Position { line, column } = text.position(error.offset());
                prop_assert_eq!((line, column), (error.line(), error.column()));
            }
        }

        #[test]
        fn no_offset_in_any_bytes_is_too_much(bytes: Vec<u8>, offset in 0..300_usize) {
            let text = text(&bytes);
            let (line, token) = (text.line(offset), text.token(offset));
            prop_assert!(line.start <= line.end && token.end <= bytes.len() && text.position(offset).line >= 1);
        }
    }
}
