//! URIs: the normal form is the only spelling of what all servers read alike.

use policy::uri::{normalize, normalize_pattern};
use url::Url;

/// Checks one URI.
///
/// # Panics
/// If a property does not hold.
pub fn check(text: &[u8]) {
    let Ok(uri) = std::str::from_utf8(text) else { return };
    if let Ok(pattern) = normalize_pattern(uri) {
        assert_eq!(normalize_pattern(&pattern).as_deref(), Ok(&*pattern), "a pattern's normal form is not normal");
    }
    let Ok(normal) = normalize(uri) else { return };
    assert!(normal.is_ascii() && !normal.contains(['\\', '\0', '#']), "{normal:?}");
    assert_eq!(normalize(&normal).as_deref(), Ok(&*normal), "the normal form is not normal");
    let key = normalize_pattern(&uri.replace('*', "\\*"));
    assert_eq!(key, Ok(normal.replace('*', "\\*")), "the key that names it does not match it");
    // The schemes that a browser's parser takes apart.
    let scheme = normal.split(':').next().unwrap_or_default();
    if ["file", "http", "https", "ws", "wss", "ftp"].contains(&scheme) {
        let parse = |uri: &str| Url::parse(uri).unwrap_or_else(|error| panic!("{error}: {uri:?}, {normal:?}"));
        let (by_browser, of_normal) = (parse(uri), parse(&normal));
        let path = |url: &Url| if scheme == "file" { as_file(&decoded(url.path())) } else { decoded(url.path()) };
        assert_eq!(path(&by_browser), path(&of_normal), "{uri:?}");
        assert_eq!(by_browser.port(), of_normal.port(), "{uri:?}");
        let host = |url: &Url| url.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
        assert_eq!(host(&by_browser), host(&of_normal), "{uri:?}");
        assert!(!decoded(of_normal.path()).contains("/../"), "{normal:?}");
    }
}

/// The path as a file system reads it, which takes repeated slashes for one.
fn as_file(path: &str) -> String {
    let mut path = path.to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    path
}

/// The path with its percent signs and what follows them replaced by the bytes they stand for.
fn decoded(path: &str) -> String {
    let mut parts = path.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(code) => out.extend([char::from(code).to_string().as_str(), &part[2..]]),
            None => out.extend(["%", part]),
        }
    }
    out
}
