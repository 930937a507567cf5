//! Counters that are wrong in the ways that counters usually are, to see that the tests of exactness find it.

use super::*;

/// A store in which a swap that lost is taken for one that won: what was counted is gone.
pub(super) struct IgnoresMismatch(pub(super) Map);

impl CounterStore for IgnoresMismatch {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        self.0.get(shard)
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        self.0.compare_and_swap(shard, value, expected)?;
        Ok(Swap::Done)
    }
}

/// A store that writes whatever was written meanwhile: what others counted is gone.
pub(super) struct Overwrites(pub(super) Map);

impl CounterStore for Overwrites {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        self.0.get(shard)
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], _: Expected) -> Result<Swap, StoreError> {
        let mut map = self.0.lock();
        let next = map.get(&shard.to_string()).map_or(1, |(_, cas)| cas + 1);
        map.insert(shard.to_string(), (value.to_vec(), next));
        Ok(Swap::Done)
    }
}

/// The generic cell rate algorithm, with a burst of `max`: a call comes early by as much as the calls before it came
/// early, and may do so by up to `max - 1` intervals.
pub(super) struct Gcra {
    interval_ms: u64,
    burst_ms: u64,
    /// When the next call would come that comes neither early nor late.
    due_ms: u64,
}

impl Gcra {
    pub(super) fn new(max: u64, window_ms: u64) -> Self {
        let interval_ms = window_ms.div_ceil(max);
        Self { interval_ms, burst_ms: (max - 1) * interval_ms, due_ms: 0 }
    }

    pub(super) fn admits(&mut self, now_ms: u64) -> bool {
        let due_ms = self.due_ms.max(now_ms);
        let admitted = due_ms - now_ms <= self.burst_ms;
        if admitted {
            self.due_ms = due_ms + self.interval_ms;
        }
        admitted
    }
}

/// Two fixed windows, of which the one before counts by the part of it that the last `window_ms` still cover.
pub(super) struct TwoWindows {
    max: u64,
    window_ms: u64,
    window: u64,
    before: u64,
    here: u64,
}

impl TwoWindows {
    pub(super) fn new(max: u64, window_ms: u64) -> Self {
        Self { max, window_ms, window: 0, before: 0, here: 0 }
    }

    pub(super) fn admits(&mut self, now_ms: u64) -> bool {
        let window = now_ms / self.window_ms;
        if window != self.window {
            self.before = if window == self.window + 1 { self.here } else { 0 };
            (self.window, self.here) = (window, 0);
        }
        let covered_ms = self.window_ms - now_ms % self.window_ms;
        let admitted = self.before * covered_ms + (self.here + 1) * self.window_ms <= self.max * self.window_ms;
        self.here += u64::from(admitted);
        admitted
    }
}
