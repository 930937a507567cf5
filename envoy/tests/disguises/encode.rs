//! Encodings of a body, as simple as their standards allow: nothing is compressed.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// gzip (RFC 1952).
pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    [&head[..], &stored(body), &crc32(body).to_le_bytes(), &length(body).to_le_bytes()].concat()
}

/// What HTTP calls deflate: zlib (RFC 1950).
pub(crate) fn deflate(body: &[u8]) -> Vec<u8> {
    [&[0x78, 0x01], &*stored(body), &adler32(body).to_be_bytes()].concat()
}

/// Brotli (RFC 7932): one uncompressed meta-block, then an empty last one.
pub(crate) fn brotli(body: &[u8]) -> Vec<u8> {
    let head = (length(body) - 1) << 4 | 1 << 20;
    [&head.to_le_bytes()[..3], body, &[3]].concat()
}

/// One stored block (RFC 1951 section 3.2.4).
fn stored(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap_or_default();
    [&[1], &length.to_le_bytes()[..], &(!length).to_le_bytes()[..], body].concat()
}

fn length(body: &[u8]) -> u32 {
    u32::try_from(body.len()).unwrap_or_default()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1, 0), |(a, b): (u32, u32), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    b << 16 | a
}

pub(crate) fn utf16_le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub(crate) fn utf16_be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

pub(crate) fn utf32_le(text: &str) -> Vec<u8> {
    text.chars().flat_map(|char| u32::from(char).to_le_bytes()).collect()
}

pub(crate) fn utf32_be(text: &str) -> Vec<u8> {
    text.chars().flat_map(|char| u32::from(char).to_be_bytes()).collect()
}

/// UTF-7 (RFC 2152) of what stands between `«` and `»`, which is how the templates mark it; `shift` is `+`, or `&` for
/// the modified UTF-7 of IMAP (RFC 3501 section 5.1.3).
pub(crate) fn utf7(text: &str, shift: char) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(['«', '»']) {
        match part.strip_suffix('»') {
            Some(marked) => {
                out.push(shift);
                out.push_str(&STANDARD_NO_PAD.encode(utf16_be(marked)));
                out.push('-');
            }
            None => out.push_str(part.strip_suffix('«').unwrap_or(part)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_text_becomes_base64() {
        assert_eq!(utf7("a«\"»b«\"»", '+'), "a+ACI-b+ACI-");
    }

    #[test]
    fn checksums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"123456789"), 0x091e_01de);
    }
}
