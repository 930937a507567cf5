//! Who may take how much of a shard.
//!
//! Slots grow: a ring takes a byte more for each cell that it counts in. So room is left for that, or one who fills a shard
//! with small slots would keep those that are there already from counting:
//! - A slot that is small counts for what it takes with a few calls in each cell, or of a few workers.
//! - One owner gets half of the shard, however its slots grow. For others it takes no more than that.
//! - New slots leave an eighth of all this free, for rings that count many calls in a cell. These leave half of that to the
//!   slots that principals without one share.

use super::hash::{Owner, SlotId};
use super::shard::{GROWN_PERIOD, GROWN_RING, HEAD_BYTES, NewSlot, SHARD_BYTES, SMALLEST_SLOT, Slot};
use super::window::Window;
use crate::sort::sort_by;

/// The most bytes that the slots of one owner take.
const OWNER_BYTES: usize = SHARD_BYTES / 2;

/// A shard of so many bytes has room for one slot more and for all growth, whosever its slots are.
pub(super) const ROOMY_BYTES: usize = 832;
const _: () = assert!(ROOMY_BYTES <= new_part(OWNER_BYTES));
const _: () = assert!(
    HEAD_BYTES + ((ROOMY_BYTES - HEAD_BYTES) / SMALLEST_SLOT + 1) * GROWN_RING <= new_part(SHARD_BYTES),
    "as many slots as there can be, all grown"
);

/// What a slot that is to be written is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It was not there.
    New,
    /// It was.
    Known,
    /// Those without a slot share it.
    Shared,
}

/// What is full: the owner's part of the shard, or the shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    OfOwner,
    OfAll,
}

/// Whether a slot may be written beside the others, which are those that stay and those that are written with it.
pub(super) fn find<'s>(
    kind: Kind,
    slot: &NewSlot,
    stay: impl Iterator<Item = &'s Slot<'s>>,
    written: &[NewSlot],
) -> Result<(), NoRoom> {
    let stay = stay.map(|slot| Extent::of(slot.id, slot.window, slot.length()));
    let written = written.iter().chain([slot]).map(|slot| Extent::of(slot.id, slot.window, slot.length()));
    let extents = sort_by(stay.chain(written).collect(), |one, other| one.owner.0.cmp(&other.owner.0));
    let (mut taken, mut reserved) = (HEAD_BYTES, HEAD_BYTES);
    for of_owner in extents.chunk_by(|one, other| one.owner == other.owner) {
        let bytes: usize = of_owner.iter().map(|extent| extent.bytes).sum();
        let grown: usize = of_owner.iter().map(|extent| extent.grown).sum();
        let part = if kind == Kind::New { new_part(OWNER_BYTES) } else { OWNER_BYTES };
        if kind != Kind::Shared && bytes > part && of_owner.iter().any(|extent| extent.owner == slot.id.owner()) {
            return Err(NoRoom::OfOwner);
        }
        taken = taken.saturating_add(bytes);
        reserved = reserved.saturating_add(grown.min(OWNER_BYTES).max(bytes));
    }
    let part = match kind {
        Kind::New => new_part(SHARD_BYTES),
        Kind::Known if is_busy(slot) => SHARD_BYTES.saturating_sub(SHARD_BYTES / 16),
        Kind::Known => usize::MAX,
        Kind::Shared => SHARD_BYTES,
    };
    if taken > SHARD_BYTES || reserved > part { Err(NoRoom::OfAll) } else { Ok(()) }
}

/// What new slots may fill of a part.
const fn new_part(bytes: usize) -> usize {
    bytes.saturating_sub(bytes / 8)
}

/// What a slot takes.
struct Extent {
    owner: Owner,
    bytes: usize,
    /// What is kept for it.
    grown: usize,
}

impl Extent {
    fn of(id: SlotId, window: Window, bytes: usize) -> Self {
        Self { owner: id.owner(), bytes, grown: bytes.max(kept_for(window)) }
    }
}

/// What is kept for a slot from its beginning: for a ring with a few calls in each cell, what three workers say of what runs,
/// and a calendar's count of two million.
fn kept_for(window: Window) -> usize {
    match window {
        Window::Sliding(_) | Window::Running => GROWN_RING,
        Window::Calendar(_) => GROWN_PERIOD,
    }
}

/// Whether a ring takes more than is kept for it.
fn is_busy(slot: &NewSlot) -> bool {
    matches!(slot.window, Window::Sliding(_)) && slot.length() > GROWN_RING
}
