//! The plugin's configuration: any text is read or refused with its place, and what is read fits together.

use policy::config::load;

use crate::errors;
use crate::tree::Tree;

/// Checks one configuration.
///
/// # Panics
/// If a property does not hold.
pub fn check(text: &[u8]) {
    let config = match load(text) {
        Ok(config) => config,
        Err(problems) => return errors::are_placed(&problems, text),
    };
    let tree = Tree::parse(text).expect("loaded, and no JSON");
    assert!(tree.is_strict(64), "loaded, and not strict JSON");
    let used = |policy: usize| config.routes.iter().any(|route| route.policies.contains(&policy));
    assert!((0..config.policies.len()).all(used), "a policy protects nothing");
    for route in &config.routes {
        assert!(!route.policies.is_empty(), "a route without a policy");
        assert!(route.policies.iter().all(|policy| *policy < config.policies.len()));
    }
    assert!(config.max_body_bytes > 0 && config.max_depth > 0 && config.max_event_bytes > 0);
    match tree.get("version") {
        Some(_) => assert!(policy::document::load(text).is_ok(), "loaded, though the policy does not"),
        None => assert_eq!(tree.get("policies").map_or(0, |policies| policies.members().len()), config.policies.len()),
    }
    let again = load(text).expect("it has loaded before");
    assert_eq!(format!("{:?}", again.needs), format!("{:?}", config.needs));
    if tree.is_written_alike() {
        let reversed = tree.reversed();
        // Only the policies' own order follows that of the text.
        let config = load(reversed.as_bytes()).unwrap_or_else(|problems| panic!("{problems}\n{reversed}"));
        assert_eq!(config.needs, again.needs, "its meaning depends on the order of members: {reversed}");
        assert_eq!((config.mode, config.denial, config.unmatched), (again.mode, again.denial, again.unmatched));
        assert_eq!(config.identity.grant, again.identity.grant);
    }
}
