//! Finding room for what is admitted: the counter's own slot, or the one that those without a slot share.

use smallvec::SmallVec;

use super::count::Count;
use super::hash::SlotId;
use super::layout::WhenFull;
use super::outcome::{Part, Taken};
use super::room::{self, Kind, NoRoom, ROOMY_BYTES};
use super::shard::{NewSlot, SHARD_BYTES, Slot, Table};
use super::weigh::{Addition, Change, Demand, Job, Terms, Verdict, shared_slots};
use super::window::Window;

/// Finds room for every addition and writes the shard.
pub(super) fn write(table: &Table<'_>, demands: &[Demand<'_>], mut taken: Taken, terms: Terms<'_>) -> Option<Verdict> {
    let (gone, new) = (Vec::with_capacity(demands.len()), Vec::with_capacity(demands.len()));
    let mut page = Page { table, terms, length: table.length(), gone, new };
    for demand in demands {
        let Some(first) = demand.additions.first() else {
            continue;
        };
        let full = Some(Verdict::Full { charge: first.index });
        let placed = match page.place_own(demand, first)? {
            Ok(placed) => placed,
            // A counter that has a slot is not judged by a shared one, so it must not count there.
            Err(_) if demand.has_slot || terms.when_full == WhenFull::Deny => return full,
            Err(what) => match page.place_shared(demand, first, what)? {
                Ok(placed) => placed,
                Err(_) => return full,
            },
        };
        taken.parts.extend(demand.additions.iter().map(|addition| Part {
            shard: demand.spot.shard,
            slot: placed.slot,
            window: demand.window,
            position: placed.position,
            amount: addition.charge.amount,
            charge: addition.index,
        }));
    }
    let bytes = (!page.new.is_empty()).then(|| {
        let Page { gone, new, .. } = &page;
        table.write(|slot| gone.contains(&(slot.id, slot.window)), new)
    });
    // INVARIANT: every placing kept to SHARD_BYTES. Two counters that are mistaken for one could still break it, and
    // a shard that is too long would never be read again.
    match bytes {
        Some(bytes) if bytes.len() > SHARD_BYTES => {
            Some(Verdict::Full { charge: demands.first()?.additions.first()?.index })
        }
        bytes => Some(Verdict::Admitted { change: bytes.map_or(Change::None, Change::New), taken }),
    }
}

/// The shard as it will be written.
struct Page<'t, 'a> {
    table: &'t Table<'a>,
    terms: Terms<'t>,
    length: usize,
    gone: Vec<(SlotId, Window)>,
    new: Vec<NewSlot>,
}

struct Placed {
    slot: SlotId,
    position: u64,
}

impl Page<'_, '_> {
    /// Adds to the counter's own slot, which may have to be made. `None`: the shard is damaged.
    fn place_own(&mut self, demand: &Demand<'_>, first: &Addition<'_>) -> Option<Result<Placed, NoRoom>> {
        let Self { table, terms, .. } = *self;
        let id = demand.spot.slot;
        let mut count = demand.own.clone().unwrap_or_else(|| Count::empty(demand.window, table.clock));
        let mut gone: SmallVec<[_; 1]> = SmallVec::new();
        let mut freed = 0usize;
        for slot in table.slots_of(id) {
            if slot.window != demand.window {
                if !remembers_all_of(demand.window, slot.window) {
                    continue;
                }
                let held = slot.count(table.clock)?.held(table.clock, table.clock);
                held.iter().for_each(|held| count.absorb(held));
            }
            gone.push((id, slot.window));
            freed = freed.saturating_add(slot.length());
        }
        if demand.may_be_in_shared && table.has_shared() {
            let job = Job { index: first.index, charge: first.charge, spot: demand.spot };
            for slot in shared_slots(table, &job, terms) {
                let held = slot.count(table.clock)?.held(table.clock, table.clock);
                held.iter().for_each(|held| count.absorb(held));
            }
        }
        let position = count.add(demand.amount(), table.clock, terms.worker);
        let slot = NewSlot::new(id, demand.window, count);
        let kind = if gone.is_empty() { Kind::New } else { Kind::Known };
        let placed = self.write(kind, slot, gone, freed);
        Some(placed.map(|()| Placed { slot: id, position }))
    }

    /// Adds to the slot that those without one share. `None`: the shard is damaged.
    fn place_shared(
        &mut self,
        demand: &Demand<'_>,
        first: &Addition<'_>,
        what_is_full: NoRoom,
    ) -> Option<Result<Placed, NoRoom>> {
        let Self { table, terms, .. } = *self;
        let id = match what_is_full {
            NoRoom::OfOwner => demand.spot.slot.shared_of_owner(terms.seed, first.charge),
            NoRoom::OfAll => SlotId::shared_by_all(terms.seed, first.charge),
        };
        let window = demand.window;
        if let Some(known) = self.new.iter().position(|slot| slot.id == id && slot.window == window) {
            let mut slot = self.new.swap_remove(known);
            let before = slot.length();
            let position = slot.change(|count| count.add(demand.amount(), table.clock, terms.worker));
            let placed = self.write(Kind::Shared, slot, SmallVec::new(), before);
            return Some(placed.map(|()| Placed { slot: id, position }));
        }
        let stored = table.slots_of(id).find(|slot| slot.window == window);
        let mut count = match stored {
            Some(slot) => slot.count(table.clock)?,
            None => Count::empty(window, table.clock),
        };
        let position = count.add(demand.amount(), table.clock, terms.worker);
        let slot = NewSlot::new(id, window, count);
        let freed = stored.map_or(0, Slot::length);
        let placed = self.write(Kind::Shared, slot, SmallVec::from_buf([(id, window)]), freed);
        Some(placed.map(|()| Placed { slot: id, position }))
    }

    /// Writes a slot in the place of others, which take so many bytes now, if there is room for it.
    fn write(
        &mut self,
        kind: Kind,
        slot: NewSlot,
        mut gone: SmallVec<[(SlotId, Window); 1]>,
        freed: usize,
    ) -> Result<(), NoRoom> {
        let length = self.length.saturating_sub(freed).saturating_add(slot.length());
        let grows = slot.length() > freed;
        if grows && length > ROOMY_BYTES {
            let is_gone = |slot: &&Slot<'_>| {
                let name = (slot.id, slot.window);
                gone.contains(&name) || self.gone.contains(&name)
            };
            let stay = self.table.slots().iter().filter(|slot| !is_gone(slot));
            room::find(kind, &slot, stay, &self.new)?;
        }
        self.length = length;
        self.gone.extend(gone.drain(..));
        self.new.push(slot);
        Ok(())
    }
}

/// Whether `window` remembers everything at least as long as `other` does, so that nothing is lost
/// by moving there. A period forgets at its boundary even what has just come, so it remembers no
/// more than shorter periods, which lie in it.
pub(super) fn remembers_all_of(window: Window, other: Window) -> bool {
    other.length_ms() <= window.length_ms()
        && matches!((window, other), (Window::Sliding(_), _) | (_, Window::Calendar(_)))
}
