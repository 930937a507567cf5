//! One shard: a table of live slots in at most [`SHARD_BYTES`] bytes.
//!
//! ```text
//! shard := monotonic ms (8 bytes LE)  wall ms (8 bytes LE)  slot*
//! slot  := length of what follows (varint)  id (8 LE)  window code (4 LE)  body of the count
//! ```
//!
//! Time is told once, in the head: the latest that any writer brought. It never runs backwards, so
//! a worker whose clock reading is late counts at the shard's time. Ages of cells are told relative
//! to it; a writer adds to them what passed since, and leaves out the slots that nothing counts in
//! any longer.

use smallvec::SmallVec;

use super::charge::Now;
use super::count::{Count, grown_older};
use super::hash::SlotId;
use super::leases::Leases;
use super::ring::RingBytes;
use super::varint;
use super::window::{RING_CELLS, Window};

/// The most bytes that a shard takes.
pub(super) const SHARD_BYTES: usize = 2_048;

/// The age at which nothing in a ring counts.
const WHOLE_RING: u8 = 16;
const _: () = assert!(WHOLE_RING as u64 == RING_CELLS);
pub(super) const HEAD_BYTES: usize = 16;
/// Id and window code.
const SLOT_HEAD_BYTES: usize = 12;
/// The least that a slot takes: its length, its head and one cell.
pub(super) const SMALLEST_SLOT: usize = SLOT_HEAD_BYTES + 2;
/// What a ring takes with a few calls in each of its cells.
pub(super) const GROWN_RING: usize = SLOT_HEAD_BYTES + 1 + WHOLE_RING as usize;
/// What a calendar's count takes up to two million, with the second that it was added to last.
pub(super) const GROWN_PERIOD: usize = SLOT_HEAD_BYTES + 1 + 3 + 5;

/// A shard's live slots, at the shard's time.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) clock: Now,
    slots: Vec<Slot<'a>>,
    length: usize,
    has_shared: bool,
}

/// A slot as it lies in the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot<'a> {
    pub(super) id: SlotId,
    pub(super) window: Window,
    /// Cells by which it has aged since it was written.
    older: u8,
    head: &'a [u8],
    body: &'a [u8],
}

/// A slot to be written.
#[derive(Debug)]
pub(super) struct NewSlot {
    pub(super) id: SlotId,
    pub(super) window: Window,
    count: Count,
    body_length: usize,
}

impl<'a> Table<'a> {
    /// Reads a shard at a moment. `None` if the bytes are no shard.
    pub(super) fn read(bytes: Option<&'a [u8]>, now: Now) -> Option<Self> {
        let Some(bytes) = bytes else {
            return Some(Self { clock: now, slots: Vec::new(), length: HEAD_BYTES, has_shared: false });
        };
        let mut read = Slots::read(bytes, now)?;
        let mut slots = Vec::with_capacity(read.rest.len() / SMALLEST_SLOT);
        let mut length = HEAD_BYTES;
        let mut has_shared = false;
        while let Some(slot) = read.next_live()? {
            length = length.saturating_add(slot.length());
            has_shared |= slot.id.is_shared();
            slots.push(slot);
        }
        Some(Self { clock: read.clock(), slots, length, has_shared })
    }

    /// Bytes that the live slots take, with the head.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Whether any slot is one that several principals share.
    pub(super) fn has_shared(&self) -> bool {
        self.has_shared
    }

    /// The slots of that id: one per window that the counter has had lately.
    pub(super) fn slots_of(&self, id: SlotId) -> impl Iterator<Item = &Slot<'a>> {
        self.slots.iter().filter(move |slot| slot.id == id)
    }

    /// All slots.
    pub(super) fn slots(&self) -> &[Slot<'a>] {
        &self.slots
    }

    /// The shard's bytes without the slots that `leave_out` names, and with new ones.
    pub(super) fn write(&self, leave_out: impl Fn(&Slot<'a>) -> bool, new: &[NewSlot]) -> Vec<u8> {
        let mut out = begin_page(self.clock, self.length);
        for slot in self.slots.iter().filter(|slot| !leave_out(slot)) {
            slot.write(&mut out);
        }
        for slot in new {
            slot.write(&mut out);
        }
        out
    }
}

/// A shard's slots, as they are read one after the other.
pub(super) struct Slots<'a> {
    ageing: Ageing,
    rest: &'a [u8],
    as_written: bool,
}

impl<'a> Slots<'a> {
    /// Begins to read a shard at a moment. `None` if the bytes are no shard.
    pub(super) fn read(bytes: &'a [u8], now: Now) -> Option<Self> {
        if bytes.len() > SHARD_BYTES {
            return None;
        }
        let (monotonic, rest) = bytes.split_first_chunk()?;
        let (wall, rest) = rest.split_first_chunk()?;
        let written = Now { monotonic_ms: u64::from_le_bytes(*monotonic), wall_ms: u64::from_le_bytes(*wall) };
        Some(Self {
            ageing: Ageing { written, clock: now.or_later(written), known: SmallVec::new() },
            rest,
            as_written: true,
        })
    }

    /// The shard's time.
    pub(super) fn clock(&self) -> Now {
        self.ageing.clock
    }

    /// The next slot in which anything counts, if there is one. `None` if the bytes are no shard.
    pub(super) fn next_live(&mut self) -> Option<Option<Slot<'a>>> {
        while !self.rest.is_empty() {
            let (slot, after) = Slot::read(self.rest, &mut self.ageing)?;
            self.rest = after;
            self.as_written &= slot.older == 0;
            if slot.is_live(self.ageing.clock) {
                return Some(Some(slot));
            }
            self.as_written = false;
        }
        Some(None)
    }

    /// Whether all slots so far are live, and as they were when the shard was written.
    pub(super) fn are_as_written(&self) -> bool {
        self.as_written
    }

    /// When the first of the slots so far ages, by either clock. What runs does so at any time.
    pub(super) fn age_at(&self) -> Now {
        self.ageing.next()
    }

    /// The head of the bytes that will take the place of these.
    pub(super) fn begin_page(&self) -> Vec<u8> {
        begin_page(self.ageing.clock, HEAD_BYTES.saturating_add(self.rest.len()))
    }
}

/// Whether a shard has been written by the calendar.
pub(super) fn is_dated(bytes: &[u8]) -> bool {
    bytes.get(8..HEAD_BYTES).is_some_and(|wall| wall.iter().any(|byte| *byte != 0))
}

/// Lets a shard that is as it was written have another time. `None` if the bytes are no shard.
pub(super) fn set_clock(bytes: &mut [u8], clock: Now) -> Option<()> {
    let (monotonic, rest) = bytes.split_first_chunk_mut()?;
    *monotonic = clock.monotonic_ms.to_le_bytes();
    *rest.first_chunk_mut()? = clock.wall_ms.to_le_bytes();
    Some(())
}

/// A shard's head, with room for slots and a few more bytes.
fn begin_page(clock: Now, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(SHARD_BYTES.min(length.saturating_add(64)));
    out.extend_from_slice(&clock.monotonic_ms.to_le_bytes());
    out.extend_from_slice(&clock.wall_ms.to_le_bytes());
    out
}

impl<'a> Slot<'a> {
    fn read(bytes: &'a [u8], ageing: &mut Ageing) -> Option<(Self, &'a [u8])> {
        let (length, slot) = varint::read(bytes)?;
        let (slot, rest) = slot.split_at_checked(usize::try_from(length).ok()?)?;
        let (fields, body) = slot.split_at_checked(SLOT_HEAD_BYTES)?;
        let (head, _) = bytes.split_at_checked(bytes.len().checked_sub(rest.len())?.checked_sub(body.len())?)?;
        let (id, window) = fields.split_first_chunk()?;
        let window = u32::from_le_bytes(*window.first_chunk()?);
        let (window, older) = ageing.of(window)?;
        if body.is_empty() {
            return None;
        }
        Some((Self { id: SlotId(u64::from_le_bytes(*id)), window, older, head, body }, rest))
    }

    /// What the slot counts; `None` if its body is no count.
    pub(super) fn count(&self, clock: Now) -> Option<Count> {
        Count::read(self.window, self.body, self.older, clock)
    }

    /// What the slot of a sliding window counts, as it lies there; `None` if its body is no count.
    pub(super) fn ring(&self) -> Option<RingBytes<'a>> {
        RingBytes::read(self.body, self.older)
    }

    pub(super) fn body_length(&self) -> usize {
        self.body.len()
    }

    pub(super) fn length(&self) -> usize {
        self.head.len().saturating_add(self.body.len())
    }

    fn is_live(&self, clock: Now) -> bool {
        match self.window {
            Window::Sliding(_) => self.body.first().is_some_and(|&first| grown_older(first, self.older).is_some()),
            Window::Calendar(_) => self.older == 0,
            // What does not read is kept, so that it is found to be damaged.
            Window::Running => Leases::read(self.body, clock).is_none_or(|leases| leases.total() > 0),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.head);
        match (self.older, self.body.split_first()) {
            (1.., Some((&first, rest))) => {
                out.extend(grown_older(first, self.older));
                out.extend_from_slice(rest);
            }
            _ => out.extend_from_slice(self.body),
        }
    }
}

impl NewSlot {
    pub(super) fn new(id: SlotId, window: Window, count: Count) -> Self {
        let body_length = count.length();
        Self { id, window, count, body_length }
    }

    /// Changes the count.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Count) -> T) -> T {
        let result = change(&mut self.count);
        self.body_length = self.count.length();
        result
    }

    /// Bytes that it takes; nothing if it counts nothing.
    pub(super) fn length(&self) -> usize {
        match self.body_length {
            0 => 0,
            body => {
                let length = body.saturating_add(SLOT_HEAD_BYTES);
                length.saturating_add(varint::length(length as u64))
            }
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.body_length > 0 {
            begin_slot(self.id, self.window, self.body_length, out);
            self.count.write(out);
        }
    }
}

/// Writes the slot of a sliding window that is not empty.
pub(super) fn write_ring(id: SlotId, window: Window, ring: &RingBytes<'_>, out: &mut Vec<u8>) {
    begin_slot(id, window, ring.length(), out);
    ring.write(out);
}

fn begin_slot(id: SlotId, window: Window, body_length: usize, out: &mut Vec<u8>) {
    varint::write(body_length.saturating_add(SLOT_HEAD_BYTES) as u64, out);
    out.extend_from_slice(&id.0.to_le_bytes());
    out.extend_from_slice(&window.code().to_le_bytes());
}

/// How many cells each window has moved on since the shard was written; computed once per window,
/// since a shard has many slots and few windows.
struct Ageing {
    written: Now,
    clock: Now,
    known: SmallVec<[(u32, Window, u8); 2]>,
}

impl Ageing {
    /// The window of a code and the cells it has aged; a calendar period that is over has aged by a
    /// whole ring.
    fn of(&mut self, code: u32) -> Option<(Window, u8)> {
        if let Some(&(_, window, older)) = self.known.iter().find(|(known, ..)| *known == code) {
            return Some((window, older));
        }
        let window = Window::from_code(code)?;
        let older = match window {
            Window::Sliding(span) => {
                let cells = span.cell(self.clock.monotonic_ms).saturating_sub(span.cell(self.written.monotonic_ms));
                u8::try_from(cells).unwrap_or(WHOLE_RING).min(WHOLE_RING)
            }
            Window::Calendar(unit) if self.written.wall_ms < unit.first_ms(self.clock.wall_ms) => WHOLE_RING,
            Window::Calendar(_) | Window::Running => 0,
        };
        self.known.push((code, window, older));
        Some((window, older))
    }

    /// When the first of the windows so far moves on from the shard's time to its next cell or period.
    fn next(&self) -> Now {
        let mut next = Now { monotonic_ms: u64::MAX, wall_ms: u64::MAX };
        for (_, window, _) in &self.known {
            match window {
                Window::Sliding(span) => {
                    let cell = span.cell(self.clock.monotonic_ms);
                    next.monotonic_ms = next.monotonic_ms.min(span.first_ms(cell.saturating_add(1)));
                }
                Window::Calendar(unit) => next.wall_ms = next.wall_ms.min(unit.next_ms(self.clock.wall_ms)),
                Window::Running => next.monotonic_ms = 0,
            }
        }
        next
    }
}
