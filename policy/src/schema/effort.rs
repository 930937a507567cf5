//! What holding one body against schemas may cost.

use core::cell::Cell;

/// How many steps all schemas of one policy may take for one body. A step is one value, keyword or
/// member, or some bytes of text; it takes a hundred instructions or a few hundred.
const STEPS: usize = 400_000;

/// How many bytes of text the smallest patterns may look at. Larger ones look at less, by what they weigh: one of 8 KiB at
/// 8 KiB.
const PATTERN_BYTES: usize = 64 * 1024;

/// What holding one body against the schemas of one policy may still cost. Where it does not suffice, the call is refused.
#[derive(Debug)]
pub struct Effort {
    steps: Cell<usize>,
    pattern_bytes: Cell<usize>,
}

impl Default for Effort {
    fn default() -> Self {
        Self { steps: Cell::new(STEPS), pattern_bytes: Cell::new(PATTERN_BYTES) }
    }
}

impl Effort {
    /// How many steps can still be taken.
    pub(super) fn steps_left(&self) -> usize {
        self.steps.get()
    }

    /// Whether so many steps more can be taken.
    pub(super) fn affords(&self, steps: usize) -> bool {
        spend(&self.steps, steps)
    }

    /// Whether a pattern of this weight may look at so many bytes more. Each match costs something by itself.
    pub(super) fn affords_pattern(&self, weight: usize, bytes: usize) -> bool {
        spend(&self.pattern_bytes, bytes.saturating_add(4).saturating_mul(weight))
    }
}

fn spend(budget: &Cell<usize>, amount: usize) -> bool {
    let left = budget.get().checked_sub(amount);
    budget.set(left.unwrap_or_default());
    left.is_some()
}
