//! The calls that run on this worker and count as long as they do, stated again and again while any runs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use policy::quota::{LEASE_MS, LeaseId, Left, Quota, QuotaError};

use crate::host::{self, Level};
use crate::metrics::Metrics;
use crate::store::{self, Counters};

/// How often leases are stated, in ms: several times before one expires, should a worker be held up or the store
/// contended.
pub(crate) const TICK_MS: u32 = 5_000;
const _: () = assert!(TICK_MS as u64 * 5 < LEASE_MS);

/// What this worker holds under one configuration.
#[derive(Default)]
pub(crate) struct Leases {
    held: RefCell<BTreeMap<LeaseId, Held>>,
    /// When all were stated last, in ms of the monotonic clock.
    stated_ms: Cell<u64>,
}

/// What is to be stated of one slot.
#[derive(Default)]
struct Held {
    count: u64,
    /// What clients left behind and could not be stated yet.
    owed: Vec<Left>,
}

impl Leases {
    /// Calls have begun: what they hold is counted already.
    pub(crate) fn begin(&self, id: LeaseId, count: u64) {
        if let Ok(mut held) = self.held.try_borrow_mut() {
            let held = held.entry(id).or_default();
            held.count = held.count.saturating_add(count);
        }
    }

    /// Calls have ended, or are left behind. What cannot be stated now is with the next tick.
    pub(crate) fn end(
        &self,
        (quota, store): (&Quota, &Counters),
        id: LeaseId,
        count: u64,
        left: Option<Left>,
    ) -> Result<(), QuotaError> {
        let Ok(mut all) = self.held.try_borrow_mut() else { return Ok(()) };
        let Some(held) = all.get_mut(&id) else { return Ok(()) };
        held.count = held.count.saturating_sub(count);
        held.owed.extend(left);
        held.state(quota, store, id)?;
        if held.count == 0 {
            all.remove(&id);
        }
        Ok(())
    }

    /// States all that is held, if it is time.
    pub(crate) fn tick(&self, quota: &Quota, store: &Counters, metrics: &Metrics) {
        let Ok(now) = store::now(false) else { return };
        if now.monotonic_ms.saturating_sub(self.stated_ms.get()) < TICK_MS.into() {
            return;
        }
        self.stated_ms.set(now.monotonic_ms);
        let Ok(mut all) = self.held.try_borrow_mut() else { return };
        all.retain(|id, held| match held.state(quota, store, *id) {
            Ok(()) => held.count > 0,
            Err(error) => {
                metrics.uncounted(&error);
                host::log(Level::Warn, &format!("mcp_policy: running calls cannot be stated: {error}"));
                true
            }
        });
    }

    /// Whether anything is left to state.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.try_borrow().is_ok_and(|held| held.is_empty())
    }
}

impl Held {
    fn state(&mut self, quota: &Quota, store: &Counters, id: LeaseId) -> Result<(), QuotaError> {
        loop {
            let left = self.owed.last().copied();
            // What is still owed counts as if it ran here.
            let owed = self.owed.iter().rev().skip(1).map(|left| left.count);
            let held = owed.fold(self.count, u64::saturating_add);
            quota.state_leases(store, id, held, left.unwrap_or_default(), store::now(false)?)?;
            if left.is_none() || self.owed.pop().is_some() && self.owed.is_empty() {
                return Ok(());
            }
        }
    }
}
