use memchr::{memchr, memchr2};

/// A line of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Without its end.
    pub(crate) text: &'a [u8],
    /// CR, LF or CRLF; empty only if the bytes end inside the line.
    pub(crate) end: &'a [u8],
}

/// What ends a line for `str.splitlines` of Python besides CR and LF, and so for clients built on it: VT, FF, FS, GS, RS.
const CARELESS_CONTROLS: [u8; 5] = [0x0B, 0x0C, 0x1C, 0x1D, 0x1E];

/// The rest of these: U+0085, U+2028 and U+2029 in UTF-8, each with its escape in JSON.
pub(crate) const CARELESS_ENDS: [(&[u8], &[u8]); 3] =
    [(b"\xC2\x85", b"\\u0085"), (b"\xE2\x80\xA8", b"\\u2028"), (b"\xE2\x80\xA9", b"\\u2029")];

/// What a line says (HTML Living Standard, section 9.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    Data(&'a [u8]),
    Event(&'a [u8]),
    Id,
    Retry,
    /// A comment, or the empty line at an event's end.
    Comment,
    /// A field that clients ignore.
    Other,
}

impl<'a> Line<'a> {
    pub(crate) fn field(&self) -> Field<'a> {
        let (name, value) = match memchr(b':', self.text).map(|colon| self.text.split_at(colon)) {
            Some((name, [_, b' ', value @ ..] | [_, value @ ..])) => (name, value),
            _ => (self.text, &[][..]),
        };
        match name {
            b"data" => Field::Data(value),
            b"event" => Field::Event(value),
            b"id" => Field::Id,
            b"retry" => Field::Retry,
            b"" => Field::Comment,
            _ => Field::Other,
        }
    }

    /// Whether some client splits the line where the standard does not.
    pub(crate) fn is_split_elsewhere(&self) -> bool {
        let mut rest = self.text;
        while let Some(at) = memchr2(0xC2, 0xE2, rest) {
            rest = rest.get(at..).unwrap_or_default();
            if CARELESS_ENDS.iter().any(|(end, _)| rest.starts_with(end)) {
                return true;
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        // In a message they are no JSON.
        !matches!(self.field(), Field::Data(_)) && self.text.iter().any(|byte| CARELESS_CONTROLS.contains(byte))
    }
}

/// The lines of `text`.
pub(crate) fn lines(mut text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    core::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let length = memchr2(b'\r', b'\n', text).unwrap_or(text.len());
        let (line, rest) = text.split_at(length);
        let end = match rest {
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            _ => 1,
        };
        let (end, rest) = rest.split_at(end);
        text = rest;
        Some(Line { text: line, end })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_exactly_and_loses_one_space() {
        for (line, field) in [
            ("data", Field::Data(b"")),
            ("data:", Field::Data(b"")),
            ("data: ", Field::Data(b"")),
            ("data:x", Field::Data(b"x")),
            ("data: x", Field::Data(b"x")),
            ("data:  x: y", Field::Data(b" x: y")),
            ("data:\tx", Field::Data(b"\tx")),
            ("event: endpoint", Field::Event(b"endpoint")),
            ("id: 1", Field::Id),
            ("retry: 10", Field::Retry),
            (": data: x", Field::Comment),
            (" data: x", Field::Other),
            ("data : x", Field::Other),
            ("Data: x", Field::Other),
            ("datax", Field::Other),
            ("", Field::Comment),
        ] {
            let line = Line { text: line.as_bytes(), end: b"\n" };
            assert_eq!(line.field(), field, "{line:?}");
        }
    }

    #[test]
    fn lines_end_with_cr_lf_or_crlf() {
        let found: Vec<_> = lines(b"a\rb\nc\r\n\r\n\n\rd").map(|line| (line.text, line.end)).collect();
        let expected: [(&[u8], &[u8]); 7] =
            [(b"a", b"\r"), (b"b", b"\n"), (b"c", b"\r\n"), (b"", b"\r\n"), (b"", b"\n"), (b"", b"\r"), (b"d", b"")];
        assert_eq!(found, expected);
    }
}
