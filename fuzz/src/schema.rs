//! Schemas of arguments: what one says of a value is what it says of it inside others.

use policy::json::Reader;
use policy::schema::{Effort, Schema};

use crate::errors;

/// Checks one schema and one value, on a line each.
///
/// # Panics
/// If a property does not hold.
pub fn check(text: &[u8]) {
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else { return };
    let (schema, value) = (&text[..end], &text[end + 1..]);
    let rules = match Schema::load_of_server(schema) {
        Ok(rules) => rules,
        Err(problems) => {
            assert!(Schema::load(schema).is_err(), "a server may not write what others may");
            return errors::are_placed(&problems, schema);
        }
    };
    if let Ok(written) = Schema::load(schema) {
        assert_eq!(matches(&written, value), matches(&rules, value), "it depends on who has written the schema");
    }
    let matched = matches(&rules, value);
    assert_eq!(matches(&rules, value), matched, "it says something else the second time");
    // A reference or a name for one has its meaning by where it stands. Large ones could be too much only with others around.
    let names = |word: &[u8]| schema.windows(word.len()).any(|part| part == word);
    if names(b"$") || names(b"\\u0024") || text.len() > 2048 || !is_shallow(schema) || !is_shallow(value) {
        return;
    }
    let schema = String::from_utf8_lossy(schema);
    let inside = |around: &str| {
        let around = around.replace('S', &schema);
        let rules = Schema::load_of_server(around.as_bytes()).unwrap_or_else(|errors| panic!("{around}: {errors}"));
        matches(&rules, value)
    };
    for around in [r#"{"allOf":[S]}"#, r#"{"anyOf":[false,S]}"#, r#"{"oneOf":[S,false]}"#, r#"{"if":true,"then":S}"#] {
        assert_eq!(inside(around), matched, "{around}");
    }
    // A value that could be read in two ways matches neither a schema nor its opposite.
    for opposite in [r#"{"not":S}"#, r#"{"if":S,"then":false}"#, r#"{"allOf":[{"not":S},S]}"#] {
        assert!(!(matched && inside(opposite)), "{opposite}");
    }
}

fn matches(rules: &Schema, value: &[u8]) -> bool {
    rules.check(value, &Effort::default()).is_ok()
}

/// Whether it is one value, which does not get too deep with others around it.
fn is_shallow(text: &[u8]) -> bool {
    let read = Reader::new(text, 32).and_then(|mut reader| {
        reader.skip()?;
        reader.end()
    });
    read.is_ok()
}
