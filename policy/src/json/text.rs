use std::borrow::Cow;

/// A string of a JSON text that the [`Reader`](super::Reader) has checked: valid UTF-8, valid escapes.
///
/// Decoded only when asked, so that strings no rule looks at cost nothing more than their scan.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> Text<'a> {
    /// `raw` is what stands between the quotes; `escaped` says whether a backslash is among it.
    pub(super) fn new(raw: &'a [u8], escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// What stands between the quotes, escapes and all.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Whether it holds escapes, which take time to decode.
    pub fn is_escaped(&self) -> bool {
        self.escaped
    }

    /// The string's content. Borrowed unless the string holds escapes.
    pub fn decode(&self) -> Cow<'a, str> {
        match self.decode_bytes() {
            Cow::Borrowed(bytes) => utf8(bytes),
            Cow::Owned(bytes) => Cow::Owned(match String::from_utf8(bytes) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }),
        }
    }

    /// The string's content as UTF-8 bytes. Borrowed unless the string holds escapes.
    pub fn decode_bytes(&self) -> Cow<'a, [u8]> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }
}

/// Bytes as a text. Never lossy where the reader has checked them, and several times faster than the standard library's way for
/// bytes that nobody has.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    match core::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        *self.decode_bytes() == *other.as_bytes()
    }
}

/// Replaces the escapes of a string that has been checked. What is malformed all the same is dropped.
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let [escape, tail @ ..] = rest else { break };
        rest = tail;
        let plain = match escape {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 0x08,
            b'f' => 0x0c,
            b'u' => {
                let (character, tail) = unescape_unicode(rest);
                rest = tail;
                if let Some(character) = character {
                    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                continue;
            }
            other => *other,
        };
        out.push(plain);
    }
    out
}

/// Reads what follows `\u`: four hexadecimal digits, and the low half of a surrogate pair if they are the high one.
pub(super) fn unescape_unicode(rest: &[u8]) -> (Option<char>, &[u8]) {
    let Some((first, tail)) = hex4(rest) else {
        return (None, rest);
    };
    if !(0xD800..0xDC00).contains(&first) {
        return (char::from_u32(first), tail);
    }
    let [b'\\', b'u', pair @ ..] = tail else {
        return (None, tail);
    };
    match hex4(pair) {
        Some((second, tail)) if (0xDC00..0xE000).contains(&second) => {
            let offset = ((first & 0x3FF) << 10) | (second & 0x3FF);
            let code = offset.wrapping_add(0x1_0000);
            (char::from_u32(code), tail)
        }
        _ => (None, tail),
    }
}

fn hex4(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, tail) = bytes.split_first_chunk::<4>()?;
    let mut code = 0;
    for digit in digits {
        code = (code << 4) | char::from(*digit).to_digit(16)?;
    }
    Some((code, tail))
}
