//! Calls that run at this moment: who holds how many, and until when that is believed.
//!
//! A worker *states* what it holds: its entry is one number, written anew when a call begins or ends and every few
//! seconds while any runs. So an entry that nobody states any longer, because its worker is lost, expires; and a
//! statement that was lost is made good by the next. What a client left behind by hanging up belongs to nobody, and
//! expires by itself.
//!
//! As bytes, each entry: varints of the holder, the count, and the second of the monotonic clock at which it expires.

use super::charge::Now;
use super::varint;

/// How long a worker is believed to hold what it stated last, in ms.
///
/// A worker that serves nothing for so long, yet lives, is counted again with its next statement; meanwhile others can
/// be admitted in its place.
pub const LEASE_MS: u64 = 30_000;

/// What is left behind is grouped into so many expiries, so that it takes a bounded number of entries.
const LINGER_STEPS: u64 = 8;

/// A worker, by a number that no other has had since Envoy started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Worker(pub(super) u32);

impl Worker {
    /// Holds what clients left behind. No worker has this number.
    const NOBODY: Self = Self(0);
}

/// The leases of one slot, none of them expired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Leases(Vec<Entry>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    holder: Worker,
    count: u64,
    /// The second of the monotonic clock at which it counts no longer.
    expires: u64,
}

impl Leases {
    /// Reads a slot's body. `None` if no leases write such bytes.
    pub(super) fn read(body: &[u8], clock: Now) -> Option<Self> {
        let mut all = Vec::new();
        let mut rest = body;
        while !rest.is_empty() {
            let (holder, after) = varint::read(rest)?;
            let (count, after) = varint::read(after)?;
            let (expires, after) = varint::read(after)?;
            if count == 0 {
                return None;
            }
            all.push(Entry { holder: Worker(u32::try_from(holder).ok()?), count, expires });
            rest = after;
        }
        if all.is_empty() {
            return None;
        }
        all.retain(|entry| !entry.is_over(clock));
        Some(Self(all))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for entry in &self.0 {
            varint::write(entry.holder.0.into(), out);
            varint::write(entry.count, out);
            varint::write(entry.expires, out);
        }
    }

    /// Bytes that [`Leases::write`] appends.
    pub(super) fn length(&self) -> usize {
        let of = |entry: &Entry| {
            let [holder, count, expires] = [entry.holder.0.into(), entry.count, entry.expires].map(varint::length);
            holder.saturating_add(count).saturating_add(expires)
        };
        self.0.iter().map(of).sum()
    }

    pub(super) fn total(&self) -> u128 {
        self.0.iter().map(|entry| u128::from(entry.count)).sum()
    }

    /// A worker holds so many more.
    pub(super) fn add(&mut self, holder: Worker, count: u64, clock: Now) {
        let before = self.of(holder);
        self.state(holder, before.saturating_add(count), clock);
    }

    /// A worker holds so many fewer.
    pub(super) fn subtract(&mut self, holder: Worker, count: u64) {
        for entry in self.0.iter_mut().filter(|entry| entry.holder == holder) {
            entry.count = entry.count.saturating_sub(count);
        }
        self.0.retain(|entry| entry.count > 0);
    }

    /// A worker holds exactly so many.
    pub(super) fn state(&mut self, holder: Worker, count: u64, clock: Now) {
        self.0.retain(|entry| entry.holder != holder);
        if count > 0 {
            self.0.push(Entry { holder, count, expires: second_after(clock, LEASE_MS) });
        }
    }

    /// So many go on, as far as anybody knows, for at least `linger_ms`, and at most an eighth of it and two seconds
    /// longer.
    pub(super) fn leave(&mut self, count: u64, linger_ms: u64, clock: Now) {
        let step = (linger_ms / LINGER_STEPS / 1_000).max(1);
        let expires = second_after(clock, linger_ms).div_ceil(step).saturating_mul(step);
        match self.0.iter_mut().find(|entry| entry.holder == Worker::NOBODY && entry.expires == expires) {
            Some(entry) => entry.count = entry.count.saturating_add(count),
            None if count > 0 => self.0.push(Entry { holder: Worker::NOBODY, count, expires }),
            None => {}
        }
    }

    fn of(&self, holder: Worker) -> u64 {
        self.0.iter().filter(|entry| entry.holder == holder).map(|entry| entry.count).sum()
    }
}

impl Entry {
    fn is_over(&self, clock: Now) -> bool {
        self.expires.saturating_mul(1_000) <= clock.monotonic_ms
    }
}

/// The first full second that is at least `ms` away.
fn second_after(clock: Now, ms: u64) -> u64 {
    clock.monotonic_ms.saturating_add(ms).div_ceil(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLOCK: Now = Now { monotonic_ms: 600_500, wall_ms: 1_780_000_000_000 };

    fn later(ms: u64) -> Now {
        Now { monotonic_ms: CLOCK.monotonic_ms + ms, ..CLOCK }
    }

    fn bytes(leases: &Leases) -> Vec<u8> {
        let mut bytes = Vec::new();
        leases.write(&mut bytes);
        assert_eq!(bytes.len(), leases.length());
        bytes
    }

    #[test]
    fn a_statement_takes_the_place_of_the_one_before() {
        let mut leases = Leases::default();
        leases.add(Worker(3), 2, CLOCK);
        leases.add(Worker(4), 1, CLOCK);
        leases.add(Worker(3), 1, CLOCK);
        assert_eq!(leases.total(), 4);
        leases.state(Worker(3), 1, CLOCK);
        assert_eq!(leases.total(), 2);
        leases.state(Worker(4), 0, CLOCK);
        leases.subtract(Worker(3), 1);
        assert_eq!(leases, Leases::default());
    }

    #[test]
    fn what_a_lost_worker_held_expires_and_what_others_state_does_not() {
        let mut leases = Leases::default();
        leases.add(Worker(1), 2, CLOCK);
        leases.add(Worker(2), 1, later(20_000));
        let at = |ms| Leases::read(&bytes(&leases), later(ms)).unwrap().total();
        assert_eq!(at(LEASE_MS - 1), 3);
        assert_eq!(at(LEASE_MS + 1_000), 1);
        assert_eq!(at(LEASE_MS + 21_000), 0);
    }

    #[test]
    fn what_is_left_behind_takes_few_entries() {
        for linger_ms in [1_000, 60_000, 3_600_000] {
            let mut leases = Leases::default();
            for n in 0..1_000 {
                let now = later(n * linger_ms / 1_000);
                leases = Leases::read(&bytes(&leases), now).unwrap_or_default();
                leases.leave(1, linger_ms, now);
                assert!(leases.0.len() as u64 <= LINGER_STEPS + 3, "{} entries", leases.0.len());
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_left_behind_lasts_as_long_as_it_should(at in 0..10_000_000u64, linger_ms in 0..3_600_000u64) {
            let clock = Now { monotonic_ms: at, wall_ms: 0 };
            let mut leases = Leases::default();
            leases.leave(1, linger_ms, clock);
            let expires = leases.0[0].expires * 1_000;
            prop_assert!(expires >= at + linger_ms);
            prop_assert!(expires <= at + linger_ms + linger_ms / LINGER_STEPS + 2_000);
        }

        #[test]
        fn leases_read_back(entries in prop::collection::vec((1..u32::MAX, 1..u64::MAX, 601..u64::MAX), 1..40)) {
            let entry = |(holder, count, expires)| Entry { holder: Worker(holder), count, expires };
            let leases = Leases(entries.into_iter().map(entry).collect());
            prop_assert_eq!(Leases::read(&bytes(&leases), CLOCK), Some(leases));
        }

        #[test]
        fn any_bytes_read_or_fail(bytes: Vec<u8>) {
            Leases::read(&bytes, CLOCK);
        }
    }

    #[test]
    fn bytes_that_no_leases_write_are_refused() {
        for bytes in [&[][..], &[1], &[1, 1], &[1, 0, 1], &[0xff, 0xff, 0xff, 0xff, 0xff, 1, 1, 1]] {
            assert_eq!(Leases::read(bytes, CLOCK), None, "{bytes:?}");
        }
    }
}
