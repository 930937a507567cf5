//! Where shards live: a map from key to bytes with compare-and-swap, which is what Envoy's shared data is.

use std::fmt;
use std::sync::Arc;

use super::place::Place;

/// A map of small values with compare-and-swap, shared by every worker.
///
/// What the counters need of it is exactly this: a swap that reports [`Swap::Done`] changed the
/// value from the one that was read under `expected`, with no other write between. Bytes that come
/// back are not trusted.
pub trait CounterStore {
    /// The value of a shard and the token to swap it by; `None` if nobody has written it yet.
    ///
    /// # Errors
    /// When the store cannot be read. The call is then denied.
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError>;

    /// Writes `value` if the shard is still as `expected` says.
    ///
    /// # Errors
    /// When the store cannot be written, and was not.
    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError>;

    /// Hands out what [`CounterStore::keep`] was given for this shard, if a swap of it is likely to succeed without
    /// reading the shard first, with the token to try it by.
    ///
    /// Only the swap says whether the guess was right: nothing may be told from these bytes before it has. So the token
    /// must never be one that the shard has, or will be given, with other bytes.
    fn recall(&self, _shard: ShardId<'_>) -> Option<(Kept, Cas)> {
        None
    }

    /// Takes what was just swapped in. Whoever counts next may ask for it.
    fn keep(&self, _shard: ShardId<'_>, _kept: Kept) {}
}

/// A shard as a worker wrote it, and what it knows of it.
#[derive(Debug, Default)]
pub struct Kept {
    pub(super) bytes: Vec<u8>,
    pub(super) place: Option<Box<Place>>,
}

/// The store's mark of one version of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cas(pub u32);

/// The state of a shard that a swap builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nobody has written it. In Envoy, where a write to a missing key ignores its token and 0
    /// means "any", that is a set with a token that one version in 2^32 carries.
    Absent,
    /// The version that was read.
    Version(Cas),
}

/// What became of a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The value is written.
    Done,
    /// Somebody else wrote first; nothing is changed.
    Mismatch,
}

/// Which of the values of a plugin root: a shard, or the layout, which says how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId<'k> {
    root: &'k Arc<str>,
    number: Option<u32>,
}

const PREFIX: &str = "mcp_policy/1/";
/// A slash and the digits of a shard.
const LONGEST_PLACE: usize = 11;

impl<'k> ShardId<'k> {
    pub(super) const fn of_shard(root: &'k Arc<str>, number: u32) -> Self {
        Self { root, number: Some(number) }
    }

    pub(super) const fn of_layout(root: &'k Arc<str>) -> Self {
        Self { root, number: None }
    }

    /// The plugin that the counters belong to: one text for all shards of a [`Quota`](super::Quota).
    #[must_use]
    pub const fn root(self) -> &'k Arc<str> {
        self.root
    }

    /// The number of the shard; `None` for the layout.
    #[must_use]
    pub const fn number(self) -> Option<u32> {
        self.number
    }

    /// The key of the value: `mcp_policy/1/ROOT/NUMBER` or `mcp_policy/1/ROOT/layout`.
    ///
    /// `mcp_policy` sets the keys apart from those of other plugins in the namespace, and `1` is the version of what the
    /// bytes mean.
    #[must_use]
    pub fn key(self) -> String {
        // Pushed piece by piece: `format!` takes several times as long, and every call that is counted may pay for it.
        let length = PREFIX.len().saturating_add(self.root.len()).saturating_add(LONGEST_PLACE);
        let mut key = String::with_capacity(length);
        for part in [PREFIX, self.root, "/"] {
            key.push_str(part);
        }
        match self.number {
            Some(number) => key.push_str(&number.to_string()),
            None => key.push_str("layout"),
        }
        key
    }
}

impl fmt::Display for ShardId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}

/// The store refused to read or write, with the host's status for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The status that the host call returned.
    pub status: u32,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the counter store answered with status {}", self.status)
    }
}

impl std::error::Error for StoreError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_carry_prefix_version_and_root() {
        assert_eq!(ShardId::of_shard(&"lab".into(), 7).key(), "mcp_policy/1/lab/7");
        assert_eq!(ShardId::of_layout(&"lab".into()).key(), "mcp_policy/1/lab/layout");
    }
}
