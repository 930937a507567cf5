use memchr::memchr;

use super::asked;
use crate::listing::{Kind, Shown};

/// Whether some client could find a listing's member (`"tools"`, `"resources"`, …) or a denied method anywhere in `text`,
/// however sloppily it reads: with its case folded, escaped, mixed with NULs, control characters or bytes that are not
/// UTF-8, or in UTF-16 and UTF-32. Looks only for what `shown` judges.
///
/// Errs on the side of yes. A no is certain for every reader that wants double quotes around keys, so a text that is
/// not strict JSON can pass after a no. Words inside of strings are no mention, because the quotes around them are
/// escaped.
pub(super) fn mentions(text: &[u8], shown: &dyn Shown) -> bool {
    if memchr(b'"', text).is_none() {
        return false;
    }
    let plain = plainest(text);
    let folded = plain.to_ascii_lowercase();
    let listing = |kind: &Kind| folded.contains(&format!("\"{}\"", kind.member().to_ascii_lowercase()));
    shown.judges_listings() && Kind::ALL.iter().any(listing)
        || shown.judges_methods() && asked::mentioned(&plain, &folded, shown)
}

/// Whether some client could find the key `method` in a text of which it may leave out lines, or add some to: then a value
/// that passes is no sign of what it finds.
pub(super) fn names_method(text: &[u8], shown: &dyn Shown) -> bool {
    shown.judges_methods() && memchr(b'"', text).is_some() && asked::names_method(&plainest(text).to_ascii_lowercase())
}

/// Stands for an escaped quote, which ends no string.
const ESCAPED_QUOTE: char = '?';

/// What is left of `text` once escapes and all that a reader may skip are gone: printable ASCII.
pub(super) fn plainest(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
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
                    push(&mut out, code);
                }
                Some(other) => push(&mut out, other.into()),
                None => {}
            },
            // U+017F, which folds to s.
            0xC5 if bytes.peek() == Some(&0xBF) => out.push('s'),
            other => push(&mut out, other.into()),
        }
    }
    out
}

fn push(out: &mut String, code: u32) {
    match u8::try_from(code) {
        Ok(byte @ 0x20..0x7F) => out.push(char::from(byte)),
        _ if code == 0x17F => out.push('s'),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions_listing(text: &[u8]) -> bool {
        mentions(text, &|_: Kind, _: &str| true)
    }

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
