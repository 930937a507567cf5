use memchr::memchr;
use memchr::memmem;

use crate::listing::Kind;

/// Whether some client could find a listing's member (`"tools"`, `"resources"`, …) anywhere in `text`, however sloppily
/// it reads: with its case folded, escaped, mixed with NULs, control characters or bytes that are not UTF-8, or in
/// UTF-16 and UTF-32.
///
/// Errs on the side of yes. A no is certain for every reader that wants double quotes around keys, so a text that is
/// not strict JSON can pass after a no: it is no listing, whatever else it is. Words inside of strings are no mention,
/// because the quotes around them are escaped.
pub(super) fn mentions_listing(text: &[u8]) -> bool {
    if memchr(b'"', text).is_none() {
        return false;
    }
    let plain = plainest(text);
    Kind::ALL.iter().any(|kind| {
        let quoted = format!("\"{}\"", kind.member().to_ascii_lowercase());
        memmem::find(&plain, quoted.as_bytes()).is_some()
    })
}

/// Stands for an escaped quote, which ends no string.
const ESCAPED_QUOTE: u8 = b'?';

/// What is left of `text` once case, escapes and all that a reader may skip are gone.
fn plainest(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().filter(|byte| *byte != 0).peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'"') => out.push(ESCAPED_QUOTE),
                Some(b'u') => {
                    let mut code = 0_u32;
                    for _ in 0..4 {
                        let Some(digit) = bytes.peek().and_then(|b| char::from(*b).to_digit(16)) else {
                            break;
                        };
                        code = (code << 4) | digit;
                        bytes.next();
                    }
                    push_folded(&mut out, code);
                }
                Some(other) => push_folded(&mut out, other.into()),
                None => {}
            },
            // U+017F, which folds to s.
            0xC5 if bytes.peek() == Some(&0xBF) => out.push(b's'),
            other => push_folded(&mut out, other.into()),
        }
    }
    out
}

fn push_folded(out: &mut Vec<u8>, code: u32) {
    match u8::try_from(code) {
        Ok(byte @ 0x20..0x7F) => out.push(byte.to_ascii_lowercase()),
        _ if code == 0x17F => out.push(b's'),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_found_however_sloppily_it_is_written() {
        for text in [
            r#"{"result":{"tools":[]}}"#,
            r#"{"result":{"TOOLS":[]}}"#,
            r#"{"result":{"tool\u0073":[]}}"#,
            r#"{"result":{"\u0054ools\u0000":[]}}"#,
            r#"{"result":{"tool\ud800s":[]}}"#,
            r#"{"result":{"tool\u017f":[]}}"#,
            r#"{"result":{"to\ols":[]}}"#,
            "{\"tool\u{17f}\":[]}",
            "{\"to\u{0}ols\":[]}",
            "{\"to\u{200b}ols\":[]}",
            r#"{"resources":[]}"#,
            r#"{"resourceTemplates":[]}"#,
            r#"{"Prompts":[]}"#,
            r#"{"a":"\\","tools":[]}"#,
        ] {
            assert!(mentions_listing(text.as_bytes()), "{text}");
            let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            if text.is_ascii() {
                assert!(mentions_listing(&utf16), "{text} in UTF-16");
            }
        }
        assert!(mentions_listing(b"{\"to\xffols\":[]}"));
    }

    #[test]
    fn words_in_prose_and_in_quoted_json_are_no_listing() {
        for text in [
            "",
            "tools",
            r#"{"text":"all the tools and resources"}"#,
            r#"{"text":"{\"tools\":[]}"}"#,
            r#"{"mytools":1,"toolset":2}"#,
        ] {
            assert!(!mentions_listing(text.as_bytes()), "{text}");
        }
    }
}
