//! What one slot counts, and its bytes.
//!
//! A sliding count is a ring of [`RING_CELLS`] cells, each a fifteenth of the window. As bytes,
//! only the cells that hold something, newest first: a byte with how many cells older it is than
//! the one before (the first: than the shard's clock) and a count of 1 to 14; a low half of 15 says
//! that a varint with the rest of the count follows. So a count of a few calls takes a few bytes,
//! and the shard's clock can move on by adding to the first byte alone.
//!
//! A calendar count is two varints: the count, and the second of the last addition. What runs is a list of
//! [leases](super::leases).

use super::charge::Now;
use super::leases::{Leases, Worker};
use super::varint;
use super::window::{CalendarUnit, RING_CELLS, Span, Window};

const CELLS: usize = 16;
const _: () = assert!(CELLS as u64 == RING_CELLS);
pub(super) const INLINE_MAX: u64 = 14;
pub(super) const VARINT_FOLLOWS: u8 = 15;
pub(super) const OLDEST_AGE: u8 = 15;

/// A count, at the time of its shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Count {
    Sliding(Ring),
    Calendar(Period),
    Running(Leases),
}

/// The cells of a sliding window, by age: the first is the one that the clock is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ring {
    span: Span,
    /// The cell, counted from the clock's zero, that age 0 is.
    newest: u64,
    counts: [u64; CELLS],
}

/// The running period of a calendar window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Period {
    unit: CalendarUnit,
    first_ms: u64,
    count: u64,
    last_second: u64,
}

/// A part of a count whose additions cannot have come later than `last` (which may lie ahead,
/// inside the newest cell).
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) count: u64,
    pub(super) last: Now,
    /// When its own window forgets it, in ms from the real clock.
    pub(super) forgotten_in_ms: u64,
}

impl Count {
    /// Nothing yet.
    pub(super) fn empty(window: Window, clock: Now) -> Self {
        match window {
            Window::Sliding(span) => {
                Self::Sliding(Ring { span, newest: span.cell(clock.monotonic_ms), counts: [0; CELLS] })
            }
            Window::Calendar(unit) => {
                Self::Calendar(Period { unit, first_ms: unit.first_ms(clock.wall_ms), count: 0, last_second: 0 })
            }
            Window::Running => Self::Running(Leases::default()),
        }
    }

    /// Reads a slot's body, whose cells have grown `older` by that many since it was written.
    /// `None` if no count writes such bytes.
    pub(super) fn read(window: Window, body: &[u8], older: u8, clock: Now) -> Option<Self> {
        let mut count = Self::empty(window, clock);
        match &mut count {
            Self::Sliding(ring) => ring.read(body, older)?,
            Self::Calendar(period) => period.read(body, clock)?,
            Self::Running(leases) => *leases = Leases::read(body, clock)?,
        }
        Some(count)
    }

    /// Appends the body. Writes nothing if nothing is counted.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sliding(ring) => ring.write(out),
            Self::Calendar(period) if period.count > 0 => {
                varint::write(period.count, out);
                varint::write(period.last_second, out);
            }
            Self::Calendar(_) => {}
            Self::Running(leases) => leases.write(out),
        }
    }

    /// Bytes that [`Count::write`] appends.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Sliding(ring) => ring.counts.iter().map(|&count| cell_length(count)).sum(),
            Self::Calendar(period) if period.count > 0 => {
                varint::length(period.count).saturating_add(varint::length(period.last_second))
            }
            Self::Calendar(_) => 0,
            Self::Running(leases) => leases.length(),
        }
    }

    /// Adds to the present moment, for a worker. Says where that went, for [`Count::subtract`]: the cell, the first
    /// millisecond of the period, or the worker.
    pub(super) fn add(&mut self, amount: u64, clock: Now, worker: Worker) -> u64 {
        match self {
            Self::Sliding(ring) => {
                ring.add_at_age(0, amount);
                ring.newest
            }
            Self::Calendar(period) => {
                period.count = period.count.saturating_add(amount);
                period.last_second = clock.wall_ms / 1_000;
                period.first_ms
            }
            Self::Running(leases) => {
                leases.add(worker, amount, clock);
                worker.0.into()
            }
        }
    }

    /// Takes over what another slot holds, as if it had come at the latest moment it can have.
    pub(super) fn absorb(&mut self, held: &Held) {
        match self {
            Self::Sliding(ring) => {
                let age = ring.newest.saturating_sub(ring.span.cell(held.last.monotonic_ms));
                if let Ok(age) = u8::try_from(age) {
                    ring.add_at_age(age, held.count);
                }
            }
            Self::Calendar(period) if held.last.wall_ms >= period.first_ms => {
                period.count = period.count.saturating_add(held.count);
                period.last_second = period.last_second.max(held.last.wall_ms / 1_000);
            }
            Self::Calendar(_) | Self::Running(_) => {}
        }
    }

    /// Takes back an addition that was made at `position`, as far as it is still there.
    pub(super) fn subtract(&mut self, amount: u64, position: u64) {
        match self {
            Self::Sliding(ring) => {
                let age = ring.newest.checked_sub(position).and_then(|age| usize::try_from(age).ok());
                if let Some(count) = age.and_then(|age| ring.counts.get_mut(age)) {
                    *count = count.saturating_sub(amount);
                }
            }
            Self::Calendar(period) if period.first_ms == position => {
                period.count = period.count.saturating_sub(amount);
            }
            Self::Calendar(_) => {}
            Self::Running(leases) => {
                if let Ok(worker) = u32::try_from(position) {
                    leases.subtract(Worker(worker), amount);
                }
            }
        }
    }

    /// Everything that the count's own window still holds.
    pub(super) fn total(&self) -> u128 {
        match self {
            Self::Sliding(ring) => ring.counts.iter().map(|&count| u128::from(count)).sum(),
            Self::Calendar(period) => period.count.into(),
            Self::Running(leases) => leases.total(),
        }
    }

    /// The parts of the count and how late they can have come. `clock` is the shard's time, `now`
    /// the real one, which may be behind it. Nothing of what runs: it ends when it ends.
    pub(super) fn held(&self, clock: Now, now: Now) -> Vec<Held> {
        match self {
            Self::Sliding(ring) => ring.held(clock, now),
            Self::Calendar(period) => {
                let last_wall_ms = period.last_second.saturating_mul(1_000).saturating_add(999);
                let last = Now {
                    monotonic_ms: carry_over(last_wall_ms, clock.wall_ms, clock.monotonic_ms),
                    wall_ms: last_wall_ms,
                };
                let forgotten_in_ms = period.unit.next_ms(period.first_ms).saturating_sub(now.wall_ms);
                vec![Held { count: period.count, last, forgotten_in_ms }]
            }
            Self::Running(_) => vec![],
        }
    }
}

impl Ring {
    fn read(&mut self, body: &[u8], older: u8) -> Option<()> {
        let mut age = older;
        let mut rest = body;
        let mut first = true;
        while let Some((&head, after)) = rest.split_first() {
            let (gap, low) = (head >> 4, head & 0x0f);
            if low == 0 || gap == 0 && !first {
                return None;
            }
            let (more, after) = if low == VARINT_FOLLOWS { varint::read(after)? } else { (0, after) };
            age = age.saturating_add(gap);
            self.add_at_age(age, u64::from(low).checked_add(more)?);
            rest = after;
            first = false;
        }
        if first { None } else { Some(()) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut gap = 0u8;
        for &count in &self.counts {
            if count > INLINE_MAX {
                out.push(gap << 4 | VARINT_FOLLOWS);
                varint::write(count.saturating_sub(VARINT_FOLLOWS.into()), out);
            } else if let Ok(low @ 1..) = u8::try_from(count) {
                out.push(gap << 4 | low);
            }
            gap = if count > 0 { 1 } else { gap.saturating_add(1) };
        }
    }

    /// Cells that are older than the ring no longer count.
    fn add_at_age(&mut self, age: u8, amount: u64) {
        if let Some(count) = self.counts.get_mut(usize::from(age)) {
            *count = count.saturating_add(amount);
        }
    }

    fn held(&self, clock: Now, now: Now) -> Vec<Held> {
        let ages = 0u64..;
        let live = ages.zip(&self.counts).filter(|(_, count)| **count > 0);
        live.map(|(age, &count)| {
            let cell = self.newest.saturating_sub(age);
            let last_ms = self.span.first_ms(cell.saturating_add(1)).saturating_sub(1);
            let last = Now { monotonic_ms: last_ms, wall_ms: carry_over(last_ms, clock.monotonic_ms, clock.wall_ms) };
            let forgotten_in_ms = self.span.leaves_ms(cell).saturating_sub(now.monotonic_ms);
            Held { count, last, forgotten_in_ms }
        })
        .collect()
    }
}

impl Period {
    fn read(&mut self, body: &[u8], clock: Now) -> Option<()> {
        let (count, body) = varint::read(body)?;
        let (last_second, body) = varint::read(body)?;
        if count == 0 || !body.is_empty() {
            return None;
        }
        self.count = count;
        // A live slot was last added to in this period; other bytes must not make the count look older than that.
        self.last_second = last_second.max(self.first_ms / 1_000).min(clock.wall_ms / 1_000);
        Some(())
    }
}

impl Held {
    /// How many ms this part still counts in `window`; `None` if it does not.
    pub(super) fn counts_for_ms(&self, window: Window, clock: Now, now: Now) -> Option<u64> {
        let (leaves, clock_ms, now_ms) = match window {
            Window::Sliding(span) => {
                (span.leaves_ms(span.cell(self.last.monotonic_ms)), clock.monotonic_ms, now.monotonic_ms)
            }
            Window::Calendar(unit) => (unit.next_ms(self.last.wall_ms), clock.wall_ms, now.wall_ms),
            Window::Running => return None,
        };
        (leaves > clock_ms).then(|| leaves.saturating_sub(now_ms).min(self.forgotten_in_ms))
    }
}

/// The bytes of a slot's body after its cells have grown `older`: those of the first byte, and the rest.
/// `None` if nothing in it counts any longer.
pub(super) fn grown_older(first: u8, older: u8) -> Option<u8> {
    let age = (first >> 4).saturating_add(older);
    (age <= OLDEST_AGE).then_some(age << 4 | first & 0x0f)
}

fn cell_length(count: u64) -> usize {
    match count {
        0 => 0,
        1..=INLINE_MAX => 1,
        _ => varint::length(count.saturating_sub(VARINT_FOLLOWS.into())).saturating_add(1),
    }
}

/// A moment of one clock as the other tells it, by the present moment of both.
fn carry_over(moment: u64, here: u64, there: u64) -> u64 {
    if moment >= here {
        there.saturating_add(moment.saturating_sub(here))
    } else {
        there.saturating_sub(here.saturating_sub(moment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CLOCK: Now = Now { monotonic_ms: 600_000, wall_ms: 1_780_000_000_000 };

    fn minute(counts: [u64; CELLS]) -> Count {
        let Count::Sliding(mut ring) = Count::empty(Window::MINUTE, CLOCK) else { panic!() };
        ring.counts = counts;
        Count::Sliding(ring)
    }

    #[test]
    fn a_few_calls_take_a_byte_per_cell() {
        let mut counts = [0; CELLS];
        (counts[0], counts[3], counts[15]) = (14, 1, 2);
        let mut bytes = Vec::new();
        minute(counts).write(&mut bytes);
        assert_eq!(bytes, [0x0e, 0x31, 0xc2]);
    }

    #[test]
    fn growing_older_drops_what_left_the_ring() {
        let mut counts = [0; CELLS];
        (counts[2], counts[14]) = (5, 9);
        let mut bytes = Vec::new();
        minute(counts).write(&mut bytes);
        let Some(Count::Sliding(older)) = Count::read(Window::MINUTE, &bytes, 2, CLOCK) else { panic!() };
        assert_eq!((older.counts[4], older.counts.iter().sum()), (5, 5));
        assert_eq!(grown_older(bytes[0], 13), Some(0xf5));
        assert_eq!(grown_older(bytes[0], 14), None);
    }

    #[test]
    fn bytes_that_no_count_writes_are_refused() {
        for bytes in [&[][..], &[0x10], &[0x11, 0x01], &[0x0f], &[0x0f, 0x80]] {
            assert_eq!(Count::read(Window::MINUTE, bytes, 0, CLOCK), None, "{bytes:?}");
        }
        let month = Window::calendar(CalendarUnit::Month);
        for bytes in [&[][..], &[1], &[0, 1], &[1, 1, 1]] {
            assert_eq!(Count::read(month, bytes, 0, CLOCK), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_shorter_window_sees_only_what_can_be_in_it() {
        let mut hour = Count::empty(Window::HOUR, CLOCK);
        hour.add(3, CLOCK, Worker(1));
        let mut bytes = Vec::new();
        hour.write(&mut bytes);
        let counted_after = |ms, older| {
            let clock = Now { monotonic_ms: CLOCK.monotonic_ms + ms, ..CLOCK };
            let hour = Count::read(Window::HOUR, &bytes, older, clock).unwrap();
            hour.held(clock, clock).iter().any(|held| held.counts_for_ms(Window::MINUTE, clock, clock).is_some())
        };
        assert!(counted_after(0, 0));
        // The clock is in the middle of a cell of 240 s. What that holds can have come at its end, 120 s later, and
        // then counts in a minute for another 60.
        assert!(counted_after(179_999, 1));
        assert!(!counted_after(180_000, 1));
    }

    proptest! {
        #[test]
        fn counts_read_back(counts: [u64; CELLS], small: bool) {
            let counts = counts.map(|count| if small { count % 40 } else { count });
            let count = minute(counts);
            let mut bytes = Vec::new();
            count.write(&mut bytes);
            prop_assert_eq!(bytes.len(), count.length());
            if count.total() > 0 {
                prop_assert_eq!(Count::read(Window::MINUTE, &bytes, 0, CLOCK), Some(count));
            }
        }

        #[test]
        fn any_bytes_read_or_fail(bytes: Vec<u8>, older in 0..=16u8) {
            Count::read(Window::MINUTE, &bytes, older, CLOCK);
            Count::read(Window::calendar(CalendarUnit::Day), &bytes, older, CLOCK);
        }
    }
}
