//! Sorting, with one copy of the code for all types: each copy of the standard library's takes 5 to 15 KiB of the module.

use core::cmp::Ordering;

/// Sorts as [`slice::sort_by`] does: what is equal stays in its order.
pub(crate) fn sort_by<T>(items: Vec<T>, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut places: Vec<usize> = (0..items.len()).collect();
    sort_places(&mut places, &|one, other| match (items.get(one), items.get(other)) {
        (Some(item), Some(another)) => order(item, another).then(one.cmp(&other)),
        // INVARIANT: every place is that of an item.
        _ => one.cmp(&other),
    });
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    places.into_iter().filter_map(|place| items.get_mut(place)?.take()).collect()
}

/// Sorts the places of something elsewhere by what is there.
#[inline(never)]
pub(crate) fn sort_places(places: &mut [usize], order: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_unstable_by(|one, other| order(*one, *other));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library_does(items: Vec<(u8, u64)>) {
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(sort_by(items, |(one, _), (other, _)| one.cmp(other)), expected);
        }
    }
}
