//! What one hit of a service stands for.

use core::num::NonZeroU64;

use crate::quota::Unit;

/// Calls and amounts as a service counts them: in whole hits of 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hits {
    /// The descriptor's `unit`.
    pub(super) unit: &'static str,
    /// How much of the quota's own unit one hit is.
    size: NonZeroU64,
    /// The limit's `max`.
    pub(super) max: u32,
}

/// Powers of ten, in millionths, the finest first.
const STEPS: [(&str, u64); 7] = [
    ("0.000001", 1),
    ("0.00001", 10),
    ("0.0001", 100),
    ("0.001", 1_000),
    ("0.01", 10_000),
    ("0.1", 100_000),
    ("1", 1_000_000),
];

impl Hits {
    /// For amounts the finest step in which `max` is whole and fits. `None` if it fits in none.
    pub(crate) fn of(unit: Unit, max: u64) -> Option<Self> {
        let step = |(unit, size): (&'static str, u64)| {
            let size = NonZeroU64::new(size)?;
            let max = (max % size == 0).then(|| max / size)?;
            Some(Self { unit, size, max: u32::try_from(max).ok()? })
        };
        match unit {
            Unit::Calls => step(("call", 1)),
            Unit::Millionths => STEPS.into_iter().find_map(step),
        }
    }

    /// What an amount adds: rounded up, so never less than was spent. `None` if it is more than `max`.
    pub(super) fn count(self, amount: u64) -> Option<u32> {
        u32::try_from(amount.div_ceil(self.size.get())).ok().filter(|hits| *hits <= self.max)
    }
}
