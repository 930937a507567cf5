use super::Lab;
use crate::listing::{EventStream, Reason};

/// What goes on of a whole stream, and what was unreadable in it. Replaces by `reply`.
fn pushed(stream: &str, reply: Option<&str>) -> (String, Vec<Reason>) {
    let mut reasons = Vec::new();
    let mut events = EventStream::new(400, 16);
    let out = events
        .push(stream.as_bytes(), &Lab, &mut |problem| {
            reasons.push(problem.reason);
            reply.map(|reply| reply.as_bytes().to_vec())
        })
        .into_owned();
    (String::from_utf8(out).unwrap(), reasons)
}

fn filtered(stream: &str) -> String {
    let (out, reasons) = pushed(stream, None);
    assert_eq!(reasons, [], "{stream:?}");
    out
}

const BEFORE: &str = r#"{"result":{"tools":[{"name":"a"},{"name":"hidden"}]}}"#;
const AFTER: &str = r#"{"result":{"tools":[{"name":"a"}]}}"#;

#[test]
fn a_listing_in_an_event_is_filtered_in_place() {
    for (prefix, suffix) in [
        ("data: ", "\n\n"),
        ("data: ", "\r\n\r\n"),
        ("data: ", "\r\r"),
        ("\u{feff}data: ", "\n\n"),
        ("event: message\ndata: ", "\nid: 7\n\n"),
        (": c\r\nid: 7\r\nretry: 10\r\ndata: ", "\r\n: d\r\n\r\n"),
        ("id: 1\rdata: ", "\r\n\n"),
        ("id: 1\ndata: ", "\n\r"),
        ("event: endpoint\nevent: message\ndata: ", "\n\n"),
        ("event: other\nunknown: x\nalone\ndata: ", "\n\n"),
    ] {
        assert_eq!(filtered(&format!("{prefix}{BEFORE}{suffix}")), format!("{prefix}{AFTER}{suffix}"));
    }
    assert_eq!(filtered(&format!("data:{BEFORE}\n\n")), format!("data: {AFTER}\n\n"));
}

#[test]
fn lines_of_data_are_joined_and_written_back_line_by_line() {
    let before = "data: {\"result\":\ndata:{\"tools\":[\nid: 1\ndata\ndata: {\"name\":\"hidden\"},\ndata:   {\"name\":\"a\"}\ndata: ]}}\n\n";
    let after = "data: {\"result\":\ndata: {\"tools\":[\ndata:   {\"name\":\"a\"}\ndata: ]}}\nid: 1\n\n";
    assert_eq!(filtered(before), after);
}

#[test]
fn a_cr_in_front_of_a_final_lf_still_ends_the_event() {
    // The line in between came last of the data lines and is now the one before the empty line.
    let (head, tail) = BEFORE.split_at(1);
    assert_eq!(filtered(&format!("data: {head}\ndata: {tail}\n\n")), format!("data: {{\ndata: {}\n\n", &AFTER[1..]));
    assert_eq!(
        filtered(&format!("data: {head}\nid: 1\rdata: {tail}\n\n")),
        format!("data: {{\ndata: {}\nid: 1\r\n\n", &AFTER[1..])
    );
    assert_eq!(filtered(&format!("data: {head}\rdata: {tail}\n\n")), format!("data: {{\rdata: {}\r\n\n", &AFTER[1..]));
}

#[test]
fn what_holds_no_message_passes_untouched() {
    for stream in [
        "\n",
        "\r\n\r\n",
        ":\n",
        ": ping\r\n\r\n",
        "id: 5\nretry: 3000\n\n",
        "id: 0\ndata:\n\n",
        "id: 0\ndata: \n\n",
        "data\ndata\n\n",
        "retry: 10\n\n",
        "event: endpoint\ndata: /mcp/messages?session=1\n\n",
        "event: endpoint\r\ndata:/mcp/messages\r\n\r\n",
        "id: a\0b\n\n",
        "\u{feff}: ping\n\n",
        // Behind the first event, a byte order mark is part of a field name that clients ignore.
        "\n\u{feff}data: not json\n\n",
        "data: {\"method\":\"sampling/createMessage\",\"id\":1,\"params\":{\"tools\":[{\"name\":\"hidden\"}]}}\n\n",
        "data: {\"method\":\"notifications/progress\"}\n\n",
        "data: {\"id\":1,\ndata: \"result\":{}}\n\n",
    ] {
        assert_eq!(filtered(stream), stream, "{stream:?}");
    }
}

#[test]
fn an_event_that_cannot_be_read_is_dropped_alone() {
    for (event, reason) in [
        ("data: {\"result\":{\"tools\":1}}\n\n", Reason::NotAnArray("tools")),
        ("event: x\ndata: not json\n\n", Reason::Syntax(crate::json::Problem::UnexpectedByte)),
        ("data: {}\ndata: {\"result\":{\"tools\":[]}}\n\n", Reason::Syntax(crate::json::Problem::TrailingData)),
        ("event: endpoint\ndata: http://elsewhere/\n\n", Reason::EndpointElsewhere),
        ("event: endpoint\ndata: \u{a0}/mcp\n\n", Reason::EndpointElsewhere),
        ("event: endpoint\ndata: \"tools\"\n\n", Reason::EndpointElsewhere),
        ("event: endpoint\ndata: {\"result\":{\"tools\":[]}}\n\n", Reason::EndpointElsewhere),
    ] {
        let stream = format!("data: 1\r\r{event}id: 9\n\n");
        let (out, reasons) = pushed(&stream, None);
        assert_eq!(out, "data: 1\r\rid: 9\n\n", "{event:?}");
        assert_eq!(reasons, [reason]);
    }
}

#[test]
fn a_replacement_keeps_what_resuming_the_stream_needs() {
    let event = "event: x\r\n: c\r\nid: 9\r\nretry: 5\r\ndata: not json\r\n\r\n";
    let (out, reasons) = pushed(event, Some("{\"id\":1,\n\"error\":{}}"));
    assert_eq!(out, "id: 9\nretry: 5\ndata: {\"id\":1,\ndata: \"error\":{}}\n\n");
    assert_eq!(reasons.len(), 1);
}

#[test]
fn a_listing_that_only_careless_line_splitting_finds_is_dropped() {
    let listing = r#"{"result":{"tools":[{"name":"hidden"}]}}"#;
    for event in [
        // A client that ends lines only at LF reads data that begins with a CR.
        format!("data:\r{listing}\n\n"),
        // Python's str.splitlines, which some clients use, also ends lines here.
        format!(": \u{2028}data: {listing}\n\n"),
        format!("id: 1\u{85}data: {listing}\n\n"),
        format!("event: x\u{c}data: {listing}\n\n"),
        // Names that are trimmed or folded.
        format!(" data: {listing}\n\n"),
        format!("DATA : {listing}\n\n"),
        format!("id: 1\n\u{feff}data: {listing}\n\n"),
    ] {
        let (out, reasons) = pushed(&event, Some("{}"));
        assert_eq!(reasons, [Reason::StrayListing], "{event:?}");
        assert!(!out.contains("tools"), "{out:?}");
    }
}

#[test]
fn an_event_beyond_the_bound_is_replaced_once_and_skipped_to_its_end() {
    let large = format!("data: \"{}\"\ndata: x\nid: 1\n\n", "x".repeat(500));
    let (out, reasons) = pushed(&format!("data: 1\n\n{large}data: 2\n\n"), Some("{}"));
    assert_eq!(out, "data: 1\n\ndata: {}\n\ndata: 2\n\n");
    assert_eq!(reasons, [Reason::EventTooLarge(400)]);
}

#[test]
fn the_bound_counts_an_event_without_its_empty_line() {
    let fitting = format!("data: \"{}\"\r\n", "x".repeat(390));
    assert_eq!(fitting.len(), 400);
    assert_eq!(filtered(&format!("{fitting}\r\n")), format!("{fitting}\r\n"));
    let (_, reasons) = pushed(&format!("id:{fitting}\r\n"), None);
    assert_eq!(reasons, [Reason::EventTooLarge(400)]);
}
