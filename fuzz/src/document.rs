//! `policy.json`: any text is read or refused with its place, and what is read means one thing.

use policy::document::load;

use crate::calls::outcomes;
use crate::errors;
use crate::tree::Tree;

/// Checks one document.
///
/// # Panics
/// If a property does not hold.
pub fn check(text: &[u8]) {
    let policy = match load(text) {
        Ok(policy) => policy,
        Err(problems) => return errors::are_placed(&problems, text),
    };
    let tree = Tree::parse(text).expect("loaded, and no JSON");
    assert!(tree.is_strict(64), "loaded, and not strict JSON");
    assert_eq!(tree.get("version").and_then(Tree::as_str), Some("1"));
    let outcomes = outcomes(&policy, &tree);
    let again = load(text).expect("it has loaded before");
    assert_eq!(self::outcomes(&again, &tree), outcomes, "loaded twice, it says two things");
    if tree.is_written_alike() {
        let reversed = tree.reversed();
        let policy = load(reversed.as_bytes()).unwrap_or_else(|problems| panic!("{problems}\n{reversed}"));
        assert_eq!(self::outcomes(&policy, &tree), outcomes, "its meaning depends on the order of members: {reversed}");
    }
}
