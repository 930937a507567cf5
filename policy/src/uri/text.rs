//! Characters: which may stand in a URI, and which encodings are undone.

use super::UriError;

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Something a client asks for: `*` is a character like any other.
    Uri,
    /// A rule's key: `*` is a wildcard, and [`STAR`] the character.
    Pattern,
    /// A URI template: what [`is_expression`] tells stands for an expression.
    Template,
}

impl Role {
    /// Whether a part of the text holds a wildcard.
    pub(super) fn is_wild(self, part: &str) -> bool {
        self == Self::Pattern && part.contains('*')
    }
}

/// Stands for a literal `*` while a pattern is rewritten. Never in a URI.
pub(super) const STAR: char = '\u{1}';

/// Stands for an expression of a template that expands to a part of a segment. Never in a URI; nor are the next two.
pub(super) const NARROW: char = '\u{2}';

/// Stands for an expression that may expand to slashes as well.
pub(super) const WIDE: char = '\u{3}';

/// Stands for what follows the first character of an expression that always expands to that one first.
pub(super) const LED: char = '\u{4}';

pub(super) fn is_expression(character: char) -> bool {
    matches!(character, NARROW | WIDE | LED)
}

/// The characters besides the unreserved ones that mean the same in a path whether or not they are encoded. RFC 3986 lets
/// them differ; whoever decodes the path does not see the difference. Not `;`, which some servers cut a segment at.
const PLAIN_IN_PATHS: &[u8] = b"!$&'()*+,=:@";

/// Refuses characters that cannot stand in a URI, and what is too long. All that is left is ASCII.
pub(super) fn check(text: &str, role: Role) -> Result<(), UriError> {
    if text.len() > super::MAX_BYTES {
        return Err(UriError::TooLong);
    }
    for byte in text.bytes() {
        match byte {
            0 => return Err(UriError::Nul),
            b'\\' => return Err(UriError::Backslash),
            0x80.. => return Err(UriError::NotAscii),
            b'#' => return Err(UriError::Fragment),
            _ if is_unreserved(byte) || b"%:/?[]@!$&'()*+,;=".contains(&byte) => {}
            _ if role == Role::Pattern && char::from(byte) == STAR => {}
            _ if role == Role::Template && is_expression(char::from(byte)) => {}
            _ => return Err(UriError::BadCharacter),
        }
    }
    Ok(())
}

pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Takes the query off; it is not empty.
pub(super) fn split_query(text: &str) -> Result<(&str, Option<&str>), UriError> {
    match text.split_once('?') {
        Some((_, "")) => Err(UriError::EmptyQuery),
        Some((before, query)) => Ok((before, Some(query))),
        None => Ok((text, None)),
    }
}

/// A query with its unreserved characters decoded. A reader for which `?` is nothing special must not see dot segments.
pub(super) fn query(query: &str) -> Result<String, UriError> {
    let query = decode(query, |_| None)?;
    if query.split(['/', '?', '&', '=', ';']).any(looks_like_dots) { Err(UriError::DotSegment) } else { Ok(query) }
}

/// A segment of a path with all decoded that means the same either way.
pub(super) fn segment(segment: &str, role: Role) -> Result<String, UriError> {
    decode(segment, |code| match code {
        b'*' if role == Role::Pattern => Some(STAR),
        _ => PLAIN_IN_PATHS.contains(&code).then(|| char::from(code)),
    })
}

/// Whether some server might take a segment for `.` or `..`: dots only, but for spaces, which some trim, for a parameter,
/// which some cut off, and for expressions, which may expand to nothing or to another dot.
pub(super) fn looks_like_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or(segment);
    let name = name.split("%3B").next().unwrap_or(name).replace("%20", "").replace(is_expression, "");
    !name.is_empty() && name.bytes().all(|byte| byte == b'.')
}

/// Decodes unreserved characters and those that `also` names.
fn decode(text: &str, also: impl Fn(u8) -> Option<char>) -> Result<String, UriError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'%' {
            out.push(char::from(*byte));
            continue;
        }
        let [high, low, tail @ ..] = tail else { return Err(UriError::BadEncoding) };
        rest = tail;
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(UriError::BadEncoding);
        let code = u8::try_from(digit(*high)? << 4 | digit(*low)?).map_err(|_| UriError::BadEncoding)?;
        match code {
            0 => return Err(UriError::Nul),
            b'/' => return Err(UriError::EncodedSlash),
            b'\\' => return Err(UriError::Backslash),
            0x80.. => return Err(UriError::NotAscii),
            code if code.is_ascii_control() => return Err(UriError::Control),
            code if is_unreserved(code) => out.push(char::from(code)),
            code => match also(code) {
                Some(character) => out.push(character),
                None => out.extend(['%', char::from(high.to_ascii_uppercase()), char::from(low.to_ascii_uppercase())]),
            },
        }
    }
    // Looked for in the decoded text: `%25%32%65` is one more way to write `%252e`. An expression may expand to digits.
    let twice = out.split("%25").skip(1).any(|after| {
        let mut after = after.chars();
        match (after.next(), after.next()) {
            (Some(first), _) if is_expression(first) => true,
            (Some(first), Some(second)) => {
                first.is_ascii_hexdigit() && (second.is_ascii_hexdigit() || is_expression(second))
            }
            _ => false,
        }
    });
    if twice { Err(UriError::EncodedTwice) } else { Ok(out) }
}
