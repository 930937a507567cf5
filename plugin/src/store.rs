//! The counters' store: Envoy's shared data, one map for all workers.

use policy::quota::{Cas, CounterStore, Expected, Now, QuotaError, ShardId, StoreError, Swap};

use crate::host::{self, Status, Swapped};

/// Envoy's shared data.
pub(crate) struct SharedData;

impl CounterStore for SharedData {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        let value = host::shared_value(shard.as_str()).map_err(failed)?;
        Ok(value.map(|(value, cas)| (value, Cas(cas))))
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        let cas = match expected {
            Expected::Absent => None,
            Expected::Version(Cas(cas)) => Some(cas),
        };
        match host::compare_and_swap(shard.as_str(), value, cas).map_err(failed)? {
            Swapped::Yes => Ok(Swap::Done),
            Swapped::No => Ok(Swap::Mismatch),
        }
    }
}

/// The time that counters go by. The wall clock's is that of the call, or 0 where no calendar is asked.
pub(crate) fn now(wall_ms: u64) -> Result<Now, QuotaError> {
    Ok(Now { monotonic_ms: host::monotonic_ms().map_err(failed)?, wall_ms })
}

fn failed(status: Status) -> StoreError {
    StoreError { status: status.0 }
}
