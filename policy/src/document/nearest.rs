//! The word that was probably meant.

/// Longer words are no typing errors of ours.
const LONGEST: usize = 64;

/// The known word that is nearest to `word`, if it is near enough to be meant.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > LONGEST {
        return None;
    }
    let lower = word.to_lowercase();
    let length = word.chars().count();
    // Of a single character nothing would be left.
    let allowed = (length / 3).max(1).min(length.saturating_sub(1));
    let candidates = known.into_iter().map(|candidate| (distance(&lower, candidate), candidate));
    // Of equally near ones the first.
    candidates.filter(|(distance, _)| *distance <= allowed).min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

/// How many characters must be inserted, removed, replaced or swapped with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i.saturating_add(1)];
        for (j, y) in b.iter().enumerate() {
            let cell = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = cell(&row, j).saturating_add(usize::from(x != *y));
            let removed = cell(&row, j.saturating_add(1)).saturating_add(1);
            let inserted = cell(&next, j).saturating_add(1);
            let mut best = replaced.min(removed).min(inserted);
            if let Some(left) = j.checked_sub(1)
                && previous == Some(*y)
                && b.get(left) == Some(&x)
            {
                best = best.min(cell(&before, left).saturating_add(1));
            }
            next.push(best);
        }
        before = core::mem::replace(&mut row, next);
        previous = Some(x);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_mistakes() {
        for (a, b, mistakes) in [
            ("limits", "limits", 0),
            ("limts", "limits", 1),
            ("limist", "limits", 1),
            ("limitss", "limits", 1),
            ("lomits", "limits", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), mistakes, "{a} {b}");
            assert_eq!(distance(b, a), mistakes, "{b} {a}");
        }
    }

    #[test]
    fn only_near_words_are_suggested() {
        let known = ["require", "deny_if", "limits", "rate_limit"];
        assert_eq!(nearest("Limits", known), Some("limits"));
        assert_eq!(nearest("denyif", known), Some("deny_if"));
        assert_eq!(nearest("rate-limit", known), Some("rate_limit"));
        assert_eq!(nearest("quota", known), None);
        assert_eq!(nearest("2", ["1"]), None);
        assert_eq!(nearest(&"limits".repeat(20), known), None);
    }
}
