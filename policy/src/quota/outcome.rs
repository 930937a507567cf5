//! What the counters answer.

use std::fmt;

use smallvec::SmallVec;

use super::hash::SlotId;
use super::store::StoreError;
use super::window::Window;

/// Whether a call's charges are admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of them are.
    Admitted(Taken),
    /// At least one is not, and nothing was taken.
    Refused(Refusal),
}

/// An admission: what it leaves, and what is needed to give it back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub(super) remaining: SmallVec<[u64; 1]>,
    pub(super) parts: SmallVec<[Part; 1]>,
    /// Charges that add together with an earlier one: (the earlier one, this one).
    pub(super) joined: Vec<(usize, usize)>,
}

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The first charge, by index, that does not fit.
    pub charge: usize,
    /// The least time, in ms from `now`, after which the whole call would be admitted if nothing
    /// else happened; `None` if no wait can help, because a charge adds more than its `max`, or nobody knows, because it
    /// waits for calls that run.
    pub retry_after_ms: Option<u64>,
    /// What the counter of that charge still admits, in its unit: less than the call would add.
    pub remaining: u64,
}

/// A slot that leases are held in: what a worker must state of its running calls, and under which name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeaseId {
    pub(super) shard: u32,
    pub(super) slot: SlotId,
}

/// What one charge holds while its call runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Where.
    pub id: LeaseId,
    /// How many.
    pub count: u64,
    /// The charge, by index.
    pub charge: usize,
}

impl Taken {
    /// For each charge, in order: what its counter still admits after this call, in its unit.
    pub fn remaining(&self) -> &[u64] {
        &self.remaining
    }

    /// Whether anything found no room of its own, and counts in a slot that several share.
    pub fn is_shared(&self) -> bool {
        self.parts.iter().any(|part| part.slot.is_shared())
    }

    /// What is held as long as the call runs, and to be stated by [`Quota::state_leases`](super::Quota::state_leases) until it ends.
    pub fn leases(&self) -> impl Iterator<Item = Lease> {
        self.parts.iter().filter(|part| part.window == Window::Running).map(|part| Lease {
            id: LeaseId { shard: part.shard, slot: part.slot },
            count: part.amount,
            charge: part.charge,
        })
    }
}

/// One addition to one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) shard: u32,
    pub(super) slot: SlotId,
    pub(super) window: Window,
    pub(super) position: u64,
    pub(super) amount: u64,
    pub(super) charge: usize,
}

/// Why the counters could not answer. Every one of these denies the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaError {
    /// The store failed.
    Store(StoreError),
    /// The bytes of a shard, by its index, or of the layout (`None`) are not what this code writes.
    Corrupt {
        /// The shard, or `None` for the layout record.
        shard: Option<u32>,
    },
    /// The shard has been written by the calendar, and the call came without the time of day. Read it, and try again.
    NoWallTime,
    /// Other workers wrote first, more often than is credible.
    Contended,
    /// There is no room to count that charge. Raise `max_bytes`.
    Full {
        /// The first charge without room, by index.
        charge: usize,
    },
    /// Two charges name one counter, but not the same window and unit; or, within one call, not the
    /// same amount.
    Disagree {
        /// The later of the two, by index.
        charge: usize,
    },
}

impl fmt::Display for QuotaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Corrupt { shard: Some(shard) } => {
                write!(f, "the bytes of counter shard {shard} are damaged, or another plugin writes to its key")
            }
            Self::Corrupt { shard: None } => {
                f.write_str("the layout of the counters is damaged, or another plugin writes to its key")
            }
            Self::NoWallTime => f.write_str("the time of day is not known"),
            Self::Contended => f.write_str("the counters are contended beyond every retry"),
            Self::Full { .. } => f.write_str("the counters are full: raise `counters.max_bytes`"),
            Self::Disagree { charge } => {
                write!(f, "charge {charge} names the same counter as another, with other terms")
            }
        }
    }
}

impl std::error::Error for QuotaError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for QuotaError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
