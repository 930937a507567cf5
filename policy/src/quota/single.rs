//! The usual call: one limit, whose counter has a slot, and room for the call.
//!
//! It is counted in one pass over the shard, since its cost is what operators see. Nothing is judged here that
//! [`weigh`](super::weigh) would judge otherwise: whatever is not that plain is left to it.

use super::charge::Now;
use super::leases::Worker;
use super::outcome::{Part, Taken};
use super::shard::{NewSlot, SHARD_BYTES, Slot, Slots, write_ring};
use super::weigh::{Job, Verdict};
use super::window::Window;

/// Counts a call. `None` if the shard or the call is not that plain, or the call is refused.
pub(super) fn take(bytes: &[u8], job: &Job<'_>, now: Now, worker: Worker) -> Option<Verdict> {
    let (charge, id) = (job.charge, job.spot.slot);
    if charge.amount == 0 || charge.window == Window::Running {
        return None;
    }
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
    let admit = |total: u128| {
        let after = total.saturating_add(charge.amount.into());
        u64::try_from(u128::from(charge.max).checked_sub(after)?).ok()
    };
    let (remaining, position);
    if let Window::Sliding(span) = charge.window {
        let mut ring = own.ring()?;
        remaining = admit(ring.total())?;
        position = span.cell(clock.monotonic_ms);
        ring.add(charge.amount);
        write_ring(id, charge.window, &ring, &mut out);
    } else {
        let mut count = own.count(clock)?;
        remaining = admit(count.total())?;
        position = count.add(charge.amount, clock, worker);
        NewSlot::new(id, charge.window, count).write(&mut out);
    }
    if out.len() > SHARD_BYTES {
        return None;
    }
    let mut taken = Taken::default();
    taken.remaining.push(remaining);
    taken.parts.push(Part {
        shard: job.spot.shard,
        slot: id,
        window: charge.window,
        position,
        amount: charge.amount,
        charge: job.index,
    });
    Some(Verdict::Admitted { bytes: Some(out), taken })
}
