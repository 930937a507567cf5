use std::borrow::Cow;

use super::text::utf8;

/// The name of an object's member, unescaped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key<'a> {
    name: Cow<'a, [u8]>,
    /// Where it stands, in bytes from the start of the text.
    offset: usize,
}

impl<'a> Key<'a> {
    pub(super) fn new(name: Cow<'a, [u8]>, offset: usize) -> Self {
        Self { name, offset }
    }

    /// The name, as UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.name
    }

    /// The name.
    pub fn as_str(&self) -> Cow<'_, str> {
        utf8(&self.name)
    }

    /// The name, for longer than the key. Borrowed unless it holds escapes.
    pub fn decode(&self) -> Cow<'a, str> {
        match &self.name {
            Cow::Borrowed(name) => utf8(name),
            Cow::Owned(name) => Cow::Owned(utf8(name).into_owned()),
        }
    }

    /// Bytes from the start of the text to the key's opening quote.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// Below this many members, comparing each with each is cheaper than sorting.
const FEW: usize = 8;

/// The offset of a key that repeats an earlier one. Takes at most n log n comparisons, and needs no hash that
/// an attacker could flood. May reorder the keys.
pub(super) fn duplicate(keys: &mut [Key<'_>]) -> Option<usize> {
    if keys.len() <= FEW {
        let mut rest = &*keys;
        while let [first, tail @ ..] = rest {
            if let Some(again) = tail.iter().find(|key| key.name == first.name) {
                return Some(again.offset);
            }
            rest = tail;
        }
        return None;
    }
    keys.sort_unstable();
    keys.windows(2).find_map(|pair| match pair {
        [first, second] if first.name == second.name => Some(second.offset),
        _ => None,
    })
}

/// Whether a lenient server could take `key` for `name`: they differ, but are equal after case folding and without
/// NUL characters.
///
/// Go's `encoding/json` folds case, among it U+017F (ſ) to `s` and U+212A (K) to `k`; one of its versions ignored
/// NUL suffixes.
pub fn lookalike(key: &[u8], name: &str) -> bool {
    // Each of the two special characters is at most three bytes for one.
    if key == name.as_bytes() || key.len() < name.len() {
        return false;
    }
    // Most keys differ from most names in their first letter.
    match (key.first(), name.as_bytes().first()) {
        (Some(k), Some(n)) if k.is_ascii() && n.is_ascii() && *k != 0 && !k.eq_ignore_ascii_case(n) => {
            return false;
        }
        _ => {}
    }
    let key = utf8(key);
    folded(&key).eq(folded(name))
}

/// What is equal of names that a lenient server could confuse, as [`lookalike`] has it.
pub(crate) fn fold(name: &str) -> String {
    if name.is_ascii() && !name.contains('\0') {
        return name.to_ascii_lowercase();
    }
    folded(name).collect()
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| *c != '\0').flat_map(|c| match c {
        'ſ' => 's'.to_lowercase(),
        '\u{212A}' => 'k'.to_lowercase(),
        other => other.to_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_folding_server_confuses_are_lookalikes() {
        for (key, name) in [
            ("Name", "name"),
            ("NAME", "name"),
            ("param\u{17f}", "params"),
            ("PARAM\u{17f}", "params"),
            ("\u{212a}ey", "key"),
            ("name\0", "name"),
            ("\0name", "name"),
            ("na\0me", "name"),
            ("Größe", "größe"),
        ] {
            assert!(lookalike(key.as_bytes(), name), "{key:?} ~ {name:?}");
        }
    }

    #[test]
    fn equal_and_different_names_are_not_lookalikes() {
        for (key, name) in [("name", "name"), ("names", "name"), ("nam", "name"), ("", "name"), ("mane", "name")] {
            assert!(!lookalike(key.as_bytes(), name), "{key:?} !~ {name:?}");
        }
    }

    #[test]
    fn the_second_of_two_equal_keys_is_found_among_few_and_many() {
        for count in [2_usize, 3, 8, 9, 100] {
            for again in 1..count {
                let mut keys: Vec<Key> = (0..count)
                    .map(|i| {
                        let name = if i == again { "k0".to_owned() } else { format!("k{i}") };
                        Key::new(Cow::Owned(name.into_bytes()), i)
                    })
                    .collect();
                assert_eq!(duplicate(&mut keys), Some(again), "{count} keys");
            }
        }
    }
}
