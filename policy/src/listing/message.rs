use core::ops::Range;

use super::mention::mentions_listing;
use super::{Kind, Reason, Shown, Unreadable};
use crate::json::{Key, Reader, Value, lookalike};

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filtered {
    /// It goes on as it came.
    Unchanged,
    /// This goes on in its place.
    Changed(Vec<u8>),
}

/// Takes the entries that are not shown out of one JSON-RPC message or batch, nested at most `max_depth` levels.
///
/// All else stays byte for byte, the white space before kept entries and after the last one included. Messages that
/// hold no listing, and a text of nothing but white space, are unchanged. So is an object or array that is not strict
/// JSON, if no reading of it could find a listing: results of calls come this way too, and some hold lone surrogates
/// or NaN.
///
/// # Errors
/// If a client could find a listing in `text` that this function cannot read beyond doubt: the text is not strict JSON;
/// a key can be taken for `result`, for a listing's member or for an entry's identifier; a listing is neither an array
/// nor null; an entry is not an object with an identifier that is a string.
pub fn filter_message(text: &[u8], max_depth: usize, shown: &dyn Shown) -> Result<Filtered, Unreadable> {
    if is_blank(text) {
        return Ok(Filtered::Unchanged);
    }
    match Cuts::find(text, max_depth, shown) {
        Ok(cuts) if cuts.ranges.is_empty() => Ok(Filtered::Unchanged),
        Ok(cuts) => Ok(Filtered::Changed(cuts.apply(text))),
        Err(unreadable) => match (unreadable.reason, text.trim_ascii_start()) {
            (Reason::Syntax(_), [b'{' | b'[', ..]) if !mentions_listing(text) => Ok(Filtered::Unchanged),
            _ => Err(unreadable),
        },
    }
}

/// Whether JSON sees nothing but white space.
pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

type Result<T, E = Unreadable> = core::result::Result<T, E>;

/// What to leave out of a message.
struct Cuts<'s> {
    shown: &'s dyn Shown,
    /// In ascending order, disjoint.
    ranges: Vec<Range<usize>>,
}

impl<'s> Cuts<'s> {
    fn find(text: &[u8], max_depth: usize, shown: &'s dyn Shown) -> Result<Self> {
        let mut cuts = Self { shown, ranges: Vec::new() };
        let mut reader = Reader::new(text, max_depth)?;
        match reader.peek() {
            Some(b'[') => reader.array(|reader| match reader.peek() {
                Some(b'[') => Err(unreadable(reader.offset(), Reason::NestedBatch)),
                _ => cuts.message(reader),
            })?,
            _ => cuts.message(&mut reader)?,
        }
        reader.end()?;
        Ok(cuts)
    }

    fn message(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        if reader.peek() != Some(b'{') {
            reader.value()?;
            return Ok(());
        }
        // Looked into whatever stands beside it: some clients take a message with `method` and `result` for a response.
        reader.object(|reader, key| match key.as_bytes() {
            b"result" => self.result(reader),
            _ => {
                refuse_lookalike(key, "result")?;
                reader.value()?;
                Ok(())
            }
        })
    }

    fn result(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        if reader.peek() != Some(b'{') {
            reader.value()?;
            return Ok(());
        }
        reader.object(|reader, key| {
            for kind in Kind::ALL {
                if key.as_bytes() == kind.member().as_bytes() {
                    return self.listing(reader, kind);
                }
                refuse_lookalike(key, kind.member())?;
            }
            reader.value()?;
            Ok(())
        })
    }

    fn listing(&mut self, reader: &mut Reader<'_>, kind: Kind) -> Result<()> {
        let peeked = reader.peek();
        let offset = reader.offset();
        if peeked != Some(b'[') {
            return match reader.value()? {
                // Go servers write an empty list so; it shows nothing to anybody.
                Value::Null => Ok(()),
                _ => Err(unreadable(offset, Reason::NotAnArray(kind.member()))),
            };
        }
        let first = offset.saturating_add(1);
        // Where the entry before ended, and whether any has been kept.
        let (mut before, mut kept) = (first, false);
        reader.array(|reader| {
            // An entry reaches from behind the bracket or comma to its own end. Hidden ones go with the comma before
            // them, or while nothing has been kept, with the one behind.
            let start = if before == first { first } else { reader.offset() };
            let shows = self.entry(reader, kind)?;
            let end = reader.offset();
            match (shows, kept) {
                (true, true) => {}
                (true, false) => self.leave_out(first..start),
                (false, true) => self.leave_out(before..end),
                (false, false) => {}
            }
            kept |= shows;
            before = end;
            Ok::<(), Unreadable>(())
        })?;
        if !kept {
            self.leave_out(first..before);
        }
        Ok(())
    }

    /// Reads one entry and says whether it is shown.
    fn entry(&self, reader: &mut Reader<'_>, kind: Kind) -> Result<bool> {
        let identifier = kind.identifier();
        let peeked = reader.peek();
        let offset = reader.offset();
        if peeked != Some(b'{') {
            reader.value()?;
            return Err(unreadable(offset, Reason::NotAnObject(kind.member())));
        }
        let mut name = None;
        reader.object(|reader, key| {
            if key.as_bytes() != identifier.as_bytes() {
                refuse_lookalike(key, identifier)?;
                reader.value()?;
                return Ok(());
            }
            match reader.value()? {
                Value::String(text) => {
                    name = Some(text);
                    Ok(())
                }
                _ => Err(unreadable(key.offset(), Reason::NotAString(identifier))),
            }
        })?;
        match name {
            Some(name) => Ok(self.shown.shows(kind, &name.decode())),
            None => Err(unreadable(offset, Reason::Missing(identifier))),
        }
    }

    fn leave_out(&mut self, range: Range<usize>) {
        match self.ranges.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ if range.is_empty() => {}
            _ => self.ranges.push(range),
        }
    }

    fn apply(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut from = 0;
        for cut in &self.ranges {
            out.extend_from_slice(text.get(from..cut.start).unwrap_or_default());
            from = cut.end;
        }
        out.extend_from_slice(text.get(from..).unwrap_or_default());
        out
    }
}

fn unreadable(offset: usize, reason: Reason) -> Unreadable {
    Unreadable { offset, reason }
}

fn refuse_lookalike(key: &Key<'_>, name: &'static str) -> Result<()> {
    if lookalike(key.as_bytes(), name) {
        return Err(unreadable(key.offset(), Reason::LookalikeKey(name)));
    }
    Ok(())
}
