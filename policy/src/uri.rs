//! URIs in the one spelling that they are compared in.
//!
//! The steps are those of RFC 3986 section 6.2.2 and 6.2.3: scheme and host in lower case, hexadecimal digits in upper
//! case, unreserved characters decoded, dot segments removed, default ports and empty user information dropped. RFC 8089
//! adds that `file://localhost/x`, `file:///x` and `file:/x` are one file; empty segments of a file's path are dropped as
//! well, as every file system drops them.
//!
//! What servers decode in different ways is refused rather than guessed: an encoded slash, a backslash, a NUL and anything
//! that is not ASCII, raw or encoded, and every character that RFC 3986 does not let into a URI.

use core::fmt;

/// Why a text is no URI that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriError {
    /// Longer than [`MAX_BYTES`].
    TooLong,
    /// It does not start with a scheme and a colon.
    NoScheme,
    /// A character that a URI cannot hold unencoded (RFC 3986 section 2).
    BadCharacter,
    /// A percent sign that is not followed by two hexadecimal digits.
    BadEncoding,
    /// `%2F`: some servers take it for a path separator.
    EncodedSlash,
    /// `\` or `%5C`: some servers take it for a slash.
    Backslash,
    /// `%00`: some servers end the text there.
    Nul,
    /// A character that is not ASCII, or the encoding of one.
    NotAscii,
    /// A host is missing, or the authority cannot be told apart.
    BadAuthority,
    /// A dot segment beside a wildcard.
    DotSegment,
    /// More `..` than there are segments before it. RFC 3986 drops them, servers that read a URI as a path do not.
    AboveRoot,
}

/// The longest URI, in bytes.
pub const MAX_BYTES: usize = 8192;

/// Stands for a literal `*` while a pattern is rewritten. Never in a URI.
const STAR: u8 = 0x01;

/// Rewrites a URI to its normal form. Normalising that again changes nothing.
///
/// ```
/// use policy::uri::normalize;
///
/// assert_eq!(normalize("FILE://localhost/srv/lab/../%6cab/a.csv")?, "file:///srv/lab/a.csv");
/// # Ok::<(), policy::uri::UriError>(())
/// ```
///
/// # Errors
/// If the text is no URI, or one that servers read differently.
pub fn normalize(uri: &str) -> Result<String, UriError> {
    refuse_star(uri)?;
    rewrite(uri.as_bytes(), false)
}

/// Rewrites a URI with wildcards (`*`; `\*` is a literal one) so that it matches normal forms.
///
/// # Errors
/// Those of [`normalize`]; and if a dot segment stands beside a wildcard, as it is unclear what it removes.
pub fn normalize_pattern(pattern: &str) -> Result<String, UriError> {
    refuse_star(pattern)?;
    let literal_stars = pattern.replace("\\*", "\u{1}");
    let wild = literal_stars.contains('*');
    Ok(rewrite(literal_stars.as_bytes(), wild)?.replace('\u{1}', "\\*"))
}

fn refuse_star(text: &str) -> Result<(), UriError> {
    if text.as_bytes().contains(&STAR) { Err(UriError::BadCharacter) } else { Ok(()) }
}

fn rewrite(uri: &[u8], wild: bool) -> Result<String, UriError> {
    if uri.len() > MAX_BYTES {
        return Err(UriError::TooLong);
    }
    let uri = decode(uri)?;
    let colon = uri.find(':').filter(|colon| is_scheme(uri.get(..*colon).unwrap_or_default()));
    let Some((scheme, rest)) = colon.and_then(|colon| uri.split_at_checked(colon)) else {
        // `*`, `*.csv` or `*://host/x`: any scheme.
        let any_scheme = wild && uri.find('*').is_some_and(|star| uri.find(':').is_none_or(|colon| star < colon));
        return if any_scheme { Ok(uri) } else { Err(UriError::NoScheme) };
    };
    let scheme = scheme.to_ascii_lowercase();
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let (rest, tail) = rest.split_at_checked(rest.find(['?', '#']).unwrap_or(rest.len())).unwrap_or((rest, ""));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
            (Some(authority), path)
        }
        None => (None, rest),
    };
    let mut out = scheme.clone();
    out.push(':');
    let mut path = path.to_owned();
    if let Some(authority) = authority_of(&scheme, authority, &path, wild)? {
        out.push_str("//");
        out.push_str(&authority);
        if path.is_empty() && has_host(&scheme) && !(wild && authority.ends_with('*')) {
            path.push('/');
        }
    }
    if path.starts_with('/') {
        path = without_dots(&path, scheme == "file", wild)?;
    }
    out.push_str(&path);
    out.push_str(tail);
    Ok(out)
}

/// Decodes what is unreserved, and refuses what cannot be compared.
fn decode(uri: &[u8]) -> Result<String, UriError> {
    let mut out = String::with_capacity(uri.len());
    let mut rest = uri;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'%' {
            out.push(char::from(plain(*byte)?));
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
            code if is_unreserved(code) => out.push(char::from(code)),
            _ => out.extend(['%', char::from(high.to_ascii_uppercase()), char::from(low.to_ascii_uppercase())]),
        }
    }
    Ok(out)
}

fn plain(byte: u8) -> Result<u8, UriError> {
    match byte {
        0 => Err(UriError::Nul),
        b'\\' => Err(UriError::Backslash),
        0x80.. => Err(UriError::NotAscii),
        STAR => Ok(byte),
        _ if is_unreserved(byte) || b":/?#[]@!$&'()*+,;=".contains(&byte) => Ok(byte),
        _ => Err(UriError::BadCharacter),
    }
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Schemes whose URIs name a host, and that URL parsers therefore read leniently when it seems to be missing.
fn has_host(scheme: &str) -> bool {
    default_port(scheme).is_some()
}

fn default_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "http" | "ws" => Some("80"),
        "https" | "wss" => Some("443"),
        "ftp" => Some("21"),
        _ => None,
    }
}

/// The authority in normal form, if there is one or must be one.
fn authority_of(scheme: &str, authority: Option<&str>, path: &str, wild: bool) -> Result<Option<String>, UriError> {
    let Some(authority) = authority else {
        // `file:/x` is `file:///x`; `file:x` is relative to nobody knows what.
        return match scheme {
            "file" if path.starts_with('/') || wild && path.starts_with('*') => Ok(Some(String::new())),
            "file" => Err(UriError::BadAuthority),
            _ if has_host(scheme) => Err(UriError::BadAuthority),
            _ => Ok(None),
        };
    };
    let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (host, port) = match place.rfind(':').filter(|colon| place.rfind(']').is_none_or(|bracket| bracket < *colon)) {
        Some(colon) => place.split_at_checked(colon).unwrap_or((place, "")),
        None => (place, ""),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    if matches!(host, "." | "..")
        || user.contains('@')
        || host.contains([':', '[', ']']) && !(host.starts_with('[') && host.ends_with(']'))
    {
        return Err(UriError::BadAuthority);
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*') {
        return Err(UriError::BadAuthority);
    }
    // The host is case-insensitive, but not the hexadecimal digits of an encoded character.
    let mut host = lower_host(host);
    if has_host(scheme) {
        host.truncate(host.trim_end_matches('.').len());
        if host.is_empty() {
            return Err(UriError::BadAuthority);
        }
    }
    if scheme == "file" && host == "localhost" {
        host.clear();
    }
    let mut out = String::new();
    if !user.is_empty() {
        out.extend([user, "@"]);
    }
    out.push_str(&host);
    if !port.is_empty() && default_port(scheme) != Some(port) {
        out.extend([":", port]);
    }
    Ok(Some(out))
}

fn lower_host(host: &str) -> String {
    let mut encoded = 0_u8;
    host.chars()
        .map(|c| {
            encoded = if c == '%' { 2 } else { encoded };
            if c != '%' && encoded > 0 {
                encoded = encoded.saturating_sub(1);
                return c;
            }
            c.to_ascii_lowercase()
        })
        .collect()
}

/// Removes `.` and `..` (RFC 3986 section 5.2.4), and empty segments if `merge` says so.
fn without_dots(path: &str, merge: bool, wild: bool) -> Result<String, UriError> {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." if wild => return Err(UriError::DotSegment),
            "." | ".." => {
                if segment == ".." {
                    kept.pop().ok_or(UriError::AboveRoot)?;
                }
                // A dot segment at the end leaves a folder.
                if last {
                    kept.push("");
                }
            }
            "" if merge && !last => {}
            other => kept.push(other),
        }
    }
    Ok(format!("/{}", kept.join("/")))
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "a URI must not be longer than 8192 bytes",
            Self::NoScheme => "a URI starts with a scheme and a colon, such as `file:` or `https:`",
            Self::BadCharacter => "a URI cannot hold this character unless it is percent-encoded",
            Self::BadEncoding => "a percent sign must be followed by two hexadecimal digits",
            Self::EncodedSlash => "an encoded slash is ambiguous",
            Self::Backslash => "a backslash is ambiguous",
            Self::Nul => "a NUL character is ambiguous",
            Self::NotAscii => "a character that is not ASCII is ambiguous, even if it is encoded",
            Self::BadAuthority => "the host is missing or malformed",
            Self::AboveRoot => "the segments `..` lead above the root",
            Self::DotSegment => "a pattern must not hold the segments `.` and `..`",
        })
    }
}

impl std::error::Error for UriError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_uri_become_equal() {
        for (spelling, normal) in [
            ("file:///srv/lab/a.csv", "file:///srv/lab/a.csv"),
            ("FILE:///srv/lab/a.csv", "file:///srv/lab/a.csv"),
            ("file://localhost/srv/lab/a.csv", "file:///srv/lab/a.csv"),
            ("file://LOCALHOST/srv/lab/a.csv", "file:///srv/lab/a.csv"),
            ("file:/srv/lab/a.csv", "file:///srv/lab/a.csv"),
            ("file:////srv//lab/a.csv", "file:///srv/lab/a.csv"),
            ("file:///srv/lab/", "file:///srv/lab/"),
            ("file:///srv/./lab/../lab/a.csv", "file:///srv/lab/a.csv"),
            ("file:///srv/%2e%2E/etc/passwd", "file:///etc/passwd"),
            ("file:///srv/..", "file:///"),
            ("file:///srv/%6Cab/%7euser/a%20b%3a", "file:///srv/lab/~user/a%20b%3A"),
            ("HTTPS://Example.COM.:443", "https://example.com/"),
            ("https://example.com:8443/A//b/../c?q=%2e&x#%41", "https://example.com:8443/A//c?q=.&x#A"),
            ("https://@example.com:/", "https://example.com/"),
            ("https://user@example.com/", "https://user@example.com/"),
            ("https://[2001:DB8::1]:443/", "https://[2001:db8::1]/"),
            ("memo://Insights", "memo://insights"),
            ("memo:/a/../b", "memo:/b"),
            ("urn:Example:A:..", "urn:Example:A:.."),
            ("note:a%2Db", "note:a-b"),
            ("x://a%3Ab", "x://a%3Ab"),
        ] {
            assert_eq!(normalize(spelling).as_deref(), Ok(normal), "{spelling}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        for (uri, error) in [
            ("", UriError::NoScheme),
            ("/etc/passwd", UriError::NoScheme),
            ("*", UriError::NoScheme),
            ("1a:b", UriError::NoScheme),
            ("file:///srv%2f..%2fetc", UriError::EncodedSlash),
            ("file:///srv\\etc", UriError::Backslash),
            ("file:///srv%5Cetc", UriError::Backslash),
            ("file:///srv%00.csv", UriError::Nul),
            ("file:///srv\0.csv", UriError::Nul),
            ("file:///größe", UriError::NotAscii),
            ("file:///gr%C3%B6%C3%9Fe", UriError::NotAscii),
            ("file:///%c0%afetc", UriError::NotAscii),
            ("file:///a b", UriError::BadCharacter),
            (" file:///a", UriError::BadCharacter),
            ("fi\tle:///a", UriError::BadCharacter),
            ("file:///a\u{1}", UriError::BadCharacter),
            ("file:///{a}", UriError::BadCharacter),
            ("file:///%zz", UriError::BadEncoding),
            ("file:///%4", UriError::BadEncoding),
            ("file:///../etc", UriError::AboveRoot),
            ("notes://a/b/../../../etc", UriError::AboveRoot),
            ("notes://../etc", UriError::BadAuthority),
            ("notes://%2E/etc", UriError::BadAuthority),
            ("file:etc/passwd", UriError::BadAuthority),
            ("https:/example.com/", UriError::BadAuthority),
            ("https:///example.com/", UriError::BadAuthority),
            ("https:example.com", UriError::BadAuthority),
            ("https://a@b@example.com/", UriError::BadAuthority),
            ("https://a:b:80/", UriError::BadAuthority),
            ("https://a:8o/", UriError::BadAuthority),
        ] {
            assert_eq!(normalize(uri), Err(error), "{uri:?}");
        }
        assert_eq!(normalize(&format!("file:///{}", "a".repeat(MAX_BYTES))), Err(UriError::TooLong));
    }

    #[test]
    fn patterns_keep_their_wildcards() {
        for (pattern, normal) in [
            ("*", "*"),
            ("*.csv", "*.csv"),
            ("*://example.com/x", "*://example.com/x"),
            ("FILE://localhost/srv/%6Cab/*", "file:///srv/lab/*"),
            ("file://*", "file://*"),
            ("file:*", "file://*"),
            ("https://Example.com/*?q=*", "https://example.com/*?q=*"),
            ("https://example.com*", "https://example.com*"),
            ("https://example.com", "https://example.com/"),
            (r"file:///a\*b", r"file:///a\*b"),
        ] {
            assert_eq!(normalize_pattern(pattern).as_deref(), Ok(normal), "{pattern}");
        }
        assert_eq!(normalize_pattern("file:///a/*/../b"), Err(UriError::DotSegment));
        assert_eq!(normalize_pattern(r"file:///a\b*"), Err(UriError::Backslash));
    }

    proptest! {
        #[test]
        fn a_normal_form_stays_as_it_is(
            uri in "(file|FILE|https|memo|urn):/{0,3}([aA.:@*/]|%2e|%41|%3a|%3A|localhost){0,12}(\\?[a/.]{0,3})?"
        ) {
            if let Ok(normal) = normalize(&uri) {
                prop_assert_eq!(normalize(&normal), Ok(normal.clone()), "{}", normal);
                prop_assert!(!normal.split(['?', '#']).next().unwrap().contains("/../"), "{}", normal);
            }
        }

        #[test]
        fn no_text_makes_it_panic(uri: String) {
            prop_assert_eq!(normalize(&uri).is_ok_and(|normal| !normal.is_ascii()), false);
        }
    }
}
