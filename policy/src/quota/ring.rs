//! A sliding count as it lies in its bytes, to which a call is added without taking it apart.

use super::count::{INLINE_MAX, OLDEST_AGE, VARINT_FOLLOWS};
use super::varint;

/// The cells of a sliding window, by age: what [`Ring`](super::count::Ring) is when it is taken apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct RingBytes<'a> {
    /// What the cell counts that the clock is in.
    newest: u64,
    /// The first byte of the cells before it, if that has changed with their age.
    head: Option<u8>,
    /// The others.
    tail: &'a [u8],
    /// Some have left the ring.
    is_cut: bool,
    total: u128,
}

impl<'a> RingBytes<'a> {
    /// Reads a slot's body, whose cells have grown `older` by that many since it was written. `None` if no count writes
    /// such bytes.
    pub(super) fn read(body: &'a [u8], older: u8) -> Option<Self> {
        let mut ring = Self { newest: 0, head: None, tail: &[], is_cut: false, total: 0 };
        let (mut age, mut rest, mut is_first) = (older, body, true);
        let mut gone = 0;
        while let Some((&head, after)) = rest.split_first() {
            let (gap, low) = (head >> 4, head & 0x0f);
            if low == 0 || gap == 0 && !is_first {
                return None;
            }
            let (more, behind) = if low == VARINT_FOLLOWS { varint::read(after)? } else { (0, after) };
            let count = u64::from(low).checked_add(more)?;
            age = age.saturating_add(gap);
            if age > OLDEST_AGE {
                // This cell has left the ring, and with it all behind it.
                gone = gone.max(rest.len());
            } else {
                ring.total = ring.total.saturating_add(count.into());
                match (is_first, age) {
                    (false, _) => {}
                    (true, 0) => (ring.newest, ring.tail) = (count, behind),
                    (true, age) => (ring.head, ring.tail) = (Some(age << 4 | low), after),
                }
            }
            (rest, is_first) = (behind, false);
        }
        ring.is_cut = gone > 0;
        ring.tail = ring.tail.get(..ring.tail.len().saturating_sub(gone))?;
        (!is_first).then_some(ring)
    }

    /// Everything that the window still holds.
    pub(super) fn total(&self) -> u128 {
        self.total
    }

    /// Adds to the present moment.
    pub(super) fn add(&mut self, amount: u64) {
        self.newest = self.newest.saturating_add(amount);
    }

    /// Bytes that [`RingBytes::write`] appends, if anything is in the newest cell.
    pub(super) fn length(&self) -> usize {
        let more = self.more().map_or(0, varint::length);
        more.saturating_add(1).saturating_add(self.head.iter().len()).saturating_add(self.tail.len())
    }

    /// The newest cell, if it is the one that the clock is in, begins the body of so many bytes, and everything behind it
    /// stays as it is when something is added there.
    pub(super) fn newest_of(&self, body_length: usize) -> Option<Newest> {
        // A first cell that has aged would come behind a new one, which takes a byte more.
        let stays = !self.is_cut && self.length() == body_length;
        stays.then(|| Newest::new(self.newest))
    }

    /// Appends the body.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match (u8::try_from(self.newest), self.more()) {
            (Ok(low), None) => out.push(low),
            (_, more) => {
                out.push(VARINT_FOLLOWS);
                varint::write(more.unwrap_or(0), out);
            }
        }
        out.extend(self.head);
        out.extend_from_slice(self.tail);
    }

    /// What follows the first byte of the newest cell.
    fn more(&self) -> Option<u64> {
        (self.newest > INLINE_MAX).then(|| self.newest.saturating_sub(VARINT_FOLLOWS.into()))
    }
}

/// What the newest cell of a ring counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newest {
    count: u64,
    /// The most that takes as many bytes.
    most: u64,
}

impl Newest {
    fn new(count: u64) -> Self {
        let more = count.checked_sub(VARINT_FOLLOWS.into());
        let most = more.map_or(INLINE_MAX, |more| varint::largest_like(more).saturating_add(VARINT_FOLLOWS.into()));
        Self { count, most }
    }

    /// With something added, if it takes as many bytes then.
    pub(super) fn plus(self, amount: u64) -> Option<Self> {
        let count = self.count.checked_add(amount).filter(|count| *count <= self.most)?;
        Some(Self { count, ..self })
    }

    /// Writes it over that of a body in which it takes as many bytes.
    pub(super) fn write_over(self, body: &mut [u8]) {
        let Some((head, more)) = body.split_first_mut() else { return };
        match u8::try_from(self.count) {
            Ok(low) if self.count <= INLINE_MAX => *head = low,
            _ => varint::write_over(self.count.saturating_sub(VARINT_FOLLOWS.into()), more),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::charge::Now;
    use super::super::count::Count;
    use super::super::leases::Worker;
    use super::super::window::Window;
    use super::*;
    use proptest::prelude::*;

    const CLOCK: Now = Now { monotonic_ms: 600_000, wall_ms: 1_780_000_000_000 };

    proptest! {
        /// The cells as a ring that is taken apart has them, after some of them have left it.
        #[test]
        fn adding_to_the_bytes_is_adding_to_the_ring(
            cells in prop::collection::vec((0..3u8, prop_oneof![1..20u64, 1..u64::MAX / 32]), 1..8),
            older in 0..20u8,
            amount in prop_oneof![1..20u64, 1..u64::MAX / 2],
        ) {
            let mut body = Vec::new();
            for (nth, (gap, count)) in cells.into_iter().enumerate() {
                let gap = if nth == 0 { gap } else { gap + 1 };
                match u8::try_from(count) {
                    Ok(low) if count <= INLINE_MAX => body.push(gap << 4 | low),
                    _ => {
                        body.push(gap << 4 | VARINT_FOLLOWS);
                        varint::write(count - u64::from(VARINT_FOLLOWS), &mut body);
                    }
                }
            }
            let mut count = Count::read(Window::MINUTE, &body, older, CLOCK).unwrap();
            let mut ring = RingBytes::read(&body, older).unwrap();
            prop_assert_eq!(ring.total(), count.total());
            count.add(amount, CLOCK, Worker(1));
            ring.add(amount);
            let (mut expected, mut written) = (Vec::new(), Vec::new());
            count.write(&mut expected);
            ring.write(&mut written);
            prop_assert_eq!(&written, &expected);
            prop_assert_eq!(written.len(), ring.length());
        }

        /// Also of bytes that nobody writes, of which something has left the ring.
        #[test]
        fn what_is_added_in_place_is_what_is_written_anew(
            body in prop::collection::vec(prop_oneof![any::<u8>(), 0..16u8, 0xf0..=0xffu8], 1..8),
            amount in prop_oneof![1..20u64, 1..u64::MAX / 2],
        ) {
            let Some(ring) = RingBytes::read(&body, 0) else { return Ok(()) };
            if let Some(newest) = ring.newest_of(body.len()).and_then(|newest| newest.plus(amount)) {
                let (mut anew, mut written) = (ring, Vec::new());
                anew.add(amount);
                anew.write(&mut written);
                let mut body = body.clone();
                newest.write_over(&mut body);
                prop_assert_eq!(body, written);
            }
        }

        #[test]
        fn the_same_bytes_are_refused(body in prop::collection::vec(any::<u8>(), 0..12), older in 0..20u8) {
            let count = Count::read(Window::MINUTE, &body, older, CLOCK);
            let ring = RingBytes::read(&body, older);
            prop_assert_eq!(ring.map(|ring| ring.total()), count.map(|count| count.total()));
        }
    }

    #[test]
    fn a_cell_that_has_left_the_ring_is_not_added_over() {
        // A fifteen-cell-old count and one that is older still.
        let ring = RingBytes::read(&[0x05, 0xf1, 0x11], 0).unwrap();
        assert!(ring.newest_of(3).is_none());
    }
}
