//! Passing what has been read before. Only brackets and strings matter there, which takes a fifth of the time.

use super::super::error::Problem;
use super::{Reader, Result};

impl Reader<'_> {
    /// Passes an object or array that has been checked.
    pub(super) fn pass_checked(&mut self) -> Result<()> {
        let mut open: usize = 0;
        while let [byte, rest @ ..] = self.rest {
            self.rest = rest;
            match byte {
                b'"' => self.pass_checked_string(),
                b'{' | b'[' => open = open.saturating_add(1),
                b'}' | b']' => {
                    open = open.saturating_sub(1);
                    if open == 0 {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        self.fail(Problem::UnexpectedEnd)
    }

    /// Passes the rest of a string, whose opening quote is passed.
    fn pass_checked_string(&mut self) {
        loop {
            self.pass_plain();
            match self.rest {
                [b'\\', _, rest @ ..] => self.rest = rest,
                _ => break self.advance(1),
            }
        }
    }
}
