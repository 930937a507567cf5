//! The counters' store: Envoy's shared data, one map for all workers.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use policy::quota::{Cas, CounterStore, Expected, Now, QuotaError, ShardId, StoreError, Swap};

use crate::host::{self, Status, Swapped};

/// Envoy's shared data, and what this worker itself wrote there last.
#[derive(Default)]
pub(crate) struct SharedData {
    last: RefCell<Last>,
    /// Others write as well, so guesses fail. They are made again when reading shows that one would have been right.
    misled: Cell<bool>,
}

/// The shard that was read or written last.
#[derive(Default)]
struct Last {
    root: Option<Arc<str>>,
    number: Option<u32>,
    key: String,
    /// What this worker wrote; empty if it is not known, or was recalled.
    value: Vec<u8>,
    /// The stamp that Envoy will have given it; 0 if this worker wrote nothing.
    stamp: u32,
}

impl Last {
    fn is(&self, shard: ShardId<'_>) -> bool {
        self.number == shard.number() && self.root.as_ref().is_some_and(|root| Arc::ptr_eq(root, shard.root()))
    }

    fn become_one_of(&mut self, shard: ShardId<'_>) {
        self.root = Some(Arc::clone(shard.root()));
        self.number = shard.number();
        self.key = shard.key();
        self.value = Vec::new();
        self.stamp = 0;
    }
}

impl SharedData {
    /// What is known of a shard: its key at least, which is written once for all calls in a row that count there.
    fn with<T>(&self, shard: ShardId<'_>, what: impl FnOnce(&mut Last) -> T) -> T {
        let Ok(mut last) = self.last.try_borrow_mut() else {
            // Nothing is asked of the store while it is asked; if it were, it would know the key.
            let mut last = Last::default();
            last.become_one_of(shard);
            return what(&mut last);
        };
        if !last.is(shard) {
            last.become_one_of(shard);
        }
        what(&mut last)
    }
}

/// # What a shard is known by
/// Envoy gives every value that is written, under whatever key, the next of its stamps. So a value that took the place
/// of one stamped `n` has `n + 1`, if nothing else was written between, which is usual where one agent calls in
/// a loop: then its next call is counted without reading the shard.
///
/// If something was, `n + 1` is the stamp of that, and since this shard still had `n` when it was swapped, of another
/// key. So no other version of this shard ever has it, until 2^32 writes later, and a swap by it succeeds only upon
/// what this worker wrote.
impl CounterStore for SharedData {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        self.with(shard, |last| {
            let Some((value, stamp)) = host::shared_value(&last.key).map_err(failed)? else { return Ok(None) };
            if last.stamp != 0 {
                self.misled.set(last.stamp != stamp);
            }
            Ok(Some((value, Cas(stamp))))
        })
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        let cas = match expected {
            Expected::Absent => None,
            Expected::Version(Cas(cas)) => Some(cas),
        };
        match self.with(shard, |last| host::compare_and_swap(&last.key, value, cas)).map_err(failed)? {
            Swapped::Yes => Ok(Swap::Done),
            Swapped::No => {
                self.misled.set(true);
                Ok(Swap::Mismatch)
            }
        }
    }

    fn recall(&self, shard: ShardId<'_>) -> Option<(Vec<u8>, Cas)> {
        if self.misled.get() {
            return None;
        }
        self.with(shard, |last| {
            let value = std::mem::take(&mut last.value);
            (!value.is_empty()).then_some((value, Cas(last.stamp)))
        })
    }

    fn keep(&self, shard: ShardId<'_>, value: Vec<u8>, Cas(replaced): Cas) {
        self.with(shard, |last| {
            last.value = value;
            last.stamp = following(replaced);
        });
    }
}

/// The stamp that Envoy gives next. 0 is none.
fn following(stamp: u32) -> u32 {
    stamp.checked_add(1).unwrap_or(1)
}

/// The time that counters go by. The wall clock's is that of the call, or 0 where no calendar is asked.
pub(crate) fn now(wall_ms: u64) -> Result<Now, QuotaError> {
    Ok(Now { monotonic_ms: host::monotonic_ms().map_err(failed)?, wall_ms })
}

fn failed(status: Status) -> StoreError {
    StoreError { status: status.0 }
}
