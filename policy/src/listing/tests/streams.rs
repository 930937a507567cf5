use std::borrow::Cow;

use super::Lab;
use crate::listing::EventStream;

fn push<'c>(events: &mut EventStream, chunk: &'c str) -> Cow<'c, [u8]> {
    events.push(chunk.as_bytes(), &Lab, &mut |problem| panic!("{problem}"))
}

#[test]
fn a_chunk_of_whole_events_is_lent_back() {
    let mut events = EventStream::new(1000, 16);
    for chunk in [": ping\n\n", "data: 1\n\ndata: 2\r\n\r", "\ndata: 3\r\r", ""] {
        let out = push(&mut events, chunk);
        assert!(matches!(out, Cow::Borrowed(_)), "{chunk:?}");
        assert_eq!(out, chunk.as_bytes());
    }
}

#[test]
fn only_the_event_that_has_not_ended_is_held() {
    let mut events = EventStream::new(1000, 16);
    for (chunk, out, held) in [
        ("data: 1\n\ndata: {\"id\"", "data: 1\n\n", 11),
        (":2}", "", 14),
        ("\n", "", 15),
        ("\nid: 3", "data: {\"id\":2}\n\n", 5),
        ("\n", "", 6),
        ("\n: keep", "id: 3\n\n", 6),
        (" alive\n", ": keep alive\n", 0),
        ("data: 4\r\r", "data: 4\r\r", 0),
        ("\n", "\n", 0),
    ] {
        assert_eq!(String::from_utf8_lossy(&push(&mut events, chunk)), out, "{chunk:?}");
        assert_eq!(events.held_bytes(), held, "{chunk:?}");
    }
}

#[test]
fn the_lf_of_a_dropped_event_is_dropped_with_it() {
    let mut events = EventStream::new(1000, 16);
    let mut drop_it = |_: &_| None;
    assert_eq!(*events.push(b"data: bad\r\n\r", &Lab, &mut drop_it), *b"");
    assert_eq!(*events.push(b"\ndata: 1\n\n", &Lab, &mut drop_it), *b"data: 1\n\n");
}

#[test]
fn an_event_without_its_empty_line_is_discarded_at_the_end() {
    let mut events = EventStream::new(1000, 16);
    assert_eq!(*push(&mut events, "data: 1\n\ndata: 2\n"), *b"data: 1\n\n");
    assert_eq!(events.finish(), 8);
    assert_eq!(events.held_bytes(), 0);
}

#[test]
fn an_endless_event_holds_no_more_than_the_bound() {
    let mut events = EventStream::new(1000, 16);
    let mut told = 0;
    for _ in 0..10_000 {
        let out = events.push(b"data: xxxx\n", &Lab, &mut |_| {
            told += 1;
            None
        });
        assert!(out.is_empty());
        assert!(events.held_bytes() <= 1000);
    }
    assert_eq!(told, 1);
    assert_eq!(*push(&mut events, "\ndata: 1\n\n"), *b"data: 1\n\n");
}
