//! Counting: what a call adds to its limits, and whether they admit it.
//!
//! The way of a call: its [`Charge`]s are hashed to shards and slots ([`Principal`],
//! [`ScopeValue`]); each shard is read from the [`CounterStore`] and aged to [`Now`]; the charges
//! are weighed against it; and the new bytes are swapped in for those that were read, or all is
//! weighed again ([`Quota::take`]).
//!
//! # What is promised
//! - A sliding window never admits more than `max` within *any* span of its length. It is a ring of
//!   [`CELLS_PER_WINDOW`]` + 1` cells, which together always cover the last window whole; so a
//!   refusal means that the last window and a fifteenth of it held more than `max` minus what the
//!   call adds. A calendar window admits `max` from one UTC boundary to the next.
//! - All charges of a call are taken, or none; nothing is over-admitted, whatever the number of workers.
//! - [`Refusal::retry_after_ms`] is exact: the call would be admitted then, and not a millisecond earlier.
//! - The shards never take more than `max_bytes` (keys and the store's own overhead of about 100
//!   bytes a shard come on top). What is counted is never dropped before its time: when there is no
//!   room, new counts are refused, or shared ([`WhenFull`]).
//! - What runs ([`Window::Running`]) counts until its worker states that it has ended, or states nothing for
//!   [`LEASE_MS`]: so only what a lost worker held expires. Slots of such counters hold one entry per worker.
//! - Bytes that come back from the store are not trusted: a shard that does not decode is an error,
//!   which denies.
//!
//! # Time
//! Each shard keeps the latest time that any call brought it, for either clock, and counts
//! by that. A call counts at the moment at which its worker read the clocks, or at the shard's time if that is later. A clock
//! that stands behind others (a worker that was held up in between, a step backwards) therefore only makes counts stay longer;
//! one that was held up alone counts at the moment before. A clock that jumps forward looks like time
//! that passed; no counter could tell. The monotonic clock does not jump; if the wall clock does,
//! calendar windows stay in the period that it jumped to until it is over.
//!
//! # When a policy changes
//! - A new `max`: the count stays, and is judged by the new one.
//! - A new window: what the old one still remembers counts in the new one too, as long as it can
//!   lie in it, and a longer sliding window takes it over. While an old listener drains, both
//!   windows count the calls of both, and neither ever holds more than its `max` of its own calls.
//! - A new unit: another counter, since calls and amounts cannot be converted.
//! - A new `max_bytes`: waits for a restart, because the number of shards says where counts are
//!   ([`Quota::open`]).
//!
//! ```
//! # use policy::quota::*;
//! # use std::{cell::RefCell, collections::HashMap};
//! # #[derive(Default)]
//! # struct Map(RefCell<HashMap<String, (Vec<u8>, u32)>>);
//! # impl CounterStore for Map {
//! #     fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
//! #         Ok(self.0.borrow().get(&shard.to_string()).map(|(bytes, cas)| (bytes.clone(), Cas(*cas))))
//! #     }
//! #     fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], _: Expected) -> Result<Swap, StoreError> {
//! #         self.0.borrow_mut().insert(shard.to_string(), (value.to_vec(), 1));
//! #         Ok(Swap::Done)
//! #     }
//! # }
//! # let store = Map::default();
//! let quota = Quota::open(&store, "lab", Settings::default(), [7; 16])?;
//! let robot = Principal::Grant { source: "jwt_claim:sub", issuer: "https://idp", value: "robot-7" };
//! let charge = Charge {
//!     call: 0,
//!     counter: CounterName { policy: "lab", counter: "create_run_rate" },
//!     scope: ScopeValue::Grant,
//!     window: Window::MINUTE,
//!     unit: Unit::Calls,
//!     max: 1,
//!     amount: 1,
//! };
//! let now = Now { monotonic_ms: 90_000, wall_ms: 1_780_000_000_000 };
//! assert!(matches!(quota.take(&store, robot, &[charge], now)?, Outcome::Admitted(_)));
//! let Outcome::Refused(refusal) = quota.take(&store, robot, &[charge], now)? else { panic!() };
//! assert_eq!(refusal.retry_after_ms, Some(62_000));
//! # Ok::<(), QuotaError>(())
//! ```

mod cache;
mod charge;
mod count;
mod edit;
mod hash;
mod layout;
mod leases;
mod memory;
mod outcome;
mod page;
mod place;
mod ring;
mod room;
mod shard;
mod single;
mod spots;
mod state;
mod store;
mod take;
mod varint;
mod weigh;
mod window;

#[cfg(test)]
mod tests;

pub use charge::{Charge, CounterName, Now, Principal, ScopeValue, Unit};
pub use layout::{Quota, Settings, WhenFull};
pub use leases::LEASE_MS;
pub use memory::{Remembering, StampedMap};
pub use outcome::{Lease, LeaseId, Outcome, QuotaError, Refusal, Taken};
pub use state::Left;
pub use store::{Cas, CounterStore, Expected, Kept, ShardId, StoreError, Swap};
pub use take::ATTEMPTS;
pub use window::{CELLS_PER_WINDOW, CalendarUnit, Span, Window};
