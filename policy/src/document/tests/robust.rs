//! Documents that nobody meant.

use proptest::prelude::*;

use crate::document::load;

const SEED: &str = r#"{"version":"1","default":"deny","hide":["delete_*"],"all_tools":{"deny_if":[{"conditions":[]}]},
"tools":{"a?b*":{"action":"allow","require":[{"conditions":[{"path":"args.x[0][*].y","op":"cidr","value":["10.0.0.0/8"]}]}],
"limits":[{"counter":"c","window":"5m","max":10.5,"increment_from":"args.n","refund":["unsent"],"scope":"header:x"}],
"rate_limit":"10/minute"}},"listing":"allowed","resources":{"uris":{"file:///srv/%6c/*":{}}},"methods":{"x/y":{"action":"deny"}}}"#;

#[test]
fn the_seed_is_right() {
    load(SEED.as_bytes()).unwrap();
}

proptest! {
    #[test]
    fn no_bytes_make_the_loader_panic(text: Vec<u8>) {
        prop_assert!(load(&text).is_err());
    }

    #[test]
    fn no_mutation_makes_the_loader_panic(
        edits in proptest::collection::vec((0..SEED.len(), prop::sample::select(&b"\"{}[],:*?.\\/0198-ae\xc3 \n"[..]), 0..3_usize), 1..4)
    ) {
        let mut text = SEED.as_bytes().to_vec();
        for (at, byte, removed) in edits {
            let at = at.min(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, [byte]);
        }
        if let Err(errors) = load(&text) {
            prop_assert!(!errors.to_string().is_empty());
            for error in &errors {
                prop_assert!(error.offset() <= text.len() && error.line() >= 1 && error.column() >= 1);
            }
        }
    }

    #[test]
    fn any_value_in_place_of_any_other_is_read_or_refused(
        at in 0..40_usize,
        value in prop::sample::select(&["null", "true", "-1", "1.5", "1e300", "\"\"", "\"*\"", "[]", "[[]]", "{}", "[{}]", "{\"a\":1}"][..])
    ) {
        // The values between a colon and the next comma or bracket.
        let starts: Vec<usize> = SEED.match_indices("\":").map(|(i, _)| i + 2).collect();
        let start = starts[at % starts.len()];
        let end = start + SEED[start..].find([',', '}', ']']).unwrap();
        let text = format!("{}{value}{}", &SEED[..start], &SEED[end..]);
        prop_assert!(load(text.as_bytes()).err().is_none_or(|errors| errors.iter().all(|error| error.offset() < text.len())));
    }
}
