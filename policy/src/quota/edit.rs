//! Changes of what is counted already: giving back, and stating what runs.

use super::charge::Now;
use super::layout::Quota;
use super::outcome::{Part, QuotaError, Taken};
use super::room::{self, Kind, ROOMY_BYTES};
use super::shard::{NewSlot, SHARD_BYTES, Table};
use super::store::{CounterStore, Expected, Swap};
use super::take::ATTEMPTS;
use crate::sort::sort_by;

impl Quota {
    /// Gives back what an admission took, for those of its charges that `which` names by index. A
    /// counter that several charges of one call added to together is given back only if all of them
    /// are named. What has left its window meanwhile stays gone.
    ///
    /// # Errors
    /// When the store fails, holds damaged bytes, or other workers win every race. The counts then stay.
    pub fn give_back<S: CounterStore>(
        &self,
        store: &S,
        taken: &Taken,
        which: impl Fn(usize) -> bool,
    ) -> Result<(), QuotaError> {
        let named = |part: &Part| {
            let mut joined = taken.joined.iter().filter(|(first, _)| *first == part.charge);
            which(part.charge) && joined.all(|&(_, also)| which(also))
        };
        let parts: Vec<&Part> = taken.parts.iter().filter(|part| named(part)).collect();
        let mut shards = sort_by(parts.iter().map(|part| part.shard).collect(), Ord::cmp);
        shards.dedup();
        let mut result = Ok(());
        for shard in shards {
            let of_shard: Vec<&Part> = parts.iter().copied().filter(|part| part.shard == shard).collect();
            result = result.and(self.subtract(store, shard, &of_shard));
        }
        result
    }

    /// Takes parts of one shard back.
    fn subtract<S: CounterStore>(&self, store: &S, shard: u32, parts: &[&Part]) -> Result<(), QuotaError> {
        // At no time of its own, a shard is read at the time it was written.
        self.edit(store, shard, Now { monotonic_ms: 0, wall_ms: 0 }, |table| {
            let mut changed: Vec<NewSlot> = Vec::new();
            for part in parts {
                let known = changed.iter_mut().find(|slot| slot.id == part.slot && slot.window == part.window);
                if let Some(slot) = known {
                    slot.change(|count| count.subtract(part.amount, part.position));
                    continue;
                }
                let stored = table.slots_of(part.slot).find(|slot| slot.window == part.window);
                if let Some(slot) = stored {
                    let mut count = slot.count(table.clock)?;
                    count.subtract(part.amount, part.position);
                    changed.push(NewSlot::new(part.slot, part.window, count));
                }
            }
            Some(changed)
        })
    }

    /// Puts slots in the place of those with the same id and window, whatever anybody else writes meanwhile. `change`
    /// says `None` if a slot is damaged.
    ///
    /// # Errors
    /// When the store fails, the shard is damaged or would grow too long, or other workers win every race. Nothing is
    /// changed then.
    pub(super) fn edit<S: CounterStore>(
        &self,
        store: &S,
        shard: u32,
        now: Now,
        change: impl Fn(&Table<'_>) -> Option<Vec<NewSlot>>,
    ) -> Result<(), QuotaError> {
        let corrupt = QuotaError::Corrupt { shard: Some(shard) };
        let id = self.shard(shard);
        for _ in 0..ATTEMPTS {
            let read = store.get(id)?;
            let bytes = read.as_ref().map(|(bytes, _)| bytes.as_slice());
            let table = Table::read(bytes, now).ok_or(corrupt)?;
            let changed = change(&table).ok_or(corrupt)?;
            if changed.is_empty() {
                return Ok(());
            }
            let is_changed = |id, window| changed.iter().any(|new| new.id == id && new.window == window);
            let bytes = table.write(|slot| is_changed(slot.id, slot.window), &changed);
            let stay = || table.slots().iter().filter(|slot| !is_changed(slot.id, slot.window));
            let grows = bytes.len() > ROOMY_BYTES && bytes.len() > table.length();
            let has_room = |slot: &NewSlot| room::find(Kind::Known, slot, stay(), &[]).is_ok();
            if bytes.len() > SHARD_BYTES || grows && !changed.iter().all(has_room) {
                return Err(QuotaError::Full { charge: 0 });
            }
            let expected = read.map_or(Expected::Absent, |(_, cas)| Expected::Version(cas));
            match store.compare_and_swap(id, &bytes, expected)? {
                Swap::Done => return Ok(()),
                Swap::Mismatch => {}
            }
        }
        Err(QuotaError::Contended)
    }
}
