use super::Lab;
use crate::json::Problem;
use crate::listing::{Filtered, Kind, Reason, Unreadable, filter_message};

fn filtered(text: &str) -> Result<String, Unreadable> {
    Ok(match filter_message(text.as_bytes(), 16, &Lab)? {
        Filtered::Unchanged => text.to_owned(),
        Filtered::Changed(bytes) => String::from_utf8(bytes).unwrap(),
    })
}

fn reason(text: &str) -> Reason {
    filter_message(text.as_bytes(), 16, &Lab).expect_err(text).reason
}

/// A listing of tools, its array given.
fn tools(array: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":{array},"nextCursor":"n"}}}}"#)
}

#[test]
fn every_kind_of_listing_is_filtered_by_its_own_identifier() {
    for (before, after) in [
        (r#"{"result":{"tools":[{"name":"a"},{"name":"hidden"}]}}"#, r#"{"result":{"tools":[{"name":"a"}]}}"#),
        (r#"{"result":{"prompts":[{"name":"hidden"},{"name":"a"}]}}"#, r#"{"result":{"prompts":[{"name":"a"}]}}"#),
        (
            r#"{"result":{"resources":[{"uri":"a","name":"hidden"},{"name":"a","uri":"hidden"}]}}"#,
            r#"{"result":{"resources":[{"uri":"a","name":"hidden"}]}}"#,
        ),
        (
            r#"{"result":{"resourceTemplates":[{"uriTemplate":"hidden/{x}"}]}}"#,
            r#"{"result":{"resourceTemplates":[]}}"#,
        ),
    ] {
        assert_eq!(filtered(before).unwrap(), after);
    }
}

#[test]
fn the_kind_is_told_to_who_decides() {
    let prompts_only = |kind: Kind, _: &str| kind == Kind::Prompts;
    let text = br#"{"result":{"tools":[{"name":"a"}],"prompts":[{"name":"a"}]}}"#;
    let expected = br#"{"result":{"tools":[],"prompts":[{"name":"a"}]}}"#;
    assert_eq!(filter_message(text, 16, &prompts_only), Ok(Filtered::Changed(expected.to_vec())));
}

#[test]
fn commas_and_white_space_stay_sound_wherever_entries_are_taken_out() {
    let (a, b, h) = (r#"{"name": "a",  "x": [1 , 2]}"#, r#"{"name":"b"}"#, r#"{"name":"hidden"}"#);
    for (before, after) in [
        (format!("[{h}]"), "[]".to_owned()),
        (format!("[ {h} , {h} ]"), "[ ]".to_owned()),
        (format!("[{h},{a}]"), format!("[{a}]")),
        (format!("[{a},{h}]"), format!("[{a}]")),
        (format!("[{a},{h},{b}]"), format!("[{a},{b}]")),
        (format!("[{h},{h},{a},{h},{h},{b},{h}]"), format!("[{a},{b}]")),
        (format!("[\n  {h},\n  {a},\n  {h} ,\n  {b}\n]"), format!("[\n  {a} ,\n  {b}\n]")),
        (format!("[\n  {a} ,\n  {h}\n]"), format!("[\n  {a}\n]")),
    ] {
        assert_eq!(filtered(&tools(&before)).unwrap(), tools(&after), "{before}");
    }
}

#[test]
fn what_lists_nothing_hidden_is_unchanged() {
    for text in [
        "",
        " \r\n",
        "null",
        "\"tools\"",
        r#"{"id":1,"result":{}}"#,
        r#"{"id":1,"result":null}"#,
        r#"{"id":1,"result":[{"tools":[{"name":"hidden"}]}]}"#,
        r#"{"id":1,"error":{"code":-1,"message":"tools"}}"#,
        r#"{"id":1,"result":{"capabilities":{"tools":{"listChanged":true}}}}"#,
        r#"{"id":1,"result":{"tools":null}}"#,
        r#"{"id":1,"result":{"tools":[]}}"#,
        r#"{"id":1,"result":{"content":[{"type":"text","text":"{\"tools\":[{\"name\":\"hidden\"}]}"}]}}"#,
        r#"{"id":7,"method":"sampling/createMessage","params":{"tools":[{"name":"hidden"}]}}"#,
        r#"{"method":"notifications/tools/list_changed"}"#,
    ] {
        assert_eq!(filter_message(text.as_bytes(), 16, &Lab), Ok(Filtered::Unchanged), "{text}");
    }
}

#[test]
fn every_message_of_a_batch_is_filtered() {
    let (hidden, none) = (tools(r#"[{"name":"hidden"}]"#), tools("[]"));
    let other = r#"{"id":2,"result":{}}"#;
    assert_eq!(filtered(&format!("[{hidden}, {other},{hidden}]")).unwrap(), format!("[{none}, {other},{none}]"));
}

#[test]
fn a_result_beside_a_method_is_filtered_too() {
    assert_eq!(
        filtered(r#"{"method":"x","result":{"tools":[{"name":"hidden"}]}}"#).unwrap(),
        r#"{"method":"x","result":{"tools":[]}}"#
    );
}

#[test]
fn escaped_names_and_keys_are_read() {
    assert_eq!(
        filtered(r#"{"r\u0065sult":{"t\u006fols":[{"n\u0061me":"\u0068idden"}]}}"#).unwrap(),
        r#"{"r\u0065sult":{"t\u006fols":[]}}"#
    );
}

#[test]
fn a_listing_of_the_wrong_shape_is_unreadable() {
    for (array, expected) in [
        (r#"{"name":"a"}"#, Reason::NotAnArray("tools")),
        (r#""a""#, Reason::NotAnArray("tools")),
        (r#"["a"]"#, Reason::NotAnObject("tools")),
        (r#"[null]"#, Reason::NotAnObject("tools")),
        (r#"[[{"name":"a"}]]"#, Reason::NotAnObject("tools")),
        (r#"[{}]"#, Reason::Missing("name")),
        (r#"[{"uri":"a"}]"#, Reason::Missing("name")),
        (r#"[{"name":1}]"#, Reason::NotAString("name")),
        (r#"[{"name":null}]"#, Reason::NotAString("name")),
        (r#"[{"name":"a","Name":"hidden"}]"#, Reason::LookalikeKey("name")),
        (r#"[{"NAME":"a"}]"#, Reason::LookalikeKey("name")),
        (r#"[{"name":"a","name":"b"}]"#, Reason::Syntax(Problem::DuplicateKey)),
        (r#"[{"name":"a","x":"\ud800"}]"#, Reason::Syntax(Problem::LoneSurrogate)),
        (r#"[{"name":"a"},]"#, Reason::Syntax(Problem::UnexpectedByte)),
    ] {
        assert_eq!(reason(&tools(array)), expected, "{array}");
    }
}

#[test]
fn keys_that_a_client_takes_for_a_listing_are_unreadable() {
    for (text, expected) in [
        (r#"{"Result":{}}"#, Reason::LookalikeKey("result")),
        ("{\"re\u{17f}ult\":{}}", Reason::LookalikeKey("result")),
        (r#"{"result":{"Tools":[]}}"#, Reason::LookalikeKey("tools")),
        (r#"{"result":{"tools\u0000":[]}}"#, Reason::LookalikeKey("tools")),
        (r#"{"result":{"resourcetemplates":[]}}"#, Reason::LookalikeKey("resourceTemplates")),
        (r#"{"result":{},"result":{"tools":[]}}"#, Reason::Syntax(Problem::DuplicateKey)),
        (r#"[[{"result":{"tools":[]}}]]"#, Reason::NestedBatch),
        (r#"{"result":{"tools":[]}} {}"#, Reason::Syntax(Problem::TrailingData)),
        ("\u{feff}{\"result\":{}}", Reason::Syntax(Problem::ByteOrderMark)),
        ("tools", Reason::Syntax(Problem::UnexpectedByte)),
    ] {
        assert_eq!(reason(text), expected, "{text}");
    }
}

#[test]
fn sloppy_json_passes_only_if_no_reading_of_it_finds_a_listing() {
    let deep = format!("{{\"result\":{{\"structuredContent\":{}{}}}}}", "[".repeat(20), "]".repeat(20));
    for text in [
        r#"{"id":1,"result":{"content":[{"type":"text","text":"cut in half: \ud83d"}]}}"#,
        r#"{"id":1,"result":{"structuredContent":{"loss":NaN}}}"#,
        r#"{"id":1,"result":{"a":1,"a":2}}"#,
        &deep,
    ] {
        assert_eq!(filter_message(text.as_bytes(), 16, &Lab), Ok(Filtered::Unchanged), "{text}");
        let with_listing = text.replacen("{\"", "{\"x\":{\"tools\":[]},\"", 1);
        assert!(matches!(reason(&with_listing), Reason::Syntax(_)), "{with_listing}");
    }
}

#[test]
fn an_unreadable_listing_says_where_and_never_what() {
    let text = r#"{"result":{"tools":[{"name":"secret","Name":"hidden"}]}}"#;
    let error = filter_message(text.as_bytes(), 16, &Lab).unwrap_err();
    assert_eq!(text.find(r#""Name""#), Some(error.offset));
    assert_eq!(error.to_string(), "key that can be taken for `name` at byte 37");
}
