//! Bodies that servers read differently: none of them may reach one.

use serde_json::{Value, json};

use crate::lab::{Lab, Request, SECRET, assert_forwarded, call, in_both_modes, request, tools};

/// Everything is allowed, so that only unreadable bodies are refused.
fn allow_all() -> Value {
    json!({"version": "1", "default": "allow"})
}

/// Each body is refused with 400 and an error, in both modes, and neither reply nor log repeats what was in it.
fn assert_all_refused<B: AsRef<[u8]>>(bodies: &[B]) {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        for body in bodies {
            let shown = String::from_utf8_lossy(body.as_ref()).into_owned();
            let stream = lab.post(body);
            assert!(stream.reply().is_some(), "forwarded: {}", &shown[..shown.len().min(300)]);
            lab.assert_refused(&stream, 400);
            assert!(!stream.received().text().contains(SECRET), "{shown}");
        }
        assert!(!lab.log().contains(SECRET));
    });
}

/// A call whose parameters are given as text.
fn call_text(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{params}}}}}"#)
}

/// A call of a harmless tool with one more member of the message, and one more of the parameters.
fn with_members(envelope: &str, params: &str) -> String {
    let comma = |member: &str| if member.is_empty() { String::new() } else { format!(",{member}") };
    let params = format!(r#""name":"a","arguments":{{"k":"{SECRET}"}}{}"#, comma(params));
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{params}}}{}}}"#, comma(envelope))
}

#[test]
fn a_key_that_stands_twice_is_refused_at_every_depth() {
    assert_all_refused(&[
        with_members(r#""method":"tools/list""#, ""),
        with_members(r#""params":{"name":"b"}"#, ""),
        with_members(r#""id":2"#, ""),
        with_members(r#""jsonrpc":"2.0""#, ""),
        with_members(r#""x":1,"x":1"#, ""),
        with_members("", r#""name":"b""#),
        with_members("", r#""na\u006de":"b""#),
        with_members(r#""\u006dethod":"tools/list""#, ""),
        with_members("", r#""arguments":{}"#),
        call_text(r#""name":"a","arguments":{"amount":1,"amount":2}"#),
        call_text(r#""name":"a","arguments":{"deep":[{"er":{"amount":1,"amoun\u0074":2}}]}"#),
        with_members("", r#""_meta":{"k":1,"k":2}"#),
    ]);
}

#[test]
fn a_key_that_some_server_takes_for_a_known_one_is_refused() {
    assert_all_refused(&[
        with_members(r#""Method":"tools/list""#, ""),
        with_members(r#""METHOD":"tools/list""#, ""),
        with_members(r#""Params":{"name":"b"}"#, ""),
        with_members(r#""paramſ":{"name":"b"}"#, ""),
        with_members(r#""param\u017f":{"name":"b"}"#, ""),
        with_members(r#""ID":2"#, ""),
        with_members(r#""Result":{}"#, ""),
        with_members(r#""Error":{}"#, ""),
        with_members(r#""JSONRPC":"2.0""#, ""),
        with_members(r#""method\u0000":"tools/list""#, ""),
        with_members("", r#""Name":"b""#),
        with_members("", r#""NAME":"b""#),
        with_members("", r#""name\u0000":"b""#),
        with_members("", r#""name\u0000\u0000":"b""#),
        with_members("", r#""Arguments":{}"#),
        with_members("", r#""argumentſ":{}"#),
        with_members("", r#""task\u0049d":"t","taskId":"t""#),
        with_members("", r#""tasKId":"t""#),
        with_members("", r#""URI":"file:///x""#),
        with_members("", r#""_META":{}"#),
    ]);
}

#[test]
fn a_byte_order_mark_is_refused() {
    let body = with_members("", "");
    assert_all_refused(&[[b"\xef\xbb\xbf", body.as_bytes()].concat()]);
}

#[test]
fn utf_16_and_utf_32_are_refused_with_and_without_mark() {
    let body = with_members("", "");
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| body.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let utf_32 = |bytes: fn(u32) -> [u8; 4]| body.chars().flat_map(|c| bytes(u32::from(c))).collect::<Vec<u8>>();
    let (le_16, be_16) = (utf_16(u16::to_le_bytes), utf_16(u16::to_be_bytes));
    let (le_32, be_32) = (utf_32(u32::to_le_bytes), utf_32(u32::to_be_bytes));
    assert_all_refused(&[
        [b"\xff\xfe".to_vec(), le_16.clone()].concat(),
        [b"\xfe\xff".to_vec(), be_16.clone()].concat(),
        [b"\xff\xfe\0\0".to_vec(), le_32.clone()].concat(),
        [b"\0\0\xfe\xff".to_vec(), be_32.clone()].concat(),
        le_16,
        be_16,
        le_32,
        be_32,
    ]);
}

#[test]
fn a_charset_other_than_utf_8_is_refused() {
    let body = call("a", &json!({"k": SECRET}));
    in_both_modes(&allow_all(), &json!({}), |lab| {
        for content_type in [
            "application/json; charset=utf-7",
            "application/json;charset=UTF-7",
            "application/json; Charset=\"utf-7\"",
            "application/json; charset='utf-7'",
            "application/json; charset=utf-7-imap",
            "application/json; charset = utf-7",
            "application/json; charset=utf-16",
            "application/json; charset=utf-16le",
            "application/json; charset=utf-32",
            "application/json; charset=iso-8859-1",
            "application/json; charset*=utf-7",
            "application/json; charset=",
            "application/json; charset=utf-8; charset=utf-7",
            "application/json; charset=utf-7; charset=utf-8",
            "application/json; x=\"; charset=utf-8\"; charset=utf-7",
            "application/json, application/json; charset=utf-7",
            "text/plain; charset=utf-7",
        ] {
            let stream = Request::post().set("content-type", content_type).send(&lab.worker(0), &body);
            assert!(stream.reply().is_some(), "forwarded: {content_type}");
            lab.assert_refused(&stream, 400);
        }
        let twice = Request::post().add("content-type", "application/json; charset=utf-7");
        lab.assert_refused(&twice.send(&lab.worker(0), &body), 400);
        let twice = Request::post()
            .set("content-type", "application/json; charset=utf-7")
            .add("content-type", "application/json");
        lab.assert_refused(&twice.send(&lab.worker(0), &body), 400);
        for content_type in
            ["application/json; charset=utf-8", "application/json;charset=\"UTF-8\"", "application/json"]
        {
            let stream = Request::post().set("content-type", content_type).send(&lab.worker(0), &body);
            assert_forwarded(&stream, &body);
        }
    });
}

#[test]
fn an_encoded_body_is_refused() {
    let body = call("a", &json!({}));
    in_both_modes(&allow_all(), &json!({}), |lab| {
        for encoding in
            ["gzip", "GZIP", "deflate", "br", "zstd", "x-gzip", "identity, gzip", "gzip, identity", "unheard-of"]
        {
            let stream = Request::post().set("content-encoding", encoding).send(&lab.worker(0), &body);
            assert!(stream.reply().is_some(), "forwarded: {encoding}");
            lab.assert_refused(&stream, 400);
        }
        let twice = Request::post().add("content-encoding", "identity").add("content-encoding", "gzip");
        lab.assert_refused(&twice.send(&lab.worker(0), &body), 400);
        assert_forwarded(&Request::post().set("content-encoding", "identity").send(&lab.worker(0), &body), &body);
    });
}

#[test]
fn numbers_that_json_does_not_have_are_refused() {
    let bodies: Vec<String> = ["NaN", "Infinity", "-Infinity", "+1", "01", "1.", ".5", "0x10", "1e", "nan", "-"]
        .iter()
        .map(|number| call_text(&format!(r#""name":"a","arguments":{{"k":"{SECRET}","n":{number}}}"#)))
        .collect();
    assert_all_refused(&bodies);
}

#[test]
fn text_that_is_not_unicode_is_refused() {
    let raw = |bytes: &[u8]| {
        let (before, after) =
            (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":""#, br#"","arguments":{}}}"#);
        [before.as_slice(), bytes, after].concat()
    };
    assert_all_refused(&[
        raw(b"a\xff"),
        raw(b"\xc0\xaf"),
        raw(b"\xed\xa0\x80"),
        raw(b"\xf4\x90\x80\x80"),
        raw(b"a\xe2\x82"),
        raw(br"\ud800"),
        raw(br"\udc00"),
        raw(br"\ud800\u0041"),
        raw(br"\udc00\ud800"),
        raw(b"a\nb"),
        raw(b"a\0b"),
        raw(br"\x41"),
        raw(br"\u00zz"),
    ]);
}

#[test]
fn anything_after_the_message_is_refused() {
    let body = call("a", &json!({"k": SECRET}));
    let mut bodies: Vec<String> = ["x", "{}", ",", "]", "}", "\0", "\u{feff}", "//c", "\n{}"]
        .iter()
        .map(|tail| format!("{body}{tail}"))
        .collect();
    bodies.push(format!("{body}{body}"));
    bodies.push(format!("\u{c}{body}"));
    bodies.push(format!("/**/{body}"));
    bodies.push(format!("event: message\ndata: {body}\n\n"));
    bodies.push(body[..body.len() - 1].to_owned());
    assert_all_refused(&bodies);
}

#[test]
fn a_message_that_is_request_and_answer_at_once_is_refused() {
    assert_all_refused(&[
        with_members(r#""result":{}"#, ""),
        with_members(r#""result":null"#, ""),
        with_members(r#""error":{"code":1,"message":"x"}"#, ""),
        with_members(r#""error":null"#, ""),
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}"#.to_owned(),
    ]);
}

#[test]
fn an_id_that_is_neither_text_nor_an_exact_integer_is_refused() {
    let bodies: Vec<String> =
        ["true", "false", "{}", "[]", "[1]", "1.5", "9007199254740993", "-9007199254740993", "1e400", "null"]
            .iter()
            .map(|id| {
                format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"a","arguments":{{}}}}}}"#
                )
            })
            .collect();
    assert_all_refused(&bodies);
}

#[test]
fn a_message_that_is_not_json_rpc_2_0_is_refused() {
    let mut bodies: Vec<String> =
        ["1", "null", "\"x\"", "{}", "true", " ", r#"{"jsonrpc":"2.0"}"#].map(str::to_owned).to_vec();
    bodies.push(r#"{"id":1,"method":"ping"}"#.to_owned());
    bodies.push(r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#.to_owned());
    bodies.push(r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#.to_owned());
    bodies.push(r#"{"jsonrpc":"2.0","id":1,"method":1}"#.to_owned());
    bodies.push(r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#.to_owned());
    assert_all_refused(&bodies);
}

#[test]
fn a_call_without_a_clear_tool_is_refused() {
    assert_all_refused(&[
        call_text(r#""arguments":{}"#),
        call_text(r#""name":null"#),
        call_text(r#""name":["a"]"#),
        call_text(r#""name":1"#),
        call_text(r#""name":"a","arguments":[]"#),
        call_text(r#""name":"a","arguments":"{}""#),
        call_text(r#""name":"a","arguments":null"#),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#.to_owned(),
        request("resources/read", &json!({})),
        request("resources/read", &json!({"uri": 1})),
        request("prompts/get", &json!({})),
        request("completion/complete", &json!({"ref": {"type": "ref/other", "name": "x"}})),
    ]);
}

#[test]
fn nesting_is_refused_beyond_the_depth_that_is_set() {
    let nested = |depth: usize| {
        let arguments = format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        call_text(&format!(r#""name":"a","arguments":{arguments}"#))
    };
    // The message, its parameters and arguments are three levels.
    in_both_modes(&allow_all(), &json!({"max_depth": 10}), |lab| {
        assert_forwarded(&lab.post(nested(7)), nested(7));
        lab.assert_refused(&lab.post(nested(8)), 400);
    });
    assert_all_refused(&[nested(62), nested(100_000), "[".repeat(100_000), r#"{"a":"#.repeat(50_000)]);
}

#[test]
fn an_odd_content_type_or_none_is_judged_all_the_same() {
    in_both_modes(&tools(json!({"get_run": {}})), &json!({}), |lab| {
        let (allowed, denied) = (call("get_run", &json!({})), call("other", &json!({})));
        for content_type in
            [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data"), Some("")]
        {
            let bare = Request::post().without("content-type");
            let request = content_type.map_or(bare.clone(), |value| bare.set("content-type", value));
            lab.assert_denied(&request.send(&lab.worker(0), &denied), "");
            let stream = request.send(&lab.worker(0), &allowed);
            assert!(stream.reply().is_some() || stream.forwarded().text() == allowed);
        }
    });
}

#[test]
fn a_post_is_judged_whatever_its_path() {
    let lab = Lab::new(&tools(json!({})));
    for path in
        ["/", "/MCP", "/%6dcp", "/mcp/", "//mcp", "/a/../mcp", "/mcp?x=1", "/other", "*", "/.well-known/oauth-x"]
    {
        let stream = Request::post().set(":path", path).send(&lab.worker(0), call("other", &json!({})));
        lab.assert_denied(&stream, "");
    }
}

#[test]
fn a_body_over_the_limit_is_refused_by_its_length_or_when_it_gets_there() {
    in_both_modes(&allow_all(), &json!({"max_body_bytes": 2048}), |lab| {
        let worker = lab.worker(0);
        let sized = |bytes: usize| {
            let empty = call("a", &json!({"k": ""})).len();
            call("a", &json!({"k": "x".repeat(bytes - empty)}))
        };
        assert_forwarded(&lab.post(sized(2048)), sized(2048));
        lab.assert_refused(&lab.post(sized(2049)), 413);
        // Announced: refused before a byte of it came.
        lab.assert_refused(&Request::post().set("content-length", "2049").open(&worker), 413);
        // Not announced: refused with the byte that is too much.
        let mut stream = Request::post().open(&worker);
        for _ in 0..4 {
            stream.request_body([b' '; 512], false);
            assert_eq!(stream.reply(), None);
        }
        stream.request_body(" ", false);
        lab.assert_refused(&stream, 413);
        stream.request_body(call("a", &json!({})), true);
        lab.assert_refused(&stream, 413);
        // Announced as less than it is.
        let mut stream = Request::post().set("content-length", "10").open(&worker);
        stream.request_body([b' '; 4000], false);
        lab.assert_refused(&stream, 413);
    });
}

#[test]
fn an_empty_post_is_refused() {
    in_both_modes(&allow_all(), &json!({}), |lab| {
        lab.assert_refused(&Request::post().send_without_body(&lab.worker(0)), 400);
        lab.assert_refused(&lab.post(""), 400);
        lab.assert_refused(&lab.post(" \r\n\t"), 400);
    });
}
