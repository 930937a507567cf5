//! When a difference between two visits is believed.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

/// What was found to be different, by the place where: what it was.
pub(crate) type Differences = BTreeMap<String, String>;

/// How often a comparison is made at most.
const TIMES: usize = 3;

/// The suite gives some answers half a second to come, which a machine busy with other tests may miss. So a comparison is
/// made again until one of them finds no difference, and
///
/// - what is different at the same place twice is believed, and fails at once;
/// - what is different at another place each time fails after the third: one doubt does not clear another.
pub(crate) async fn no_difference(mut compare: impl AsyncFnMut() -> Result<Differences>) -> Result<()> {
    let mut before = Differences::new();
    for time in 1..=TIMES {
        let found = compare().await?;
        if found.is_empty() {
            return Ok(());
        }
        let report: String = found.iter().map(|(place, what)| format!("\n{place}{what}")).collect();
        if time == TIMES || found.keys().any(|place| before.contains_key(place)) {
            bail!("the {time}. time:{report}");
        }
        eprintln!("once more, because of{report}");
        before.extend(found);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verdict over comparisons that find differences at these places, and how many of them were made.
    async fn verdict(comparisons: &[&[&str]]) -> (bool, usize) {
        let mut made = 0;
        let verdict = no_difference(async || {
            let places = comparisons[made];
            made += 1;
            Ok(places.iter().map(|place| ((*place).to_owned(), String::new())).collect())
        });
        (verdict.await.is_ok(), made)
    }

    #[tokio::test]
    async fn a_difference_counts_when_it_is_found_at_the_same_place_twice() {
        assert_eq!(verdict(&[&[]]).await, (true, 1));
        assert_eq!(verdict(&[&["a"], &[]]).await, (true, 2));
        assert_eq!(verdict(&[&["a", "b"], &["b"]]).await, (false, 2));
    }

    #[tokio::test]
    async fn a_second_comparison_does_not_hide_what_it_finds_itself() {
        assert_eq!(verdict(&[&["a"], &["b"], &[]]).await, (true, 3));
        for third in ["a", "b", "c"] {
            assert_eq!(verdict(&[&["a"], &["b"], &[third]]).await, (false, 3), "{third}");
        }
    }
}
