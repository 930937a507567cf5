//! The counters' store: Envoy's shared data, one map for all workers.

use policy::quota::{Cas, Expected, Now, QuotaError, Remembering, StampedMap, StoreError, Swap};

use crate::host::{self, Status, Swapped};

/// The counters, and what this worker remembers of them.
pub(crate) type Counters = Remembering<SharedData>;

/// Envoy's shared data.
#[derive(Debug)]
pub(crate) struct SharedData;

impl StampedMap for SharedData {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        let value = host::shared_value(key).map_err(failed)?;
        Ok(value.map(|(bytes, stamp)| (bytes, Cas(stamp))))
    }

    fn compare_and_swap(&self, key: &str, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        let stamp = match expected {
            Expected::Absent => None,
            Expected::Version(Cas(stamp)) => Some(stamp),
        };
        Ok(match host::compare_and_swap(key, value, stamp).map_err(failed)? {
            Swapped::Yes => Swap::Done,
            Swapped::No => Swap::Mismatch,
        })
    }
}

/// The time that counters go by: that of the present moment, and not of the request's head, which a client may have sent long
/// ago. The time of day is left out where no calendar is asked.
pub(crate) fn now(calendar: bool) -> Result<Now, QuotaError> {
    let wall_ms = if calendar { host::wall_ns().map_err(failed)? / 1_000_000 } else { 0 };
    Ok(Now { monotonic_ms: host::monotonic_ms().map_err(failed)?, wall_ms })
}

fn failed(status: Status) -> StoreError {
    StoreError { status: status.0 }
}
