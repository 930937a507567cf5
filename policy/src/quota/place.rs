//! The place of a counter in a shard that has not aged, where calls in a row are counted.
//!
//! A worker that wrote the shard last knows where the count lies and until when nothing there ages. Until then another
//! call changes a number, and the shard's time.

use super::charge::{Charge, Now};
use super::hash::{SlotId, Spot};
use super::ring::Newest;
use super::shard::{Slot, Slots, set_clock};
use super::window::Window;

/// Where a count lies in the bytes of a shard, and what it says: true of the bytes that it was found in, and that it has
/// counted in since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    slot: SlotId,
    window: Window,
    /// The shard's time.
    clock: Now,
    /// When the first of its slots ages, by either clock.
    ages: Now,
    /// The first byte of the newest cell.
    start: usize,
    newest: Newest,
    /// What the window holds.
    total: u64,
    /// The number of the newest cell.
    cell: u64,
}

/// A call that is admitted, and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// What the limit still admits.
    pub(super) remaining: u64,
    /// Where it went, as [`Count::add`](super::count::Count::add) says it.
    pub(super) position: u64,
}

impl Place {
    /// Finds the place of a sliding count whose slot is the last, in a shard in which nothing has aged since it was
    /// written. That is how the call before has left it.
    pub(super) fn find(bytes: &[u8], charge: &Charge<'_>, spot: Spot, now: Now) -> Option<Self> {
        let Window::Sliding(span) = charge.window else { return None };
        let mut slots = Slots::read(bytes, now)?;
        let mut last: Option<Slot<'_>> = None;
        while let Some(slot) = slots.next_live()? {
            if last.is_some_and(|slot| slot.id == spot.slot) {
                return None;
            }
            last = Some(slot);
        }
        let own = last.filter(|slot| slot.id == spot.slot && slot.window == charge.window && slots.are_as_written())?;
        let ring = own.ring()?;
        let body = own.body_length();
        let clock = slots.clock();
        Some(Self {
            slot: own.id,
            window: own.window,
            clock,
            ages: slots.age_at(),
            start: bytes.len().checked_sub(body)?,
            newest: ring.newest_of(body)?,
            total: u64::try_from(ring.total()).ok()?,
            cell: span.cell(clock.monotonic_ms),
        })
    }

    /// Whether it is that of a charge, and nothing in the shard has aged.
    pub(super) fn is_of(&self, charge: &Charge<'_>, spot: Spot, now: Now) -> bool {
        self.slot == spot.slot
            && self.window == charge.window
            && now.monotonic_ms < self.ages.monotonic_ms
            && now.wall_ms < self.ages.wall_ms
    }

    /// Counts a call in the bytes. `None`, and nothing is changed, if the limit does not admit it or the bytes have no
    /// room for the number.
    pub(super) fn add(&mut self, bytes: &mut [u8], charge: &Charge<'_>, now: Now) -> Option<Counted> {
        let total = self.total.checked_add(charge.amount)?;
        let remaining = charge.max.checked_sub(total)?;
        let newest = self.newest.plus(charge.amount)?;
        let clock = self.clock.or_later(now);
        newest.write_over(bytes.get_mut(self.start..)?);
        set_clock(bytes, clock)?;
        (self.total, self.newest, self.clock) = (total, newest, clock);
        Some(Counted { remaining, position: self.cell })
    }
}
