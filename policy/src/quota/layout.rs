//! How many shards a plugin root has, and the key of their hash: agreed once by all workers, until a restart.

use super::hash::Seed;
use super::outcome::QuotaError;
use super::shard::SHARD_BYTES;
use super::store::{CounterStore, Expected, ShardId, Swap};

const FEWEST_SHARDS: u32 = 8;
const MOST_SHARDS: u32 = 1 << 19;
const DEFAULT_SHARDS: u32 = 1 << 14;
const RECORD_BYTES: usize = 20;

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

/// The counters of one plugin root.
#[derive(Clone, Debug)]
pub struct Quota {
    root: String,
    seed: Seed,
    shards: u32,
    wanted_shards: u32,
    when_full: WhenFull,
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
    /// random bytes, so that no client can aim at a shard).
    ///
    /// The first to come writes the number of shards and the seed into the store; everybody else
    /// goes by that, since counts are found through them. So another `max_bytes` only takes effect
    /// with an empty store, that is after a restart ([`Quota::waits_for_restart`]). `when_full`
    /// takes effect at once.
    ///
    /// # Errors
    /// When the store fails, or holds a layout that this code did not write.
    pub fn open<S: CounterStore>(
        store: &S,
        root: &str,
        settings: Settings,
        fresh_seed: [u8; 16],
    ) -> Result<Self, QuotaError> {
        let id = ShardId::layout(root);
        let join = |(shards, seed)| Self {
            root: root.to_owned(),
            seed,
            shards,
            wanted_shards: settings.shards,
            when_full: settings.when_full,
        };
        if let Some((bytes, _)) = store.get(id)? {
            return read_record(&bytes).map(join);
        }
        let record = write_record(settings.shards, &fresh_seed);
        match store.compare_and_swap(id, &record, Expected::Absent)? {
            Swap::Done => Ok(join((settings.shards, fresh_seed))),
            // Somebody was faster; the record cannot go away again.
            Swap::Mismatch => match store.get(id)? {
                Some((bytes, _)) => read_record(&bytes).map(join),
                None => Err(QuotaError::Contended),
            },
        }
    }

    /// Whether another `max_bytes` is set than the running counters were begun with.
    #[must_use]
    pub fn waits_for_restart(&self) -> bool {
        self.shards != self.wanted_shards
    }

    pub(super) fn root(&self) -> &str {
        &self.root
    }

    pub(super) fn seed(&self) -> &Seed {
        &self.seed
    }

    pub(super) fn shards(&self) -> u32 {
        self.shards
    }

    pub(super) fn when_full(&self) -> WhenFull {
        self.when_full
    }
}

fn write_record(shards: u32, seed: &Seed) -> Vec<u8> {
    [&shards.to_le_bytes()[..], seed].concat()
}

fn read_record(bytes: &[u8]) -> Result<(u32, Seed), QuotaError> {
    let record: Option<&[u8; RECORD_BYTES]> = bytes.try_into().ok();
    record
        .and_then(|record| record.split_first_chunk())
        .and_then(|(shards, seed)| Some((u32::from_le_bytes(*shards), seed.try_into().ok()?)))
        .filter(|(shards, _)| (FEWEST_SHARDS..=MOST_SHARDS).contains(shards))
        .ok_or(QuotaError::Corrupt { shard: None })
}
