//! The usual call: one limit, whose counter has a slot, and room for the call.
//!
//! Its cost is what operators see. So where an agent calls in a loop, only a number is made larger in the bytes that are
//! there; otherwise the shard is written anew in one pass over it. Nothing is judged here that
//! [`weigh`](super::weigh) would judge otherwise: whatever is not that plain is left to it.

use super::charge::{Charge, Now};
use super::leases::Worker;
use super::outcome::{Part, Taken};
use super::shard::{NewSlot, SHARD_BYTES, Slot, Slots, set_clock, write_ring};
use super::weigh::{Job, Verdict};
use super::window::Window;

/// Counts a call, and takes the bytes. `None` if the shard or the call is not that plain, or the call is refused: the
/// bytes are left as they were.
pub(super) fn take(bytes: &mut Vec<u8>, job: &Job<'_>, now: Now, worker: Worker) -> Option<Verdict> {
    let charge = job.charge;
    if charge.amount == 0 || charge.window == Window::Running {
        return None;
    }
    let counted = match add_in_place(bytes, job, now) {
        Some(counted) => counted,
        None => add_in_new_page(bytes, job, now, worker)?,
    };
    let mut taken = Taken::default();
    taken.remaining.push(counted.remaining);
    taken.parts.push(Part {
        shard: job.spot.shard,
        slot: job.spot.slot,
        window: charge.window,
        position: counted.position,
        amount: charge.amount,
        charge: job.index,
    });
    Some(Verdict::Admitted { bytes: Some(std::mem::take(bytes)), taken })
}

/// A call that is admitted, and counted.
struct Counted {
    remaining: u64,
    position: u64,
}

/// Counts where nothing else has changed since the shard was written, and the counter's slot is the last one: that is
/// how it was left by the call before.
fn add_in_place(bytes: &mut [u8], Job { charge, spot, .. }: &Job<'_>, now: Now) -> Option<Counted> {
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
    let clock = slots.clock();
    let ring = own.ring()?;
    let remaining = remaining(charge, ring.total())?;
    let body = own.body_length();
    let newest = ring.add_in_place(charge.amount, body)?;
    set_clock(bytes, clock)?;
    let start = bytes.len().checked_sub(body)?;
    newest.write_over(bytes.get_mut(start..)?);
    Some(Counted { remaining, position: span.cell(clock.monotonic_ms) })
}

/// Counts in a page that takes the place of the bytes.
fn add_in_new_page(
    bytes: &mut Vec<u8>,
    Job { charge, spot, .. }: &Job<'_>,
    now: Now,
    worker: Worker,
) -> Option<Counted> {
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
    if out.len() > SHARD_BYTES {
        return None;
    }
    *bytes = out;
    Some(Counted { remaining, position })
}

/// What a limit still admits after a call; `None` if it does not admit the call.
fn remaining(charge: &Charge<'_>, total: u128) -> Option<u64> {
    let after = total.saturating_add(charge.amount.into());
    u64::try_from(u128::from(charge.max).checked_sub(after)?).ok()
}
