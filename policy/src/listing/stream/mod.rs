pub(crate) mod boundary;
mod event;
pub(crate) mod lines;
mod output;

use std::borrow::Cow;

use self::boundary::{Boundary, Ended};
use self::event::Outcome;
use self::output::Output;
use super::{Filtered, Reason, Shown, Unreadable};

/// A `text/event-stream` body, filtered as it arrives.
///
/// Follows the HTML Living Standard, section 9.2 (server-sent events): lines end with CR, LF or CRLF, an event with an
/// empty line. An event is held until it has ended, and no longer; a comment in front of an event is not even held for
/// that. Time is linear in the bytes, however they are split, and what is held never exceeds the bound on events.
///
/// - Events without data, and with messages that hold nothing hidden or denied pass byte for byte.
/// - A changed event keeps its other lines and its line endings; its message stands where its first data line was.
/// - An `endpoint` event (2024-11-05) carries a URI instead of a message, and passes if [`Shown::shows_endpoint`].
/// - An event whose data some clients would put together otherwise is written anew, its message on one line: where Python
///   ends lines but the standard does not, where a field's name is nearly `data`, or where one of several lines is a message
///   of its own. To clients that follow the standard it says the same.
/// - An event that is a denied request or notification loses its message, and goes on if its `id` or `retry` is left.
/// - An event that cannot be read is dropped, or replaced by a message with the event's `id` and `retry`. So is one
///   with a listing or a denied method in a comment or an unknown field, which clients that split lines elsewhere could
///   take for data.
#[derive(Debug)]
pub struct EventStream {
    max_event_bytes: usize,
    max_depth: usize,
    boundary: Boundary,
    /// The bytes of the event that has begun, as far as earlier chunks brought it.
    held: Vec<u8>,
    /// The event that has begun is too large, and left out up to its end.
    skipping: bool,
    /// Whether the last unit that ended went on as it came, or with its own last line.
    passed: bool,
    /// Whether a unit has ended: a byte order mark may only stand in front of the first.
    begun: bool,
}

impl EventStream {
    /// A stream before its first byte. Of one event, at most `max_event_bytes` are held, its last empty line not
    /// counted; its message may be nested `max_depth` levels.
    pub fn new(max_event_bytes: usize, max_depth: usize) -> Self {
        Self {
            max_event_bytes,
            max_depth,
            boundary: Boundary::default(),
            held: Vec::new(),
            skipping: false,
            passed: true,
            begun: false,
        }
    }

    /// Takes the next chunk and returns what may go on to the client now: the events that have ended.
    ///
    /// Borrowed from the front of `chunk`, often all of it, if that is what may go on; so a borrowed answer of the
    /// chunk's length needs no rewriting.
    ///
    /// `unreadable` is told of each event that cannot be passed on, and returns the JSON message to send in its place,
    /// if any. What it returns is not filtered.
    pub fn push<'c>(
        &mut self,
        chunk: &'c [u8],
        shown: &dyn Shown,
        unreadable: &mut dyn FnMut(&Unreadable) -> Option<Vec<u8>>,
    ) -> Cow<'c, [u8]> {
        let mut out = Output::new(chunk);
        // The other half of a CRLF whose event has already gone on, or not.
        let mut at = usize::from(self.boundary.completes_line_end(chunk));
        if at > 0 && self.passed {
            out.pass(0..at);
        }
        while let Some(rest) = chunk.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(ended) = self.boundary.scan(rest) else {
                self.hold(rest, &mut out, shown, unreadable);
                break;
            };
            let end = at.saturating_add(ended.end);
            if self.held.is_empty() && !self.skipping && ended.content <= self.max_event_bytes {
                let unit = rest.get(..ended.end).unwrap_or_default();
                match self.filter(unit, shown, unreadable) {
                    Some(Filtered::Unchanged) => out.pass(at..end),
                    Some(Filtered::Changed(bytes)) => out.append(bytes),
                    None => {}
                }
            } else {
                self.finish_held(rest, &ended, &mut out, shown, unreadable);
            }
            self.begun = true;
            at = end;
        }
        out.into_cow()
    }

    /// Ends the body. An event without its last empty line is discarded, as clients do; returns how many bytes of it
    /// were held.
    pub fn finish(&mut self) -> usize {
        core::mem::take(&mut self.held).len()
    }

    /// Bytes held at the moment, for the sake of metrics.
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// Ends the event whose beginning is held or left out.
    fn finish_held(
        &mut self,
        rest: &[u8],
        ended: &Ended,
        out: &mut Output<'_>,
        shown: &dyn Shown,
        unreadable: &mut dyn FnMut(&Unreadable) -> Option<Vec<u8>>,
    ) {
        if !self.skipping && self.held.len().saturating_add(ended.content) > self.max_event_bytes {
            self.skip(out, shown, unreadable);
        }
        if self.skipping {
            self.skipping = false;
            self.passed = false;
            return;
        }
        let mut unit = core::mem::take(&mut self.held);
        unit.extend_from_slice(rest.get(..ended.end).unwrap_or_default());
        match self.filter(&unit, shown, unreadable) {
            Some(Filtered::Unchanged) => out.append(unit),
            Some(Filtered::Changed(bytes)) => out.append(bytes),
            None => {}
        }
    }

    /// Keeps the beginning of an event.
    fn hold(
        &mut self,
        rest: &[u8],
        out: &mut Output<'_>,
        shown: &dyn Shown,
        unreadable: &mut dyn FnMut(&Unreadable) -> Option<Vec<u8>>,
    ) {
        if self.skipping {
            return;
        }
        if self.held.len().saturating_add(rest.len()) > self.max_event_bytes {
            self.skip(out, shown, unreadable);
        } else {
            self.held.extend_from_slice(rest);
        }
    }

    /// Gives the event up that has begun. Its replacement need not wait for its end.
    fn skip(
        &mut self,
        out: &mut Output<'_>,
        shown: &dyn Shown,
        unreadable: &mut dyn FnMut(&Unreadable) -> Option<Vec<u8>>,
    ) {
        self.held = Vec::new();
        self.skipping = true;
        let problem = Unreadable { offset: 0, reason: Reason::EventTooLarge(self.max_event_bytes) };
        if let Some(message) = unreadable(&problem) {
            out.append(event::replacement(b"", &message, shown));
        }
    }

    /// Filters one whole unit; none if it is dropped.
    fn filter(
        &mut self,
        unit: &[u8],
        shown: &dyn Shown,
        unreadable: &mut dyn FnMut(&Unreadable) -> Option<Vec<u8>>,
    ) -> Option<Filtered> {
        let (mark, event) = match unit.strip_prefix(BYTE_ORDER_MARK) {
            Some(event) if !self.begun => (BYTE_ORDER_MARK, event),
            _ => (&b""[..], unit),
        };
        let outcome = event::filter(event, self.max_depth, shown);
        self.passed = matches!(outcome, Ok(Outcome::Unchanged | Outcome::Edited(_)));
        match outcome {
            Ok(Outcome::Unchanged) => Some(Filtered::Unchanged),
            Ok(Outcome::Edited(bytes) | Outcome::Anew(bytes)) => Some(Filtered::Changed([mark, &bytes].concat())),
            // Nobody waits for it.
            Err(Unreadable { reason: Reason::DeniedRequest, .. }) => {
                Some(Filtered::Changed(event::without_message(event, shown)))
            }
            Err(problem) => {
                unreadable(&problem).map(|message| Filtered::Changed(event::replacement(event, &message, shown)))
            }
        }
    }
}

/// U+FEFF in UTF-8; the HTML Living Standard allows one in front of a stream.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
