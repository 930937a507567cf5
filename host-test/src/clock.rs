//! Time that stands still until a test moves it.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// 2026-01-01T00:00:00Z in nanoseconds since the Unix epoch: the wall clock of a new host.
pub const START_WALL_CLOCK: u64 = 1_767_225_600_000_000_000;

/// The two clocks of one Envoy process, in nanoseconds; all workers read the same ones.
#[derive(Debug)]
pub(crate) struct Clock {
    wall: AtomicU64,
    monotonic: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        // The monotonic clock starts off the zero and off any round number, as an up-time does.
        Clock { wall: AtomicU64::new(START_WALL_CLOCK), monotonic: AtomicU64::new(86_412_345_678_901) }
    }
}

impl Clock {
    pub(crate) fn wall(&self) -> u64 {
        self.wall.load(SeqCst)
    }

    pub(crate) fn monotonic(&self) -> u64 {
        self.monotonic.load(SeqCst)
    }

    pub(crate) fn set_wall(&self, nanoseconds: u64) {
        self.wall.store(nanoseconds, SeqCst);
    }

    pub(crate) fn advance_monotonic(&self, by: Duration) {
        self.monotonic.fetch_add(nanoseconds(by), SeqCst);
    }

    pub(crate) fn advance_wall(&self, by: Duration) {
        self.wall.fetch_add(nanoseconds(by), SeqCst);
    }

    pub(crate) fn turn_wall_back(&self, by: Duration) {
        self.wall.fetch_sub(nanoseconds(by), SeqCst);
    }
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
