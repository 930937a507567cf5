//! JSON that has at least what is expected.

use serde_json::Value;

/// The first place where `found` lacks or contradicts what is expected, as a JSON Pointer, with both values. Members
/// that are not expected may be there; arrays must be as long.
pub(super) fn first_difference<'a>(
    expected: &'a Value,
    found: &'a Value,
) -> Option<(String, &'a Value, Option<&'a Value>)> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected.iter().find_map(|(key, expected)| {
            let Some(found) = found.get(key) else { return Some((format!("/{key}"), expected, None)) };
            first_difference(expected, found).map(|(place, e, f)| (format!("/{key}{place}"), e, f))
        }),
        (Value::Array(e), Value::Array(f)) if e.len() == f.len() => {
            e.iter().zip(f).enumerate().find_map(|(index, (expected, found))| {
                first_difference(expected, found).map(|(place, e, f)| (format!("/{index}{place}"), e, f))
            })
        }
        (expected, found) if expected == found => None,
        (expected, found) => Some((String::new(), expected, Some(found))),
    }
}
