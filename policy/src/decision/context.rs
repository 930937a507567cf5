use std::cell::Cell;

use super::facts::Facts;
use crate::message::Arguments;

/// How many bytes of text the regular expressions of one policy may look at for one call. A linear-time engine of this
/// size needs a few hundred instructions per byte, and the worker serves nobody else meanwhile.
const REGEX_BYTES: usize = 16 * 1024;

/// What the conditions of one call look at.
pub(super) struct Context<'c, 'a> {
    pub(super) arguments: &'c Arguments<'a>,
    pub(super) facts: &'c dyn Facts,
    regex_bytes: Cell<usize>,
}

impl<'c, 'a> Context<'c, 'a> {
    pub(super) fn new(arguments: &'c Arguments<'a>, facts: &'c dyn Facts) -> Self {
        Self { arguments, facts, regex_bytes: Cell::new(REGEX_BYTES) }
    }

    /// Whether a regular expression may look at so many more bytes.
    pub(super) fn affords_regex(&self, bytes: usize) -> bool {
        let left = self.regex_bytes.get().checked_sub(bytes);
        self.regex_bytes.set(left.unwrap_or_default());
        left.is_some()
    }
}
