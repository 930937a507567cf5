//! How calls have ended, as their answers say: read from a copy, while the answer itself goes on.
//!
//! What is not beyond doubt an answer that failed has not failed: something is given back for it only then.
//!
//! ```
//! use policy::answer::{Answers, Ending, Form};
//! use policy::message::Id;
//! # use policy::json::Reader;
//! # let id = Id::from_value(&Reader::new(b"1", 8)?.value()?).ok_or("no id")?;
//!
//! let mut answers = Answers::new(Form::Events, vec![id], 4096, 64);
//! answers.push(b"data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[],\"is");
//! answers.push(b"Error\":true}}\n\n");
//! assert_eq!(answers.finish(), [Some(Ending::IsError)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ending;

use crate::listing::stream::boundary::Boundary;
use crate::listing::stream::lines::{Field, lines};
use crate::message::Id;

/// How a call has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With a result.
    Result,
    /// With a result whose `isError` is true: the tool itself failed.
    IsError,
    /// With a JSON-RPC error.
    JsonRpcError,
}

/// The form of an answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON document.
    Document,
    /// `text/event-stream`.
    Events,
}

/// Reads the answers to some requests out of a body, in the pieces in which it comes.
#[derive(Debug)]
pub struct Answers {
    form: Form,
    ids: Vec<Id>,
    endings: Vec<Option<Ending>>,
    max_bytes: usize,
    max_depth: usize,
    boundary: Boundary,
    held: Vec<u8>,
    /// The document or event that has begun is too large to be looked at.
    skipping: bool,
}

impl Answers {
    /// Before the first byte of the body. Documents and events of more than `max_bytes`, or nested more than `max_depth`
    /// levels, are not looked at.
    #[must_use]
    pub fn new(form: Form, ids: Vec<Id>, max_bytes: usize, max_depth: usize) -> Self {
        let endings = vec![None; ids.len()];
        let (boundary, held) = (Boundary::default(), Vec::new());
        Self { form, ids, endings, max_bytes, max_depth, boundary, held, skipping: false }
    }

    /// The next piece of the body.
    pub fn push(&mut self, piece: &[u8]) {
        if self.form == Form::Document {
            return self.hold(piece);
        }
        let mut at = usize::from(self.boundary.completes_line_end(piece));
        while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
            let ended = self.boundary.scan(rest);
            let end = ended.as_ref().map_or(rest.len(), |ended| ended.end);
            self.hold(rest.get(..end).unwrap_or_default());
            if ended.is_some() {
                self.event();
            }
            at = at.saturating_add(end);
        }
    }

    /// The body has ended. For each id, how its call has: none if no answer to it was clear. Where several answer one id,
    /// the first counts, as clients take it.
    #[must_use]
    pub fn finish(mut self) -> Vec<Option<Ending>> {
        if self.form == Form::Document && !self.skipping {
            let held = core::mem::take(&mut self.held);
            self.message(&held);
        }
        self.endings
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.held.len().saturating_add(bytes.len()) > self.max_bytes {
            self.skipping = true;
            self.held = Vec::new();
        }
        if !self.skipping {
            self.held.extend_from_slice(bytes);
        }
    }

    fn event(&mut self) {
        let event = core::mem::take(&mut self.held);
        if core::mem::take(&mut self.skipping) {
            return;
        }
        let event = event.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&event);
        let data = lines(event).filter_map(|line| match line.field() {
            Field::Data(value) => Some(value),
            _ => None,
        });
        let data: Vec<&[u8]> = data.collect();
        if !data.is_empty() {
            self.message(&data.join(&b'\n'));
        }
    }

    fn message(&mut self, text: &[u8]) {
        for (id, ending) in ending::read(text, self.max_depth).unwrap_or_default() {
            let asked = self.ids.iter().position(|asked| asked.equals(&id));
            if let Some(place) = asked.and_then(|index| self.endings.get_mut(index)) {
                place.get_or_insert(ending);
            }
        }
    }
}

#[cfg(test)]
mod tests;
