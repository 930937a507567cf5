use super::*;
use proptest::prelude::*;

fn read(text: &[u8]) -> Result<()> {
    let mut reader = Reader::new(text, 64)?;
    reader.value()?;
    reader.end()
}

fn problem(text: &[u8]) -> (Problem, usize) {
    let error = read(text).unwrap_err();
    (error.problem, error.offset)
}

#[test]
fn strict_json_is_read() {
    for text in [
        "null",
        " true ",
        "-0.5e+7",
        r#""""#,
        r#""\ud83d\ude00 \u00e9 \/""#,
        "[]",
        "{}",
        "[1, [2], {\"a\": {}}]\n",
        "{\"größe\": \"日本語 with a longer tail of plain text\"}",
    ] {
        assert_eq!(read(text.as_bytes()), Ok(()), "{text}");
    }
}

#[test]
fn what_servers_read_differently_is_refused_with_its_place() {
    use Problem::*;
    for (text, expected) in [
        (&b"\xEF\xBB\xBF{}"[..], (ByteOrderMark, 0)),
        (b"\"a\xFFb\"", (InvalidUtf8, 2)),
        (b"\"plain text of more than a block \xED\xA0\x80\"", (InvalidUtf8, 33)),
        (b"", (UnexpectedEnd, 0)),
        (b"{\"a\":1", (UnexpectedEnd, 6)),
        (b"{\"a\":1,}", (UnexpectedByte, 7)),
        (b"[1,]", (UnexpectedByte, 3)),
        (b"[1 2]", (UnexpectedByte, 3)),
        (b"{a:1}", (UnexpectedByte, 1)),
        (b"NaN", (UnexpectedByte, 0)),
        (b"-Infinity", (BadNumber, 1)),
        (b"01", (TrailingData, 1)),
        (b"1.", (BadNumber, 2)),
        (b"1e", (BadNumber, 2)),
        (b"+1", (UnexpectedByte, 0)),
        (b"1e400", (NumberOutOfRange, 5)),
        (b"\"\n\"", (ControlCharacter, 1)),
        (b"\"\\x\"", (BadEscape, 2)),
        (b"\"\\u12\"", (UnexpectedEnd, 2)),
        (b"\"\\u12G4\"", (BadEscape, 2)),
        (b"\"\\ud800\"", (LoneSurrogate, 2)),
        (b"\"\\udc00\\ud800\"", (LoneSurrogate, 2)),
        (b"\"\\ud800\\u0041\"", (LoneSurrogate, 2)),
        (b"{} {}", (TrailingData, 3)),
        (b"{\"a\":1,\"a\":2}", (DuplicateKey, 7)),
        (b"{\"na\\u006de\":1,\"name\":2}", (DuplicateKey, 15)),
        (b"[{\"x\":{\"b\":1,\"c\":3,\"b\":2}}]", (DuplicateKey, 19)),
    ] {
        assert_eq!(problem(text), expected, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn a_key_may_repeat_in_different_objects() {
    assert_eq!(read(br#"{"a":{"a":{"a":1}},"b":{"a":2},"c":[{"a":1},{"a":1}]}"#), Ok(()));
}

#[test]
fn depth_counts_every_open_bracket() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert_eq!(read(&nested(64)), Ok(()));
    assert_eq!(problem(&nested(65)).0, Problem::TooDeep);
    assert_eq!(read(b"[[],[],[[]]]"), Ok(()));
}

#[test]
fn a_container_is_kept_as_it_stands_and_can_be_walked() {
    let mut reader = Reader::new(br#"[1, {"a" : [2]} ]"#, 64).unwrap();
    let mut found = None;
    reader
        .array(|reader| {
            if let Value::Object(raw) = reader.value()? {
                found = Some(raw);
            }
            Ok::<(), SyntaxError>(())
        })
        .unwrap();
    let raw = found.unwrap();
    assert_eq!((raw.bytes(), raw.offset()), (&br#"{"a" : [2]}"#[..], 4));
    let mut keys = vec![];
    raw.reader()
        .object(|reader, key| {
            keys.push((key.as_str().into_owned(), key.offset()));
            reader.value().map(drop)
        })
        .unwrap();
    assert_eq!(keys, [("a".to_owned(), 5)]);
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        proptest::num::f64::NORMAL.prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 64, 10, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..10).prop_map(Into::into),
            prop::collection::hash_map(any::<String>(), inner, 0..12)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Rebuilds a tree from what the reader shows.
fn tree(value: Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(bool) => bool.into(),
        Value::Number(number) if number.is_integer() => serde_json::from_str(number.as_str()).unwrap(),
        // serde_json's own reading of fractions may be off by one bit.
        Value::Number(number) => number.to_f64().into(),
        Value::String(text) => text.decode().into_owned().into(),
        Value::Array(raw) => {
            let mut items = vec![];
            let push = |reader: &mut Reader<'_>| {
                items.push(tree(reader.value()?));
                Ok::<(), SyntaxError>(())
            };
            raw.reader().array(push).unwrap();
            items.into()
        }
        Value::Object(raw) => {
            let mut map = serde_json::Map::new();
            raw.reader()
                .object(|reader, key| {
                    map.insert(key.as_str().into_owned(), tree(reader.value()?));
                    Ok::<(), SyntaxError>(())
                })
                .unwrap();
            map.into()
        }
    }
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_the_same(value in json(), pretty: bool) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        let mut reader = Reader::new(&text, 64).unwrap();
        prop_assert_eq!(tree(reader.value().unwrap()), value);
        prop_assert_eq!(reader.end(), Ok(()));
    }

    /// What has been checked is passed without looking at what stands in it.
    #[test]
    fn what_has_been_read_is_passed_to_the_same_end(value in json(), pretty: bool) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        let text = [b"[", &text[..], b", \"end\"]"].concat();
        let Value::Array(raw) = Reader::new(&text, 64).unwrap().value().unwrap() else { panic!("an array") };
        let mut first = Reader::new(&text[1..], 64).unwrap();
        let mut again = raw.reader();
        let mut ends = vec![];
        again.array::<SyntaxError>(|reader| {
            reader.skip()?;
            ends.push(reader.offset() - 1);
            Ok(())
        }).unwrap();
        first.skip().unwrap();
        prop_assert_eq!(ends, [first.offset(), text.len() - 2]);
    }

    #[test]
    fn what_is_accepted_is_json_to_serde_json_too(bytes in prop::collection::vec(prop_oneof![
        Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b':'), Just(b','), Just(b'\\'), Just(b'u'),
        Just(b'0'), Just(b'1'), Just(b'-'), Just(b'.'), Just(b'e'), Just(b' '), any::<u8>(),
    ], 0..24)) {
        if read(&bytes).is_ok() {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
        }
    }
}
