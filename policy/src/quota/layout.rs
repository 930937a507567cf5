//! How many shards a plugin root has, and the key of their hash: agreed once by all workers, until a restart. And a
//! number for each worker.

use std::sync::Arc;

use super::charge::{Charge, Principal};
use super::hash::{self, Seed, Spot};
use super::leases::Worker;
use super::outcome::QuotaError;
use super::shard::SHARD_BYTES;
use super::spots::Spots;
use super::store::{CounterStore, Expected, ShardId, Swap};
use super::take::ATTEMPTS;

const FEWEST_SHARDS: u32 = 8;
const MOST_SHARDS: u32 = 1 << 19;
const DEFAULT_SHARDS: u32 = 1 << 14;
const RECORD_BYTES: usize = 24;

/// What an operator sets about the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    shards: u32,
    when_full: WhenFull,
}

/// What becomes of counts that find no room in their shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The call is denied ([`QuotaError::Full`]).
    #[default]
    Deny,
    /// Those without a slot share one per limit (of their grant, if its part of the shard is what
    /// is full; otherwise of the shard): together they get what one of them would. If there is no
    /// room even for that, the call is denied.
    Share,
}

/// The counters of one plugin root, as one worker sees them.
#[derive(Debug)]
pub struct Quota {
    root: Arc<str>,
    worker: Worker,
    seed: Seed,
    shards: u32,
    wanted_shards: u32,
    when_full: WhenFull,
    spots: Spots,
}

impl Settings {
    /// Settings for at most `max_bytes` of shards. `None` unless that is from 16 KiB to 1 GiB.
    #[must_use]
    pub fn new(max_bytes: u64, when_full: WhenFull) -> Option<Self> {
        let shards = u32::try_from(max_bytes.checked_div(SHARD_BYTES as u64)?).ok()?;
        (FEWEST_SHARDS..=MOST_SHARDS).contains(&shards).then_some(Self { shards, when_full })
    }

    /// The most bytes that the shards take.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        u64::from(self.shards).saturating_mul(SHARD_BYTES as u64)
    }
}

impl Default for Settings {
    /// 32 MiB, and to deny when they are full.
    fn default() -> Self {
        Self { shards: DEFAULT_SHARDS, when_full: WhenFull::Deny }
    }
}

impl Quota {
    /// Joins the counters of a plugin root, or begins them with these settings and this seed (16
    /// random bytes, so that no client can aim at a shard). Each `Quota` is a worker of its own: what runs counts
    /// under its number.
    ///
    /// The first to come writes the number of shards and the seed into the store; everybody else
    /// goes by that, since counts are found through them. So another `max_bytes` only takes effect
    /// with an empty store, that is after a restart ([`Quota::waits_for_restart`]). `when_full`
    /// takes effect at once.
    ///
    /// # Errors
    /// When the store fails, holds a layout that this code did not write, or other workers win every race.
    pub fn open<S: CounterStore>(
        store: &S,
        root: &str,
        settings: Settings,
        fresh_seed: [u8; 16],
    ) -> Result<Self, QuotaError> {
        let root = Arc::from(root);
        let id = ShardId::of_layout(&root);
        for _ in 0..ATTEMPTS {
            let (before, expected) = match store.get(id)? {
                Some((bytes, cas)) => (Layout::read(&bytes)?, Expected::Version(cas)),
                None => (Layout { shards: settings.shards, workers: 0, seed: fresh_seed }, Expected::Absent),
            };
            // Four thousand million workers in one life of Envoy: then no number is free.
            let workers = before.workers.checked_add(1).ok_or(QuotaError::Corrupt { shard: None })?;
            let layout = Layout { workers, ..before };
            if store.compare_and_swap(id, &layout.write(), expected)? == Swap::Done {
                return Ok(Self {
                    root,
                    worker: Worker(workers),
                    seed: layout.seed,
                    shards: layout.shards,
                    wanted_shards: settings.shards,
                    when_full: settings.when_full,
                    spots: Spots::default(),
                });
            }
        }
        Err(QuotaError::Contended)
    }

    /// Whether another `max_bytes` is set than the running counters were begun with.
    #[must_use]
    pub fn waits_for_restart(&self) -> bool {
        self.shards != self.wanted_shards
    }

    pub(super) fn root(&self) -> &Arc<str> {
        &self.root
    }

    pub(super) fn seed(&self) -> &Seed {
        &self.seed
    }

    pub(super) fn worker(&self) -> Worker {
        self.worker
    }

    /// Where a charge counts.
    pub(super) fn spot(&self, principal: Principal<'_>, charge: &Charge<'_>) -> Spot {
        self.spots.of(principal, charge, || hash::spot(&self.seed, principal, charge, self.shards))
    }

    #[cfg(test)]
    pub(super) fn shards(&self) -> u32 {
        self.shards
    }

    pub(super) fn when_full(&self) -> WhenFull {
        self.when_full
    }
}

/// What all workers agree on.
#[derive(Clone, Copy)]
struct Layout {
    shards: u32,
    /// How many numbers have been given to workers: 1 to this.
    workers: u32,
    seed: Seed,
}

impl Layout {
    fn write(&self) -> Vec<u8> {
        [&self.shards.to_le_bytes()[..], &self.workers.to_le_bytes(), &self.seed].concat()
    }

    fn read(bytes: &[u8]) -> Result<Self, QuotaError> {
        let record: Option<&[u8; RECORD_BYTES]> = bytes.try_into().ok();
        let layout = record.and_then(|record| {
            let (shards, rest) = record.split_first_chunk()?;
            let (workers, seed) = rest.split_first_chunk()?;
            let (shards, workers) = (u32::from_le_bytes(*shards), u32::from_le_bytes(*workers));
            Some(Self { shards, workers, seed: seed.try_into().ok()? })
        });
        let layout = layout.filter(|layout| (FEWEST_SHARDS..=MOST_SHARDS).contains(&layout.shards));
        layout.ok_or(QuotaError::Corrupt { shard: None })
    }
}
