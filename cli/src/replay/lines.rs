//! Records in the lines of an access log.

use policy::json::{Reader, SyntaxError, Value};

use super::record::{Damage, Record};

/// What a line holds.
#[derive(Debug)]
pub(super) enum Line {
    Record(Box<Record>),
    /// A request without a record: a line that is empty, `-`, or JSON without one.
    None,
    Damaged(Damage),
}

/// How deep a line is searched.
const DEPTH: usize = 8;

/// Reads a line: a record, or JSON that holds one somewhere, as an object or as a string.
pub(super) fn read(line: &[u8]) -> Line {
    let line = line.trim_ascii();
    if line.is_empty() || line == b"-" {
        return Line::None;
    }
    let mut found = Vec::new();
    match (find(line, DEPTH, &mut found), found.as_slice()) {
        (Err(error), _) => Line::Damaged(error.into()),
        (Ok(()), []) => Line::None,
        (Ok(()), [record]) => match Record::read(record) {
            Ok(record) => Line::Record(Box::new(record)),
            Err(damage) => Line::Damaged(damage),
        },
        // One of them may be what a client wrote, say as its user agent.
        (Ok(()), _) => Line::Damaged(Damage("more than one record".to_owned())),
    }
}

/// Finds the objects with `v` and `calls`, also in the members of objects.
fn find(json: &[u8], depth: usize, found: &mut Vec<Vec<u8>>) -> Result<(), SyntaxError> {
    let mut reader = Reader::new(json, 300)?;
    if depth == 0 || reader.peek() != Some(b'{') {
        reader.skip()?;
        return reader.end();
    }
    let (mut version, mut calls, mut inside) = (false, false, Vec::new());
    reader.object::<SyntaxError>(|reader, key| {
        version |= key.as_bytes() == b"v";
        calls |= key.as_bytes() == b"calls";
        match reader.value()? {
            Value::Object(raw) => inside.push(raw.bytes().to_vec()),
            Value::String(text) => {
                let text = text.decode();
                // Another string may begin so and be no JSON.
                if text.starts_with('{') {
                    inside.push(text.into_owned().into_bytes());
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    reader.end()?;
    if version && calls {
        found.push(json.to_vec());
        return Ok(());
    }
    for json in inside {
        // Other text may begin like JSON and be none.
        let _no_record = find(&json, depth - 1, found);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RECORD: &str = r#"{"v":1,"time":"2026-11-26T18:00:00.123Z","clock_us":7,"policies":["p"],"grant":"anonymous",
        "calls":[{"method":"tools/call","name":"t","outcome":"denied","policy":"p","rule":"/tools/t",
        "values":{"args.a":[1,{"b":"c"}],"args.l[*].x":[1,null]},"marks":{"args.l[*].x":{"1":"absent"},"args.z":"too_long"}}]}"#;

    #[test]
    fn what_is_no_record_of_this_version_is_damaged() {
        assert!(matches!(read(RECORD.as_bytes()), Line::Record(_)));
        for (part, instead) in [
            (r#""v":1"#, r#""v":2"#),
            (r#""grant":"anonymous","#, ""),
            ("2026-11-26T18", "2026-13-26T18"),
            (r#""outcome":"denied""#, r#""outcome":"other""#),
            ("too_long", "long"),
            ("args.z", "z"),
            (r#""p"]"#, r#""p",1]"#),
            ("}]}", "}]"),
        ] {
            let line = RECORD.replace(part, instead);
            assert!(matches!(read(line.as_bytes()), Line::Damaged(_)), "{part}");
        }
    }

    #[test]
    fn a_line_with_two_records_has_none_that_can_be_trusted() {
        let forged = r#"{"v":1,"calls":0}"#;
        for line in [
            serde_json::json!({ "agent": forged, "audit": RECORD }),
            serde_json::json!({ "audit": RECORD, "other": { "x": RECORD } }),
        ] {
            assert!(matches!(read(line.to_string().as_bytes()), Line::Damaged(_)), "{line}");
        }
        let one = serde_json::json!({ "agent": "{not JSON", "audit": RECORD });
        assert!(matches!(read(one.to_string().as_bytes()), Line::Record(_)));
    }

    proptest! {
        #[test]
        fn no_line_makes_a_reader_panic(
            edits in prop::collection::vec((0..RECORD.len(), prop::sample::select(&b"\"{}[],:*.\\-019ae\xc3 \n"[..]), 0..3_usize), 0..4),
            inside: bool,
        ) {
            let mut text = RECORD.as_bytes().to_vec();
            for (at, byte, removed) in edits {
                let at = at.min(text.len());
                text.splice(at..(at + removed).min(text.len()), [byte]);
            }
            if inside {
                text = serde_json::json!({ "a": { "b": String::from_utf8_lossy(&text) } }).to_string().into_bytes();
            }
            let _line = read(&text);
        }
    }
}
