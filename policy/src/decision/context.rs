use std::cell::Cell;

use super::facts::Facts;
use crate::message::Arguments;

/// How many bytes of text the regular expressions of one policy may look at for one body. A linear-time engine of this
/// size needs a few hundred instructions per byte, and the worker serves nobody else meanwhile.
const REGEX_BYTES: usize = 16 * 1024;

/// What judging one body by one policy may still cost. Where it does not suffice, conditions are wrong, which refuses.
#[derive(Debug)]
pub struct Effort {
    regex_bytes: Cell<usize>,
}

impl Default for Effort {
    fn default() -> Self {
        Self { regex_bytes: Cell::new(REGEX_BYTES) }
    }
}

/// What the conditions of one call look at.
pub(super) struct Context<'c, 'a> {
    pub(super) arguments: &'c Arguments<'a>,
    pub(super) facts: &'c dyn Facts,
    pub(super) effort: &'c Effort,
}

impl Context<'_, '_> {
    /// Whether a regular expression may look at so many more bytes.
    pub(super) fn affords_regex(&self, bytes: usize) -> bool {
        let left = self.effort.regex_bytes.get().checked_sub(bytes);
        self.effort.regex_bytes.set(left.unwrap_or_default());
        left.is_some()
    }
}
