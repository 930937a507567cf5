//! The order in which bodies were judged, and by which clock.

use policy::quota::Now;

use super::record::Record;

/// Clocks of one machine run apart by no more, in ms.
const APART_MS: u64 = 1000;

/// Which clock sliding windows go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// The one that the filter went by. All records are of one machine since it was started.
    Recorded,
    /// The time of day.
    Wall,
}

impl Clock {
    /// When a body was judged.
    pub(super) fn now(self, record: &Record) -> Now {
        let monotonic_ms = match self {
            Self::Recorded => record.clock_us / 1000,
            Self::Wall => record.wall_ms,
        };
        Now { monotonic_ms, wall_ms: record.wall_ms }
    }
}

/// Sorts records as their bodies were judged. An access log has them as their answers ended.
pub(super) fn by_time(records: &mut [Record]) -> Clock {
    let ahead = |record: &Record| record.wall_ms.abs_diff(record.clock_us / 1000);
    let (least, most) = (records.iter().map(ahead).min(), records.iter().map(ahead).max());
    let apart = most.unwrap_or_default().abs_diff(least.unwrap_or_default());
    let clock = if apart <= APART_MS && records.iter().all(|record| record.clock_us > 0) {
        Clock::Recorded
    } else {
        Clock::Wall
    };
    match clock {
        Clock::Recorded => records.sort_by_key(|record| record.clock_us),
        Clock::Wall => records.sort_by_key(|record| record.wall_ms),
    }
    clock
}
