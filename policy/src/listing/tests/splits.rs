//! Streams of any shape, split anywhere.

use proptest::prelude::*;
use serde_json::Value;

use super::Lab;
use super::reference::{Seen, interpret};
use super::trees::{any_message, filter_tree, text};
use crate::listing::EventStream;

const MAX_EVENT_BYTES: usize = 600;
const REPLY: &str = r#"{"error":"unreadable"}"#;

fn line_end() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["\n", "\r", "\r\n"])
}

/// Lines that carry no message.
fn other_line() -> impl Strategy<Value = String> {
    prop_oneof![
        "id: ?[a-z0-9]{0,3}",
        "retry: ?[0-9]{1,4}",
        "event: ?(message|other)?",
        ": ?[a-z ]{0,8}",
        Just(String::new()),
        Just("unknown: x".to_owned()),
        Just("data".to_owned()),
    ]
}

fn data_lines(message: &Value, pretty: bool, space: bool) -> Vec<String> {
    let prefix = if space { "data: " } else { "data:" };
    text(message, pretty).lines().map(|line| format!("{prefix}{line}")).collect()
}

/// An event in parts, so that it can be written with and without its listing filtered.
fn event(message: impl Strategy<Value = Value>) -> impl Strategy<Value = String> {
    let others = || prop::collection::vec(other_line(), 0..3);
    (others(), message, others(), any::<(bool, bool)>(), prop::collection::vec(line_end(), 1..4)).prop_map(
        |(before, message, after, (pretty, space), ends)| {
            let data = data_lines(&message, pretty, space);
            let lines = before.into_iter().chain(data).chain(after).chain([String::new()]);
            let mut out = String::new();
            for (line, end) in lines.zip(ends.iter().cycle()) {
                out += &line;
                // Behind a CR, an LF alone would be no empty line.
                out += if line.is_empty() && out.ends_with('\r') { "\r" } else { end };
            }
            out
        },
    )
}

fn stream() -> impl Strategy<Value = String> {
    let mess = prop::collection::vec(
        prop_oneof![
            line_end().prop_map(str::to_owned),
            Just("data: not json".to_owned()),
            Just("data: {\"result\":{\"tools\":[{\"name\":\"hidden\"}]}}".to_owned()),
            Just("event: endpoint".to_owned()),
            Just("data: /mcp".to_owned()),
            Just(":".to_owned()),
            Just("\u{feff}".to_owned()),
            "[:a-z \n\r]{0,6}",
            "x{700}",
        ],
        0..12,
    )
    .prop_map(|parts| parts.concat());
    (any::<bool>(), prop::collection::vec(prop_oneof![3 => event(any_message()), 1 => mess], 0..5))
        .prop_map(|(mark, parts)| format!("{}{}", if mark { "\u{feff}" } else { "" }, parts.concat()))
}

/// Cuts at the given places, taken modulo the length.
pub(super) fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place % (bytes.len() + 1)).collect();
    places.sort_unstable();
    places.push(bytes.len());
    let mut from = 0;
    places.into_iter().map(|to| &bytes[std::mem::replace(&mut from, to)..to]).collect()
}

fn run(chunks: &[&[u8]], reply: Option<&str>) -> Vec<u8> {
    let mut events = EventStream::new(MAX_EVENT_BYTES, 64);
    let mut out = Vec::new();
    for chunk in chunks {
        let reply = || reply.map(|reply| reply.as_bytes().to_vec());
        out.extend_from_slice(&events.push(chunk, &Lab, &mut |_| reply()));
        assert!(events.held_bytes() <= MAX_EVENT_BYTES);
    }
    out
}

/// What is left of a stream up to where its last event has ended.
fn ended(stream: &str) -> usize {
    let bytes = stream.as_bytes();
    (0..=bytes.len())
        .rev()
        .find(|&end| {
            let head = &bytes[..end];
            head.is_empty()
                || [&b"\n\n"[..], b"\r\r", b"\n\r", b"\r\n\r", b"\r\n\r\n"].iter().any(|empty| head.ends_with(empty))
        })
        .unwrap_or(0)
}

fn shown_to_a_client(seen: &[Seen]) -> Vec<Seen> {
    seen.iter()
        .cloned()
        .map(|mut seen| {
            if let Seen::Message { data, .. } = &mut seen
                && let Ok(mut message) = serde_json::from_str(data)
            {
                filter_tree(&mut message);
                *data = message.to_string();
            }
            seen
        })
        .collect()
}

/// The stream without the characters that events are written anew for.
fn as_python_splits_it(stream: &str) -> String {
    stream.replace(['\u{85}', '\u{2028}', '\u{2029}'], "_")
}

proptest! {
    #[test]
    fn any_split_gives_the_same_bytes(
        stream in stream(), places in prop::collection::vec(any::<usize>(), 0..12), reply: bool,
    ) {
        let reply = reply.then_some(REPLY);
        let whole = run(&[stream.as_bytes()], reply);
        let split = run(&cut(stream.as_bytes(), &places), reply);
        prop_assert_eq!(String::from_utf8_lossy(&split), String::from_utf8_lossy(&whole));
        let bytes: Vec<_> = stream.as_bytes().chunks(1).collect();
        let single = run(&bytes, reply);
        prop_assert_eq!(String::from_utf8_lossy(&single), String::from_utf8_lossy(&whole));
    }

    #[test]
    fn nothing_hidden_means_nothing_changed(
        events in prop::collection::vec(event(any_message()), 0..4),
        places in prop::collection::vec(any::<usize>(), 0..8),
    ) {
        let stream = as_python_splits_it(&events.concat());
        let mut filter = EventStream::new(1 << 20, 64);
        let mut out = Vec::new();
        for chunk in cut(stream.as_bytes(), &places) {
            let all = |_, _: &str| true;
            out.extend_from_slice(&filter.push(chunk, &all, &mut |problem| panic!("{problem}")));
        }
        prop_assert_eq!(String::from_utf8(out).unwrap(), stream);
    }

    #[test]
    fn each_event_goes_on_as_soon_as_it_has_ended(
        events in prop::collection::vec(event(any_message()), 1..4), place: usize,
    ) {
        let stream = as_python_splits_it(&events.concat());
        let mut head = place % (stream.len() + 1);
        while !stream.is_char_boundary(head) {
            head -= 1;
        }
        let head = &stream[..head];
        let mut filter = EventStream::new(1 << 20, 64);
        let all = |_, _: &str| true;
        let out = filter.push(head.as_bytes(), &all, &mut |problem| panic!("{problem}"));
        prop_assert!(out.len() >= ended(head), "{:?} of {:?}", String::from_utf8_lossy(&out), head);
        prop_assert_eq!(out.len() + filter.held_bytes(), head.len());
    }

    #[test]
    fn a_client_sees_the_same_events_with_their_listings_filtered(
        mark: bool, events in prop::collection::vec(event(any_message()), 0..4),
    ) {
        let stream = format!("{}{}", if mark { "\u{feff}" } else { "" }, events.concat());
        let mut filter = EventStream::new(1 << 20, 64);
        let out = filter.push(stream.as_bytes(), &Lab, &mut |problem| panic!("{problem}"));
        let canonical = |seen: Vec<Seen>| -> Vec<Seen> {
            seen.into_iter()
                .map(|mut seen| {
                    if let Seen::Message { data, .. } = &mut seen
                        && let Ok(message) = serde_json::from_str::<Value>(data)
                    {
                        *data = message.to_string();
                    }
                    seen
                })
                .collect()
        };
        let expected = shown_to_a_client(&interpret(stream.as_bytes()));
        prop_assert_eq!(canonical(interpret(&out)), expected);
    }

    #[test]
    fn no_hidden_name_reaches_a_client(stream in stream()) {
        let out = run(&[stream.as_bytes()], None);
        for seen in interpret(&out) {
            let Seen::Message { data, .. } = seen else { continue };
            let Ok(message) = serde_json::from_str::<Value>(&data) else { continue };
            let mut filtered = message.clone();
            filter_tree(&mut filtered);
            prop_assert_eq!(message, filtered);
        }
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(chunks: Vec<Vec<u8>>) {
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let whole = chunks.concat();
        prop_assert_eq!(run(&chunks, Some(REPLY)), run(&[&whole], Some(REPLY)));
    }
}
