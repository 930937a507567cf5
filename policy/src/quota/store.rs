//! Where shards live: a map from key to bytes with compare-and-swap, which is what Envoy's shared data is.

use std::fmt;

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
}

/// The store's mark of one version of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cas(pub u32);

/// The state of a shard that a swap builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Nobody has written it. In Envoy, where a write to a missing key ignores its token and 0
    /// means "any", that is a set with a token that no version carries.
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

/// The key of one value, as `mcp_policy/1/ROOT/N` or, for the layout, `mcp_policy/1/ROOT/layout`.
///
/// `mcp_policy` sets the keys apart from those of other plugins in the namespace, `1` is the
/// version of what the bytes mean, and `ROOT` the plugin that the counters belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId<'k>(&'k str);

impl<'k> ShardId<'k> {
    /// The key itself.
    #[must_use]
    pub const fn as_str(self) -> &'k str {
        self.0
    }
}

impl fmt::Display for ShardId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

const PREFIX: &str = "mcp_policy/1/";
/// A slash and the digits of a shard.
const LONGEST_PLACE: usize = 11;

/// The text of a [`ShardId`], written once for all reads and writes of its shard.
#[derive(Debug)]
pub(super) struct Key(String);

impl Key {
    /// The `index`th shard of a root.
    pub(super) fn of_shard(root: &str, index: u32) -> Self {
        Self::of(root, &index.to_string())
    }

    /// The record that says how many shards a root has.
    pub(super) fn of_layout(root: &str) -> Self {
        Self::of(root, "layout")
    }

    /// Pushed piece by piece: `format!` takes several times as long, and every call that is counted pays for it.
    fn of(root: &str, place: &str) -> Self {
        let mut key = String::with_capacity(PREFIX.len().saturating_add(root.len()).saturating_add(LONGEST_PLACE));
        for part in [PREFIX, root, "/", place] {
            key.push_str(part);
        }
        Self(key)
    }

    pub(super) fn id(&self) -> ShardId<'_> {
        ShardId(&self.0)
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
        assert_eq!(Key::of_shard("lab", 7).id().to_string(), "mcp_policy/1/lab/7");
        assert_eq!(Key::of_layout("lab").id().to_string(), "mcp_policy/1/lab/layout");
    }
}
