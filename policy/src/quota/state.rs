//! What a worker says of its running calls.

use super::charge::Now;
use super::count::Count;
use super::layout::Quota;
use super::leases::Leases;
use super::outcome::{LeaseId, QuotaError};
use super::shard::NewSlot;
use super::store::CounterStore;
use super::window::Window;

/// Calls whose client has hung up: the server may go on with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// How many.
    pub count: u64,
    /// How long each goes on counting, in ms.
    pub linger_ms: u64,
}

impl Quota {
    /// States how many leases of a slot this worker holds from now on, and what was left behind there since it stated
    /// last. To be said when a call ends, and in time before [`LEASE_MS`](super::LEASE_MS) are over while any runs.
    ///
    /// # Errors
    /// When the store fails or holds damaged bytes, when there is no room, or when other workers win every race. The
    /// statement before then holds until it expires; the next makes good for this one, except for what was left
    /// behind, which is then to be said again. Where there is no room, it counts as held until then.
    pub fn state_leases<S: CounterStore>(
        &self,
        store: &S,
        id: LeaseId,
        held: u64,
        left: Left,
        now: Now,
    ) -> Result<(), QuotaError> {
        let stated = self.state(store, id, held, left, now);
        if left.count > 0 && matches!(stated, Err(QuotaError::Full { .. })) {
            self.state(store, id, held.saturating_add(left.count), Left::default(), now)?;
        }
        stated
    }

    fn state<S: CounterStore>(
        &self,
        store: &S,
        id: LeaseId,
        held: u64,
        left: Left,
        now: Now,
    ) -> Result<(), QuotaError> {
        self.edit(store, id.shard, now, |table| {
            let stored = table.slots_of(id.slot).find(|slot| slot.window == Window::Running);
            let mut leases = match stored.map(|slot| slot.count(table.clock)) {
                None => Leases::default(),
                Some(Some(Count::Running(leases))) => leases,
                Some(_) => return None,
            };
            leases.state(self.worker(), held, table.clock);
            leases.leave(left.count, left.linger_ms, table.clock);
            let new = NewSlot::new(id.slot, Window::Running, Count::Running(leases));
            let is_needed = stored.is_some() || new.length() > 0;
            Some(if is_needed { vec![new] } else { vec![] })
        })
    }
}
