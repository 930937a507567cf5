//! Clients that read a stream otherwise than the standard has it: what they would see is what has been judged.

use proptest::prelude::*;
use serde_json::Value;

use super::Quiet;
use super::splits::cut;
use super::trees::filter_tree;
use crate::listing::{EventStream, Shown};

fn pushed(chunks: &[&[u8]]) -> String {
    let mut events = EventStream::new(2000, 64);
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend_from_slice(&events.push(chunk, &Quiet, &mut |_| None));
    }
    String::from_utf8(out).unwrap()
}

fn filtered(stream: &str) -> String {
    pushed(&[stream.as_bytes()])
}

const HIDDEN: &str = r#"{"result":{"tools":[{"name":"hidden"}]}}"#;

#[test]
fn an_event_that_some_client_reads_otherwise_is_written_anew() {
    for (before, after) in [
        // Ends a line for `str.splitlines`.
        ("data: {\"a\":\"x\u{2028}y\u{85}z\u{2029}\"}\n\n", "data: {\"a\":\"x\\u2028y\\u0085z\\u2029\"}\n\n"),
        ("id: 1\n: \u{2028}data: [\ndata: {}\n\n", "id: 1\ndata: {}\n\n"),
        ("event: a\u{b}data: [\ndata: {}\r\n\r\n", "data: {}\n\n"),
        // A name that is trimmed, folded, or cut at a byte order mark or NUL.
        (
            "retry: 1\ndata: {\"x\":0,\n data: \"result\":{\ndata: \"tools\":[{\"name\":\"hidden\"}]\n data: }\ndata: }\n\n",
            "retry: 1\ndata: {\"x\":0, \"tools\":[{\"name\":\"hidden\"}] }\n\n",
        ),
        ("DATA: [\ndata: {}\nData: ]\n\n", "data: {}\n\n"),
        ("data: {}\n\u{feff}data: ]\n: c\n\n", ": c\ndata: {}\n\n"),
        ("data: {}\nda\0ta: ]\n\n", "data: {}\n\n"),
        // One line for clients that know only LF.
        ("data: {\"x\":0\r,\"result\":{\ndata: ,\"y\":1\r}\ndata: }\n\n", "data: {\"x\":0 ,\"y\":1 }\n\n"),
    ] {
        assert_eq!(filtered(before), after, "{before:?}");
        assert_eq!(filtered(after), after);
        let single: Vec<&[u8]> = before.as_bytes().chunks(1).collect();
        assert_eq!(pushed(&single), after, "{before:?}");
    }
}

#[test]
fn a_line_of_data_that_is_a_message_of_its_own_is_none_any_more() {
    // Clients that dispatch each line, or keep the last.
    let nested = format!("data: [1,{{\"x\":\ndata: {HIDDEN}\ndata: }}]\n\n");
    assert_eq!(filtered(&nested), format!("data: [1,{{\"x\": {HIDDEN} }}]\n\n"));
    // Lines without such a message stay.
    let pretty = "data: {\ndata: \"a\": [\ndata: {\"name\":\"hidden\"}]}\n\n";
    assert_eq!(filtered(pretty), pretty);
}

#[test]
fn a_method_may_not_stand_in_sloppy_json_of_which_clients_read_other_lines() {
    // Denied to clients that fold names, with a duplicate key or NaN beside it.
    for sloppy in ["NaN", "1,\"a\":1,\"a\":2"] {
        let stream =
            format!("data: {{\"method\":\n DATA: \"denied/x\",\"z\":\ndata: \"roots/list\",\"w\":{sloppy}}}\n\n");
        assert_eq!(filtered(&stream), "");
        let usual = stream.replace(" DATA: \"denied/x\",\"z\":\n", "");
        assert_eq!(filtered(&usual), usual);
    }
}

#[test]
fn an_endpoint_is_one_line() {
    let stream = "event: endpoint\ndata: /mcp\ndata: http://elsewhere\n\n";
    assert_eq!(filtered(stream), "");
    assert_eq!(filtered("event: endpoint\ndata: /mcp\n DATA: //elsewhere\n\n"), "");
}

/// A client that is careless in some ways.
#[derive(Debug, Clone, Copy)]
struct Careless {
    /// Splits lines as Python does, or only at LF.
    ends: u8,
    /// Trims and folds field names, and skips byte order marks and NULs.
    folds: bool,
    /// What it makes of several lines of data: joined by LF or by nothing, each on its own, the last.
    lines: u8,
}

impl Careless {
    fn lines(self, text: &str) -> Vec<&str> {
        let python = |c: char| "\n\r\u{b}\u{c}\u{1c}\u{1d}\u{1e}\u{85}\u{2028}\u{2029}".contains(c);
        match self.ends {
            0 => text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect(),
            1 => text.split(python).collect(),
            _ => text.split(['\n', '\r']).collect(),
        }
    }

    /// What it takes for messages.
    fn messages(self, stream: &str) -> Vec<Value> {
        let (mut data, mut texts): (Vec<&str>, Vec<String>) = (vec![], vec![]);
        // An empty line may also be the second half of a CRLF. Then nothing is told from several events, and each is tried.
        for line in self.lines(stream).into_iter().chain([""]) {
            if line.is_empty() {
                match self.lines {
                    0 => texts.push(data.join("\n")),
                    1 => texts.push(data.concat()),
                    2 => texts.extend(data.iter().copied().map(str::to_owned)),
                    _ => texts.extend(data.last().copied().map(str::to_owned)),
                }
                data.clear();
            } else if let Some((name, value)) = line.split_once(':') {
                let folded = name.replace(['\u{feff}', '\0'], "").trim().to_ascii_lowercase();
                if name == "data" || self.folds && folded == "data" {
                    data.push(value.strip_prefix(' ').unwrap_or(value));
                }
            }
        }
        texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect()
    }
}

fn careless() -> impl Strategy<Value = Careless> {
    (0_u8..3, any::<bool>(), 0_u8..4).prop_map(|(ends, folds, lines)| Careless { ends, folds, lines })
}

/// Streams of pieces that only together are messages, one way or another.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "data: ",
        "data: ",
        "data: ",
        "data:",
        " data: ",
        "DATA: ",
        "\u{feff}data: ",
        "da\0ta: ",
        "id: ",
        ": ",
        "event: ",
        "x: ",
        "\n",
        "\n",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\n\n",
        "\u{2028}",
        "\u{85}",
        "\u{b}",
        "\u{2028}data: ",
        "\rdata: ",
        "{",
        "}",
        "}",
        "[",
        "]",
        ",",
        ":",
        "1",
        "null",
        "\"x\":",
        "\"x\":\"",
        "\"",
        "\"result\":{",
        "\"result\":",
        "\"tools\":[{\"name\":\"hidden\"}]",
        "\"method\":",
        "\"method\":\"denied/x\"",
        "\"denied/x\"",
        "{\"method\":\"denied/x\"}",
        "{\"result\":{\"tools\":[{\"name\":\"hidden\"}]}}",
        "{\"result\":{}}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| format!("{}\n\n", pieces.concat()))
}

/// Events of one message, cut into lines of every kind.
fn torn() -> impl Strategy<Value = String> {
    let message = prop::sample::select(vec![
        r#"{ "x" : 0 , "result" : { "tools" : [ { "name" : "hidden" } ] } }"#,
        r#"{ "x" : { "result" : { "tools" : [ { "name" : "hidden" } ] } } }"#,
        r#"[ { "x" : 1 , "method" : "denied/x" } , 1 ]"#,
        r#"{ "x" : 1 , "params" : { "method" : "denied/x" } }"#,
        r#"{ "x" : "a b" , "result" : { "x" : { "inputRequests" : { "a" : { "method" : "denied/x" } } } } }"#,
    ]);
    let end = prop::sample::select(vec!["\n", "\r", "\r\n", "\u{2028}", "\u{c}"]);
    let name =
        prop::sample::select(vec!["data: ", "data: ", "data: ", " data: ", "Data: ", "\u{feff}data: ", ": data: ", ""]);
    let tear = (any::<prop::sample::Index>(), end, name);
    (message, prop::collection::vec(tear, 0..6)).prop_map(|(message, tears)| {
        let mut words: Vec<String> = message.split(' ').map(str::to_owned).collect();
        for (place, end, name) in tears {
            let place = place.index(words.len());
            words[place] = format!("{end}{name}{}", words[place]);
        }
        format!("data: {}\n\n", words.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn no_careless_client_sees_what_is_hidden_or_denied(
        stream in prop_oneof![pieces(), prop::collection::vec(torn(), 1..3).prop_map(|events| events.concat())],
        client in careless(), places in prop::collection::vec(any::<usize>(), 0..4),
    ) {
        let out = pushed(&cut(stream.as_bytes(), &places));
        for message in client.messages(&out) {
            let batch = message.as_array().map_or(std::slice::from_ref(&message), Vec::as_slice);
            for message in batch {
                prop_assert!(message["method"].as_str().is_none_or(|method| Quiet.passes_method(method)), "{out:?}");
                prop_assert!(message["result"]["inputRequests"].is_null(), "{out:?}");
                let mut filtered = message.clone();
                filter_tree(&mut filtered);
                prop_assert_eq!(message, &filtered, "{:?}", out);
            }
        }
    }
}
