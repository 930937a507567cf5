//! The usual call: one limit, whose counter has a slot, and room for the call.
//!
//! Its cost is what operators see. So where an agent calls in a loop, only a number is made larger in the bytes that are
//! there; otherwise the shard is written anew in one pass over it. Nothing is judged here that
//! [`weigh`](super::weigh) would judge otherwise: whatever is not that plain is left to it.

use smallvec::SmallVec;

use super::charge::{Charge, Now};
use super::leases::Worker;
use super::outcome::{Part, Taken};
use super::place::{Counted, Place};
use super::room::ROOMY_BYTES;
use super::shard::{NewSlot, SHARD_BYTES, Slot, Slots, write_ring};
use super::store::Kept;
use super::weigh::{Change, Job, Verdict};
use super::window::Window;

/// Counts a call. `None` if the shard or the call is not that plain, or the call is refused: the bytes are left as they
/// were.
pub(super) fn take(kept: &mut Kept, job: &Job<'_>, now: Now, worker: Worker) -> Option<Verdict> {
    if job.charge.amount == 0 || job.charge.window == Window::Running {
        return None;
    }
    let (counted, change) = match add_in_place(kept, job, now) {
        Some(counted) => (counted, Change::InPlace),
        None => add_in_new_page(&kept.bytes, job, now, worker)?,
    };
    Some(Verdict::Admitted { change, taken: taken(job, counted) })
}

/// What a call has taken.
pub(super) fn taken(job: &Job<'_>, counted: Counted) -> Taken {
    let part = Part {
        shard: job.spot.shard,
        slot: job.spot.slot,
        window: job.charge.window,
        position: counted.position,
        amount: job.charge.amount,
        charge: job.index,
    };
    Taken { remaining: SmallVec::from_buf([counted.remaining]), parts: SmallVec::from_buf([part]), joined: Vec::new() }
}

/// Counts a sliding window's call where the call before was counted, if nothing in the shard has aged since.
pub(super) fn add_in_place(
    Kept { bytes, place }: &mut Kept,
    Job { charge, spot, .. }: &Job<'_>,
    now: Now,
) -> Option<Counted> {
    if charge.amount == 0 {
        return None;
    }
    if let Some(place) = place
        && place.is_of(charge, *spot, now)
    {
        return place.add(bytes, charge, now);
    }
    let mut found = Place::find(bytes, charge, *spot, now)?;
    let counted = found.add(bytes, charge, now)?;
    *place = Some(Box::new(found));
    Some(counted)
}

/// Counts in a page that takes the place of the bytes.
fn add_in_new_page(
    bytes: &[u8],
    Job { charge, spot, .. }: &Job<'_>,
    now: Now,
    worker: Worker,
) -> Option<(Counted, Change)> {
    let id = spot.slot;
    let mut slots = Slots::read(bytes, now)?;
    let clock = slots.clock();
    let mut out = slots.begin_page();
    let mut own: Option<Slot<'_>> = None;
    while let Some(slot) = slots.next_live()? {
        if slot.id == id && (own.is_some() || slot.window != charge.window) {
            return None;
        }
        if slot.id == id {
            own = Some(slot);
        } else {
            slot.write(&mut out);
        }
    }
    let own = own?;
    let others = out.len();
    let (remaining, position) = if let Window::Sliding(span) = charge.window {
        let mut ring = own.ring()?;
        let remaining = remaining(charge, ring.total())?;
        ring.add(charge.amount);
        write_ring(id, charge.window, &ring, &mut out);
        (remaining, span.cell(clock.monotonic_ms))
    } else {
        let mut count = own.count(clock)?;
        let remaining = remaining(charge, count.total())?;
        let position = count.add(charge.amount, clock, worker);
        NewSlot::new(id, charge.window, count).write(&mut out);
        (remaining, position)
    };
    // Who grows in a full shard has to leave others room.
    let grows = out.len() > others.saturating_add(own.length());
    if out.len() > SHARD_BYTES || grows && out.len() > ROOMY_BYTES {
        return None;
    }
    Some((Counted { remaining, position }, Change::New(out)))
}

/// What a limit still admits after a call; `None` if it does not admit the call.
fn remaining(charge: &Charge<'_>, total: u128) -> Option<u64> {
    let after = total.saturating_add(charge.amount.into());
    u64::try_from(u128::from(charge.max).checked_sub(after)?).ok()
}
