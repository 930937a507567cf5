//! What to leave out of a text.

use crate::sort::sort_by;
use core::ops::Range;

/// Ranges of a text that do not go on. Disjoint, in any order.
#[derive(Debug, Default)]
pub(super) struct Cuts(Vec<Range<usize>>);

impl Cuts {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A place that [`take_back`](Self::take_back) returns to.
    pub(super) fn mark(&self) -> usize {
        self.0.len()
    }

    /// Forgets what has been left out since the mark.
    pub(super) fn take_back(&mut self, mark: usize) {
        self.0.truncate(mark);
    }

    fn leave_out(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.0.push(range);
        }
    }

    /// The text without what is left out.
    pub(super) fn apply(self, text: &[u8]) -> Vec<u8> {
        // What stands before an element is left out only once the element is kept.
        let cuts = sort_by(self.0, |one, other| one.start.cmp(&other.start));
        let mut out = Vec::with_capacity(text.len());
        let mut from = 0;
        for cut in &cuts {
            out.extend_from_slice(text.get(from..cut.start).unwrap_or_default());
            from = cut.end;
        }
        out.extend_from_slice(text.get(from..).unwrap_or_default());
        out
    }
}

/// An array whose elements are kept or left out, its commas in order.
///
/// An element reaches from behind the bracket or comma to its own end. One that is left out goes with the comma before
/// it, or while nothing has been kept, with the one behind.
#[derive(Debug)]
pub(super) struct Elements {
    /// Behind the opening bracket.
    first: usize,
    /// Where the element before ended.
    before: usize,
    kept: bool,
}

impl Elements {
    /// An array whose opening bracket stands at `offset`.
    pub(super) fn of_array_at(offset: usize) -> Self {
        let first = offset.saturating_add(1);
        Self { first, before: first, kept: false }
    }

    /// Takes the next element. `behind_comma` is where the comma before it ended; for the first element, any place up to
    /// its start.
    pub(super) fn next(&mut self, behind_comma: usize, end: usize, keep: bool, cuts: &mut Cuts) {
        match (keep, self.kept) {
            (true, false) if self.before > self.first => cuts.leave_out(self.first..behind_comma),
            (false, true) => cuts.leave_out(self.before..end),
            _ => {}
        }
        self.kept |= keep;
        self.before = end;
    }

    /// Ends the array; whether anything of it is left.
    pub(super) fn end(self, cuts: &mut Cuts) -> bool {
        if !self.kept {
            cuts.leave_out(self.first..self.before);
        }
        self.kept
    }
}
