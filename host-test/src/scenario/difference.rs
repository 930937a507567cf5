//! What is not as it should be.

use std::fmt;

use serde_json::Value;

use super::exchange::Headers;
use super::subset::first_difference;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub what: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, expected, found } = self;
        write!(f, "{what}\n    expected: {expected}\n    found:    {found}")
    }
}

/// Collects differences.
#[derive(Default)]
pub(super) struct Differences(pub(super) Vec<Difference>);

impl Differences {
    pub(super) fn add(&mut self, what: &str, expected: impl fmt::Display, found: impl fmt::Display) {
        let (expected, found) = (brief(&expected.to_string()), brief(&found.to_string()));
        self.0.push(Difference { what: what.to_owned(), expected, found });
    }

    pub(super) fn equal<T: PartialEq + fmt::Debug>(&mut self, what: &str, expected: &T, found: &T) {
        if expected != found {
            self.add(what, format_args!("{expected:?}"), format_args!("{found:?}"));
        }
    }

    pub(super) fn bytes(&mut self, what: &str, expected: &[u8], found: &[u8]) {
        if expected != found {
            let text = |bytes: &[u8]| format!("{:?}", String::from_utf8_lossy(bytes));
            self.add(what, text(expected), text(found));
        }
    }

    pub(super) fn subset(&mut self, what: &str, expected: &Value, found: &Value) {
        if let Some((place, expected, at_place)) = first_difference(expected, found) {
            let at_place = at_place.map_or_else(|| "nothing".to_owned(), Value::to_string);
            self.add(&format!("{what} at `{place}`"), expected, format_args!("{at_place}, in {found}"));
        }
    }

    pub(super) fn parts(&mut self, what: &str, text: &str, there: &[String], not_there: &[String]) {
        for part in there.iter().filter(|part| !text.contains(*part)) {
            self.add(what, format_args!("something with {part:?}"), format_args!("{text:?}"));
        }
        for part in not_there.iter().filter(|part| text.contains(*part)) {
            self.add(what, format_args!("something without {part:?}"), format_args!("{text:?}"));
        }
    }

    pub(super) fn header(&mut self, what: &str, name: &str, expected: Option<&str>, headers: &Headers) {
        let found: Vec<&str> = headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect();
        if found != expected.as_slice() {
            self.add(&format!("{what} `{name}`"), format_args!("{:?}", expected.as_slice()), format_args!("{found:?}"));
        }
    }
}

/// Enough to see what it is: a difference in a large body need not fill the screen.
fn brief(text: &str) -> String {
    const ENOUGH: usize = 1200;
    match text.char_indices().nth(ENOUGH) {
        Some((end, _)) => format!("{} … ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}
