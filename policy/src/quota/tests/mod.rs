//! The counters as a whole, over a store in memory.

mod alternatives;
mod capacity;
mod commit;
mod damage;
mod full;
mod growth;
mod mutants;
mod promise;
mod races;
mod recall;
mod reload;
mod running;
mod scope;
mod several;
mod share;
mod single;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use super::*;

pub(super) const START: Now = Now { monotonic_ms: 10_000_000, wall_ms: 1_780_000_000_000 };

/// A map with exact compare-and-swap, as strict as Envoy's shared data.
#[derive(Default)]
pub(super) struct Map(Mutex<HashMap<String, (Vec<u8>, u32)>>);

impl Map {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<String, (Vec<u8>, u32)>> {
        self.0.lock().unwrap()
    }

    /// Bytes of all shards, and of the longest.
    pub(super) fn shard_bytes(&self) -> (usize, usize) {
        let map = self.lock();
        let shards = map.iter().filter(|(key, _)| !key.ends_with("layout"));
        shards.fold((0, 0), |(sum, longest), (_, (bytes, _))| (sum + bytes.len(), longest.max(bytes.len())))
    }
}

impl CounterStore for Map {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        Ok(self.lock().get(&shard.to_string()).map(|(bytes, cas)| (bytes.clone(), Cas(*cas))))
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        let mut map = self.lock();
        let key = shard.to_string();
        let present = map.get(&key).map(|(_, cas)| *cas);
        match (present, expected) {
            (None, Expected::Absent) => {}
            (Some(present), Expected::Version(Cas(read))) if present == read => {}
            _ => return Ok(Swap::Mismatch),
        }
        map.insert(key, (value.to_vec(), present.unwrap_or(0) + 1));
        Ok(Swap::Done)
    }
}

pub(super) fn open(store: &Map, max_bytes: u64, when_full: WhenFull) -> Quota {
    Quota::open(store, "test", Settings::new(max_bytes, when_full).unwrap(), [42; 16]).unwrap()
}

pub(super) fn grant(value: &str) -> Principal<'_> {
    Principal::Grant { source: "jwt_claim:sub", issuer: "https://idp", value }
}

pub(super) fn charge(counter: &str, window: Window, max: u64) -> Charge<'_> {
    Charge {
        call: 0,
        counter: CounterName { policy: "p", counter },
        scope: ScopeValue::Grant,
        window,
        unit: Unit::Calls,
        max,
        amount: 1,
    }
}

pub(super) fn after(now: Now, ms: u64) -> Now {
    Now { monotonic_ms: now.monotonic_ms + ms, wall_ms: now.wall_ms + ms }
}

/// Whether it was admitted; any error fails the test.
#[track_caller]
pub(super) fn admitted(outcome: Result<Outcome, QuotaError>) -> bool {
    matches!(outcome.unwrap(), Outcome::Admitted(_))
}

/// Whether it was admitted, though others may win every race of a call now and then: nothing is taken then.
#[track_caller]
pub(super) fn admitted_at_last(mut call: impl FnMut() -> Result<Outcome, QuotaError>) -> bool {
    loop {
        match call() {
            Err(QuotaError::Contended) => {}
            outcome => return admitted(outcome),
        }
    }
}

#[track_caller]
pub(super) fn refusal(outcome: Result<Outcome, QuotaError>) -> Refusal {
    match outcome.unwrap() {
        Outcome::Refused(refusal) => refusal,
        admitted => panic!("{admitted:?}"),
    }
}

#[track_caller]
pub(super) fn taken(outcome: Result<Outcome, QuotaError>) -> Taken {
    match outcome.unwrap() {
        Outcome::Admitted(taken) => taken,
        refused => panic!("{refused:?}"),
    }
}
