use memchr::memchr2;

/// Finds the ends of a stream's units, with the bytes coming in pieces.
///
/// A unit is an event up to and with its empty line, an empty line alone, or a comment in front of an event: it can go
/// on at once, and servers keep idle connections alive with it.
#[derive(Debug)]
pub(crate) struct Boundary {
    /// The last byte was a CR: an LF now would be the rest of the same line end.
    after_cr: bool,
    /// No byte of the present line has come.
    line_is_empty: bool,
    /// What the present unit began with.
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Nothing has come of it.
    Awaited,
    /// A colon: it ends with its line.
    Comment,
    /// Anything else: it ends with an empty line.
    Event,
}

/// The end of a unit, in bytes from the start of the piece that was scanned.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Where its content ends, and the line end that ends it begins.
    pub(crate) content: usize,
    /// Where the next unit may begin.
    pub(crate) end: usize,
}

impl Default for Boundary {
    fn default() -> Self {
        Self { after_cr: false, line_is_empty: true, unit: Unit::Awaited }
    }
}

impl Boundary {
    /// Whether the piece begins with the LF of a CRLF whose CR has ended a unit. If so, that byte is taken.
    pub(crate) fn completes_line_end(&mut self, piece: &[u8]) -> bool {
        let completes = self.unit == Unit::Awaited && self.after_cr && piece.first() == Some(&b'\n');
        if completes {
            self.after_cr = false;
        }
        completes
    }

    /// Scans up to the end of the unit; none if all of the piece belongs to it and it has not ended.
    pub(crate) fn scan(&mut self, piece: &[u8]) -> Option<Ended> {
        let first = piece.first()?;
        let mut at = usize::from(self.after_cr && *first == b'\n');
        self.after_cr = false;
        if self.unit == Unit::Awaited {
            self.unit = match first {
                b':' => Unit::Comment,
                _ => Unit::Event,
            };
        }
        loop {
            let rest = piece.get(at..).unwrap_or_default();
            let Some(length) = memchr2(b'\r', b'\n', rest) else {
                self.line_is_empty &= rest.is_empty();
                return None;
            };
            self.line_is_empty &= length == 0;
            let content = at.saturating_add(length);
            let line_end = match rest.get(length..) {
                Some([b'\r', b'\n', ..]) => 2,
                Some([b'\r']) => {
                    self.after_cr = true;
                    1
                }
                _ => 1,
            };
            at = content.saturating_add(line_end);
            if self.line_is_empty || self.unit == Unit::Comment {
                self.line_is_empty = true;
                self.unit = Unit::Awaited;
                return Some(Ended { content, end: at });
            }
            self.line_is_empty = true;
        }
    }
}
