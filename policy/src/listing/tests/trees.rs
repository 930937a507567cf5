//! The filter against the same filter done on a tree.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Lab;
use crate::listing::{Filtered, Kind, Shown, filter_message};

/// Any JSON, its numbers kept to what serde_json prints alike.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("x[a-z ]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn entry(kind: Kind) -> impl Strategy<Value = Value> {
    let name = prop_oneof!["hidden.{0,4}", "[a-z\"\\\\\u{e9}\u{1f600}]{0,6}"];
    (name, any_json()).prop_map(move |(name, extra)| json!({ kind.identifier(): name, "x": extra }))
}

fn listing() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(Kind::ALL.to_vec());
    let entries = kind.prop_flat_map(|kind| (Just(kind), prop::collection::vec(entry(kind), 0..6)));
    (prop::collection::vec(entries, 0..3), any_json()).prop_map(|(lists, extra)| {
        let mut result = json!({"_meta": extra, "nextCursor": "c"});
        for (kind, entries) in lists {
            result[kind.member()] = entries.into();
        }
        json!({"jsonrpc": "2.0", "id": 1, "result": result})
    })
}

/// A response or a batch, with a listing or anything else as its result.
pub(super) fn any_message() -> impl Strategy<Value = Value> {
    let other = any_json().prop_map(|result| json!({"jsonrpc": "2.0", "id": 2, "result": result}));
    let request = any_json().prop_map(
        |params| json!({"id": 3, "method": "roots/list", "params": {"tools": [{"name": "hidden"}], "x": params}}),
    );
    let single = prop_oneof![3 => listing(), 1 => other, 1 => request];
    prop_oneof![
        3 => single.clone(),
        1 => prop::collection::vec(single, 0..4).prop_map(Value::from),
    ]
}

/// The filter done on the tree.
pub(super) fn filter_tree(message: &mut Value) {
    if let Some(batch) = message.as_array_mut() {
        batch.iter_mut().for_each(filter_tree);
        return;
    }
    for kind in Kind::ALL {
        let list =
            message.get_mut("result").and_then(|result| result.get_mut(kind.member())).and_then(Value::as_array_mut);
        if let Some(list) = list {
            list.retain(|entry| Lab.shows(kind, entry[kind.identifier()].as_str().unwrap()));
        }
    }
}

/// JSON text, tight or pretty.
pub(super) fn text(message: &Value, pretty: bool) -> String {
    if pretty { serde_json::to_string_pretty(message).unwrap() } else { message.to_string() }
}

proptest! {
    #[test]
    fn the_text_says_what_the_filtered_tree_says(message in any_message(), pretty: bool) {
        let text = text(&message, pretty);
        let mut expected = message.clone();
        filter_tree(&mut expected);
        match filter_message(text.as_bytes(), 64, &Lab).unwrap() {
            Filtered::Unchanged => prop_assert_eq!(expected, message),
            Filtered::Changed(bytes) => {
                prop_assert_ne!(&expected, &message);
                let filtered: Value = serde_json::from_slice(&bytes).unwrap();
                prop_assert_eq!(filtered, expected);
            }
        }
    }

    #[test]
    fn tight_text_is_the_filtered_tree_byte_for_byte(message in any_message()) {
        let before = text(&message, false);
        let mut expected = message;
        filter_tree(&mut expected);
        let after = match filter_message(before.as_bytes(), 64, &Lab).unwrap() {
            Filtered::Unchanged => before.into_bytes(),
            Filtered::Changed(bytes) => bytes,
        };
        prop_assert_eq!(String::from_utf8(after).unwrap(), text(&expected, false));
    }

    #[test]
    fn entries_that_are_kept_stay_byte_for_byte(
        entries in prop::collection::vec((any::<bool>(), any_json(), "[ \n\t]{0,3}", "[ \n\t]{0,3}"), 0..6),
    ) {
        let texts: Vec<_> = entries
            .iter()
            .map(|(hide, extra, before, inside)| {
                let name = if *hide { "hidden" } else { "kept" };
                (*hide, format!("{before}{{{inside}\"name\" :{inside}\"{name}\",\"x\":{extra:#}{before}}}"))
            })
            .collect();
        let listing = |keep: &dyn Fn(bool) -> bool| {
            let kept: Vec<&str> = texts
                .iter()
                .filter(|(hidden, _)| keep(*hidden))
                .map(|(_, text)| text.as_str())
                .collect();
            format!("{{\"result\": {{\"tools\" : [{}]}} }}", kept.join(","))
        };
        let (before, expected) = (listing(&|_| true), listing(&|hidden| !hidden));
        let after = match filter_message(before.as_bytes(), 64, &Lab).unwrap() {
            Filtered::Unchanged => before,
            Filtered::Changed(bytes) => String::from_utf8(bytes).unwrap(),
        };
        prop_assert_eq!(after, expected);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        prop_assert!(filter_message(&bytes, 64, &Lab) != Ok(Filtered::Changed(bytes)));
    }
}
