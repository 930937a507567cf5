//! A set-associative cache: everything has four places to be, so that what is asked for in turns seldom drives each other out.

/// What may be remembered at once.
pub(super) const ENTRIES: usize = SETS * WAYS;

const SETS: usize = 1 << SET_BITS;
const SET_BITS: u32 = 9;
const WAYS: usize = 4;

/// The fraction of the golden ratio: by the product, all bits of a tag have a say in the upper ones.
const GOLDEN: u32 = 0x9e37_79b1;

/// What is remembered, each by a tag.
#[derive(Debug)]
pub(super) struct Cache<T> {
    entries: Vec<Entry<T>>,
    /// Which of them was found last.
    recent: usize,
    turn: usize,
}

#[derive(Debug, Default)]
struct Entry<T> {
    tag: Option<u32>,
    value: T,
}

impl<T> Default for Cache<T> {
    /// Nothing. Room is made when it is asked for.
    fn default() -> Self {
        Self { entries: Vec::new(), recent: 0, turn: 0 }
    }
}

impl<T: Default> Cache<T> {
    /// What has a tag, and whether it had it before: otherwise it is something else, to be put in order.
    pub(super) fn find(&mut self, tag: u32) -> Option<(&mut T, bool)> {
        if self.entries.is_empty() {
            self.entries.resize_with(ENTRIES, Entry::default);
        }
        let set_number = usize::try_from(tag.wrapping_mul(GOLDEN) >> (u32::BITS - SET_BITS)).ok()?;
        let set = self.entries.as_chunks_mut::<WAYS>().0.get_mut(set_number)?;
        let known = set.iter().position(|entry| entry.tag == Some(tag));
        let free = || set.iter().position(|entry| entry.tag.is_none());
        let way = known.or_else(free).unwrap_or_else(|| {
            self.turn = self.turn.wrapping_add(1);
            self.turn % WAYS
        });
        self.recent = set_number.saturating_mul(WAYS).saturating_add(way);
        let entry = set.get_mut(way)?;
        entry.tag = Some(tag);
        Some((&mut entry.value, known.is_some()))
    }

    /// What was found last.
    pub(super) fn recent(&self) -> Option<&T> {
        self.entries.get(self.recent).map(|entry| &entry.value)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_known_is_what_was_put_under_that_tag(tags in prop::collection::vec(0..8_000u32, 1..20_000)) {
            let mut cache = Cache::<u32>::default();
            for tag in tags {
                let (value, known) = cache.find(tag).unwrap();
                prop_assert!(!known || *value == tag);
                *value = tag;
                prop_assert_eq!(cache.recent(), Some(&tag));
            }
        }
    }

    #[test]
    fn a_few_are_all_remembered() {
        let forgotten = |tags: &[u32]| {
            let mut cache = Cache::<()>::default();
            tags.iter().for_each(|tag| _ = cache.find(*tag));
            tags.iter().filter(|tag| !cache.find(**tag).unwrap().1).count()
        };
        let mut forgotten_of_all = 0;
        for seed in 0..200u32 {
            let tags: Vec<u32> = (0..16).map(|nth| (seed * 16 + nth).wrapping_mul(2_654_435_769) >> 18).collect();
            forgotten_of_all += forgotten(&tags);
        }
        // Sixteen tags seldom want five of the same four places.
        assert!(forgotten_of_all <= 40, "{forgotten_of_all} of 3200");
    }
}
