//! The charges of a call against one shard: do they fit, until when not, and the shard's bytes if they do.
//!
//! A counter's count is what its slot holds. Two more things can hold counts that the promise covers:
//! - a slot of the same counter with *another window*, from before a policy was changed (or while
//!   an old listener drains). Its parts count as long as they can lie in the asked window, and move
//!   into the asked window's slot if that remembers at least as much. So a change of a window
//!   admits nothing a second time that the counter still remembers;
//! - if this scope value has no slot that remembers as much as the window: the slot that those without one share (of its owner, or of
//!   the whole shard). Its counts are taken over when a slot is made, since some of them may be
//!   this one's. Calls that run there are not, since they will end there: they count for whoever has a slot, too.

use super::charge::{Charge, Now};
use super::count::{Count, Held};
use super::hash::{Seed, SlotId, Spot};
use super::layout::WhenFull;
use super::leases::Worker;
use super::outcome::{Refusal, Taken};
use super::page;
use super::shard::{Slot, Table};
use super::window::Window;
use crate::sort::sort_by;

/// A charge, its index, and where it counts.
#[derive(Clone, Copy)]
pub(super) struct Job<'c> {
    pub(super) index: usize,
    pub(super) charge: &'c Charge<'c>,
    pub(super) spot: Spot,
}

/// What the shard says to its charges.
pub(super) enum Verdict {
    /// All fit.
    Admitted { change: Change, taken: Taken },
    /// Not all fit.
    Refused(Refusal),
    /// All would fit, but there is no room to count that charge.
    Full { charge: usize },
}

/// What becomes of the bytes that were judged.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing is added.
    None,
    /// It is counted in them already.
    InPlace,
    /// These take their place.
    New(Vec<u8>),
}

/// How slots are named, what a full shard does, and who counts.
#[derive(Clone, Copy)]
pub(super) struct Terms<'q> {
    pub(super) seed: &'q Seed,
    pub(super) when_full: WhenFull,
    pub(super) worker: Worker,
}

/// One counter that charges add to.
pub(super) struct Demand<'c> {
    pub(super) spot: Spot,
    pub(super) window: Window,
    pub(super) own: Option<Count>,
    /// Whether the counter has a slot, for this window or another.
    pub(super) has_slot: bool,
    /// Whether some of what it counted may lie in a shared slot.
    pub(super) may_be_in_shared: bool,
    /// What other slots hold that may be this counter's.
    pub(super) others: Vec<Held>,
    /// What the window holds before this call.
    pub(super) stored: u128,
    /// What this call adds.
    pub(super) added: u128,
    pub(super) additions: Vec<Addition<'c>>,
}

pub(super) struct Addition<'c> {
    pub(super) index: usize,
    pub(super) charge: &'c Charge<'c>,
}

/// Judges the charges of one shard in order. `None` if the shard's bytes are damaged.
pub(super) fn weigh(table: &Table<'_>, jobs: &[Job<'_>], now: Now, terms: Terms<'_>) -> Option<Verdict> {
    let mut demands: Vec<Demand<'_>> = Vec::with_capacity(jobs.len());
    let mut taken = Taken::default();
    let mut refusal: Option<Refusal> = None;
    for job in jobs {
        let charge = job.charge;
        let known = demands.iter().position(|d| d.spot == job.spot && d.window == charge.window);
        let demand = match known.and_then(|at| demands.get_mut(at)) {
            Some(demand) => demand,
            None => demands.push_mut(Demand::new(table, job, now, terms)?),
        };
        match demand.additions.iter().find(|addition| addition.charge.adds_with(charge)) {
            Some(first) => taken.joined.push((first.index, job.index)),
            None if charge.amount > 0 => {
                demand.added = demand.added.saturating_add(charge.amount.into());
                demand.additions.push(Addition { index: job.index, charge });
            }
            None => {}
        }
        let max = u128::from(charge.max);
        let after = demand.stored.saturating_add(demand.added);
        taken.remaining.push(left(max, after));
        if charge.amount > 0 && after > max {
            let wait = demand.wait_until_held_is(max.checked_sub(demand.added), table.clock, now);
            let before = after.saturating_sub(charge.amount.into());
            refusal = Some(match refusal {
                Some(first) => Refusal { retry_after_ms: later(first.retry_after_ms, wait), ..first },
                None => Refusal { charge: job.index, retry_after_ms: wait, remaining: left(max, before) },
            });
        }
    }
    Some(match refusal {
        Some(refusal) => Verdict::Refused(refusal),
        None => page::write(table, &demands, taken, terms)?,
    })
}

/// The later of two waits, where `None` is never.
pub(super) fn later(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one?.max(other?))
}

fn left(max: u128, held: u128) -> u64 {
    u64::try_from(max.saturating_sub(held)).unwrap_or(u64::MAX)
}

impl<'c> Demand<'c> {
    fn new(table: &Table<'_>, job: &Job<'_>, now: Now, terms: Terms<'_>) -> Option<Self> {
        let window = job.charge.window;
        let mut own = None;
        let mut has_slot = false;
        let mut may_be_in_shared = true;
        let mut others = Vec::new();
        for slot in table.slots_of(job.spot.slot) {
            has_slot = true;
            // When it was made, it took over what was counted in a shared one.
            may_be_in_shared &= slot.window != window && !page::remembers_all_of(slot.window, window);
            let count = slot.count(table.clock)?;
            if slot.window == window {
                own = Some(count);
            } else {
                others.extend(count.held(table.clock, now));
            }
        }
        if may_be_in_shared && table.has_shared() {
            for slot in shared_slots(table, job, terms) {
                others.extend(slot.count(table.clock)?.held(table.clock, now));
            }
        }
        let counted = others.iter().filter(|held| held.counts_for_ms(window, table.clock, now).is_some());
        let mut of_others: u128 = counted.map(|held| u128::from(held.count)).sum();
        if window == Window::Running && table.has_shared() {
            for slot in shared_slots(table, job, terms) {
                of_others = of_others.saturating_add(slot.count(table.clock)?.total());
            }
        }
        let stored = own.as_ref().map_or(0, Count::total).saturating_add(of_others);
        let additions = Vec::with_capacity(1);
        Some(Self { spot: job.spot, window, own, has_slot, may_be_in_shared, others, stored, added: 0, additions })
    }

    /// What is to be written: no more than `max`, once the charges are judged.
    pub(super) fn amount(&self) -> u64 {
        u64::try_from(self.added).unwrap_or(u64::MAX)
    }

    /// How many ms until no more than `room` of what is held now still counts; `None` if `room` is
    /// less than nothing, or nobody knows, as calls run.
    fn wait_until_held_is(&self, room: Option<u128>, clock: Now, now: Now) -> Option<u64> {
        let room = room.filter(|_| self.window != Window::Running)?;
        let own = self.own.as_ref().map(|own| own.held(clock, now)).unwrap_or_default();
        let leaving: Vec<(u64, u64)> = own
            .iter()
            .chain(&self.others)
            .filter_map(|held| Some((held.counts_for_ms(self.window, clock, now)?, held.count)))
            .collect();
        let leaving = sort_by(leaving, Ord::cmp);
        let mut left = self.stored;
        let mut wait = 0;
        for (in_ms, count) in leaving {
            if left <= room {
                break;
            }
            wait = in_ms;
            left = left.saturating_sub(count.into());
        }
        Some(wait)
    }
}

pub(super) fn shared_slots<'t, 'a>(
    table: &'t Table<'a>,
    job: &Job<'_>,
    terms: Terms<'_>,
) -> impl Iterator<Item = &'t Slot<'a>> {
    let of_owner = job.spot.slot.shared_of_owner(terms.seed, job.charge);
    let of_all = SlotId::shared_by_all(terms.seed, job.charge);
    table.slots_of(of_owner).chain(table.slots_of(of_all))
}
