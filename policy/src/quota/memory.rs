//! What a worker remembers of the shards that it wrote, so that it need not read them before it counts there again.
//!
//! Envoy gives every value that is written, under whatever key, the next of its stamps. So what a worker writes has the
//! stamp behind the latest that it knows of, if nobody else wrote between, which is usual where few agents call in
//! a loop: then their next calls swap by that stamp, without reading.
//!
//! If somebody did, the guess is too low: the latest that a worker knows of was given before its write, so the guess is no
//! later than the write's own stamp. That is what the shard has now, and only later ones after it. So it never has the
//! stamp that was guessed, until the row of stamps comes round: a swap by it succeeds only upon what this worker wrote.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::cache::Cache;
use super::room::ROOMY_BYTES;
use super::store::{Cas, CounterStore, Expected, Kept, ShardId, StoreError, Swap};

/// Guesses that may fail one after the other before shards are read. One costs an eighth of reading.
const MISSES: u8 = 3;

/// Writes after which guessing is tried again.
const PAUSE: u8 = 64;

/// A map from key to bytes, shared by every worker, that gives all writes, whatever their key, one row of stamps: 1, 2, 3
/// … up to the largest, and 1 again. That is what Envoy's shared data is.
pub trait StampedMap {
    /// The value of a key and its stamp; `None` if nobody has written it yet.
    ///
    /// # Errors
    /// When the map cannot be read.
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Cas)>, StoreError>;

    /// Writes `value` if the key is still as `expected` says.
    ///
    /// # Errors
    /// When the map cannot be written, and was not.
    fn compare_and_swap(&self, key: &str, value: &[u8], expected: Expected) -> Result<Swap, StoreError>;
}

/// A worker's view of a [`StampedMap`], with what the worker itself wrote there.
#[derive(Debug, Default)]
pub struct Remembering<M> {
    map: M,
    memory: RefCell<Memory>,
    stamps: Stamps,
}

/// The shards of a root: [`ENTRIES`](super::cache::ENTRIES) of them, of some 300 bytes each with all that belongs to them, and
/// of a KiB at most.
#[derive(Debug, Default)]
struct Memory {
    root: Option<Arc<str>>,
    shards: Cache<Shard>,
}

/// A shard that was read or written.
#[derive(Debug, Default)]
struct Shard {
    key: String,
    /// What this worker wrote; nothing if it is not known, or was recalled.
    kept: Option<Kept>,
    /// The stamp that what this worker wrote will have been given, if that can be told.
    stamp: Option<Cas>,
    /// When that was guessed, as [`Stamps::era`] counts.
    era: u32,
}

/// What is known of the stamps.
#[derive(Debug, Default)]
struct Stamps {
    /// One that is given already, as late as is known; 0 before any is seen.
    latest: Cell<u32>,
    /// Guesses that failed since one was right.
    misses: Cell<u8>,
    /// Writes since too many guesses failed.
    pause: Cell<u8>,
    /// How often guessing has begun anew.
    era: Cell<u32>,
}

impl<M: StampedMap> Remembering<M> {
    /// A worker that remembers nothing yet.
    #[must_use]
    pub fn new(map: M) -> Self {
        Self { map, memory: RefCell::default(), stamps: Stamps::default() }
    }

    fn with<T>(&self, id: ShardId<'_>, what: impl FnOnce(&mut Shard) -> T) -> T {
        match self.memory.try_borrow_mut().as_mut().map(|memory| memory.of(id)) {
            Ok(Some(shard)) => what(shard),
            // The layout is not remembered. And nothing is asked of the store while it is asked.
            _ => what(&mut Shard { key: id.key(), ..Shard::default() }),
        }
    }

    /// The stamp of what was just written under a key, if nobody else wrote since the latest that is known.
    ///
    /// Where several shards are written in turns, reading them does not tell what others wrote meanwhile, as each was
    /// written some time ago. So after a while of reading, what was just written is read as well.
    fn stamp_of(&self, key: &str) -> Option<Cas> {
        if self.stamps.can_follow() {
            return self.stamps.follow();
        }
        if let Ok(Some((_, stamp))) = self.map.get(key) {
            self.stamps.begin_anew(stamp);
        }
        // Somebody else may have written there by now.
        None
    }
}

impl Memory {
    /// What is known of a shard: its key at least, which is written once for all calls that count there.
    fn of(&mut self, id: ShardId<'_>) -> Option<&mut Shard> {
        if !self.root.as_ref().is_some_and(|root| Arc::ptr_eq(root, id.root())) {
            self.root = Some(Arc::clone(id.root()));
            self.shards.clear();
        }
        let (shard, known) = self.shards.find(id.number()?)?;
        if !known {
            *shard = Shard { key: id.key(), ..Shard::default() };
        }
        Some(shard)
    }
}

impl Stamps {
    /// A stamp is seen.
    fn see(&self, Cas(stamp): Cas) {
        let ahead = stamp.wrapping_sub(self.latest.get());
        // The first comes behind the largest.
        if self.latest.get() == 0 || ahead < 1 << 31 {
            self.latest.set(stamp);
        }
    }

    /// Whether guesses are likely to be right.
    fn guesses(&self) -> bool {
        self.misses.get() < MISSES
    }

    /// A guess was right, or wrong. A swap that fails though the shard was read says as well that others write.
    fn guessed(&self, right: bool) {
        if right {
            self.pause.set(0);
        }
        self.misses.set(if right { 0 } else { self.misses.get().saturating_add(1) });
    }

    /// Something was written: whether its stamp can be guessed, or it is time to see it.
    fn can_follow(&self) -> bool {
        if !self.guesses() {
            self.pause.set(self.pause.get().saturating_add(1));
        }
        self.latest.get() != 0 && self.pause.get() < PAUSE
    }

    /// The next stamp is given, or a later one.
    fn follow(&self) -> Option<Cas> {
        let next = self.latest.get().checked_add(1).unwrap_or(1);
        self.latest.set(next);
        Some(Cas(next))
    }

    /// Guessing begins anew with the stamp of what this worker wrote just now, or of what took its place: none that it
    /// knows of is later, however many were given since it wrote before.
    fn begin_anew(&self, Cas(stamp): Cas) {
        self.latest.set(stamp);
        self.guessed(true);
        self.era.set(self.era.get().wrapping_add(1));
    }
}

impl<M: StampedMap> CounterStore for Remembering<M> {
    fn get(&self, id: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        self.with(id, |shard| {
            let Some((value, stamp)) = self.map.get(&shard.key)? else { return Ok(None) };
            self.stamps.see(stamp);
            if shard.stamp == Some(stamp) {
                self.stamps.guessed(true);
            } else {
                (shard.kept, shard.stamp) = (None, None);
            }
            Ok(Some((value, stamp)))
        })
    }

    fn compare_and_swap(&self, id: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        self.with(id, |shard| {
            let swapped = self.map.compare_and_swap(&shard.key, value, expected)?;
            match (swapped, expected) {
                (Swap::Mismatch, _) => self.stamps.guessed(false),
                (Swap::Done, Expected::Absent) => {}
                (Swap::Done, Expected::Version(replaced)) => {
                    if shard.stamp == Some(replaced) {
                        self.stamps.guessed(true);
                    }
                }
            }
            if swapped == Swap::Done {
                (shard.kept, shard.stamp) = (None, self.stamp_of(&shard.key));
                shard.era = self.stamps.era.get();
            }
            Ok(swapped)
        })
    }

    fn recall(&self, id: ShardId<'_>) -> Option<(Kept, Cas)> {
        if !self.stamps.guesses() {
            return None;
        }
        self.with(id, |shard| {
            // What was guessed before guessing began anew is as wrong as the guesses that failed.
            let kept = shard.kept.take().filter(|_| shard.era == self.stamps.era.get())?;
            Some((kept, shard.stamp?))
        })
    }

    fn keep(&self, id: ShardId<'_>, kept: Kept) {
        // What is fuller would fill the worker's memory.
        if kept.bytes.len() <= ROOMY_BYTES {
            self.with(id, |shard| shard.kept = Some(kept));
        }
    }
}
