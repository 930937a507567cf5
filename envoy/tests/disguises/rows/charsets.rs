//! Bodies in other charsets.

use envoy::servers::Kind::{Python1, TypeScript1};

use super::{CALL, Row, row};
use crate::{
    encode::{self, utf16_be, utf16_le, utf32_be, utf32_le},
    request::Request,
};

/// Read as UTF-8, this allows; read as UTF-7, `«"»` is a quotation mark and the name is another one.
const TWO_FACED: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","x":"«"»,«"»name«"»:«"»FORBIDDEN«"»,«"»y«"»:«"»","arguments":{"WORD":"GOOD"}}}"#;

/// What express takes for no charset that it knows, or for none at all. It takes one `Content-Type` of several.
pub(super) fn unseen() -> Vec<Row> {
    let mut rows: Vec<Row> = [
        "application/json; charset=utf-8; charset=utf-7",
        "application/json; charset=utf-7, application/json",
        "application/json, application/json; charset=utf-7",
        "application/json; charset='utf-7'",
        "application/json; charset*=utf-8''utf-7",
        "application/json; charset=utf7",
        "application/json; charset=unicode-1-1-utf-7",
        "application/vnd.api+json; charset=utf-7",
    ]
    .into_iter()
    .map(|content_type| Row { control: None, ..two_faced(content_type) })
    .collect();
    let utf7 = "application/json; charset=utf-7";
    for (what, first, second) in [
        ("in the first Content-Type", utf7, "application/json"),
        ("in the second Content-Type", "application/json", utf7),
    ] {
        rows.push(Row {
            kind: "UTF-7",
            what: what.into(),
            control: None,
            make: Box::new(move |words| {
                let body = encode::utf7(&words.fill(TWO_FACED), '+');
                Request::post(body).set("Content-Type", first).with("Content-Type", second)
            }),
        });
    }
    rows
}

fn two_faced(content_type: &'static str) -> Row {
    row("UTF-7", content_type, TypeScript1, move |words| {
        Request::post(encode::utf7(&words.fill(TWO_FACED), '+')).set("Content-Type", content_type)
    })
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![];
    for content_type in [
        "application/json; charset=utf-7",
        "application/json;charset=UTF-7",
        "application/json; charset=\"utf-7\"",
        "application/json; charset=\"\\u\\t\\f-7\"",
        "application/json; Charset=utf-7",
        "application/json ; charset=utf-7 ; x=y",
        "application/json; charset=utf-_7",
        "application/json; charset=utf-.7",
        "application/json; x=\"charset=utf-8\"; charset=utf-7",
        "Application/JSON; charset=uTf-7",
        "application/json;\tcharset=utf-7",
        "application/json; charset = utf-7",
        "application/json; charset=utf-7;",
    ] {
        rows.push(two_faced(content_type));
    }
    for content_type in ["application/json; charset=utf-7-imap", "application/json; charset=\"UTF-7-IMAP\""] {
        rows.push(row("UTF-7 of IMAP", content_type, TypeScript1, |words| {
            Request::post(encode::utf7(&words.fill(TWO_FACED), '&')).set("Content-Type", content_type)
        }));
    }
    for (what, encode, bom) in [
        ("UTF-16LE", utf16_le as fn(&str) -> Vec<u8>, false),
        ("UTF-16BE", utf16_be, false),
        ("UTF-32LE", utf32_le, false),
        ("UTF-32BE", utf32_be, false),
        ("UTF-16LE", utf16_le, true),
        ("UTF-16BE", utf16_be, true),
        ("UTF-32LE", utf32_le, true),
        ("UTF-32BE", utf32_be, true),
    ] {
        let bytes = move |call: String| encode(&if bom { format!("\u{feff}{call}") } else { call });
        let and = if bom { "with BOM" } else { "without BOM" };
        let detected = format!("{what} {and}, not announced");
        rows.push(row("UTF-16 and UTF-32", detected, Python1, move |words| Request::post(bytes(words.fill(CALL)))));
        let announced = format!("{what} {and}, announced");
        rows.push(row("UTF-16 and UTF-32", announced, TypeScript1, move |words| {
            let content_type = format!("application/json; charset={}", what.to_lowercase());
            Request::post(bytes(words.fill(CALL))).set("Content-Type", &content_type)
        }));
    }
    rows.push(row("UTF-8 with BOM", "not announced", TypeScript1, |words| {
        Request::post(format!("\u{feff}{}", words.fill(CALL)))
    }));
    rows.push(row("UTF-8 with BOM", "announced", TypeScript1, |words| {
        Request::post(format!("\u{feff}{}", words.fill(CALL))).set("Content-Type", "application/json; charset=utf-8")
    }));
    // What a reader may refuse to look into, and the server just reads.
    for charset in ["iso-8859-1", "utf-9", "x", "utf-16", ""] {
        rows.push(row("charsets that are not so", charset, Python1, move |words| {
            Request::post(words.fill(CALL)).set("Content-Type", &format!("application/json; charset={charset}"))
        }));
    }
    rows
}
