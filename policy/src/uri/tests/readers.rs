//! What servers make of a URI, held against its normal form.

use proptest::prelude::*;
use url::Url;

use super::*;

/// RFC 3986: appendix B splits, section 5.2.4 removes dot segments, then the path is decoded.
fn by_rfc_3986(uri: &str) -> String {
    let uri = uri.split('#').next().unwrap();
    let uri = uri.split('?').next().unwrap();
    let rest = uri.split_once(':').unwrap().1;
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => rest,
    };
    decoded(&remove_dot_segments(path))
}

/// Section 5.2.4, step by step.
fn remove_dot_segments(path: &str) -> String {
    let (mut input, mut output) = (path.to_owned(), String::new());
    while !input.is_empty() {
        if let Some(rest) = input.strip_prefix("../").or_else(|| input.strip_prefix("./")) {
            input = rest.into();
        } else if input.starts_with("/./") || input == "/." {
            input = format!("/{}", input.get(3..).unwrap_or_default());
        } else if input.starts_with("/../") || input == "/.." {
            input = format!("/{}", input.get(4..).unwrap_or_default());
            output.truncate(output.rfind('/').unwrap_or(0));
        } else if input == "." || input == ".." {
            input.clear();
        } else {
            let end = input[1..].find('/').map_or(input.len(), |slash| slash + 1);
            output.extend(input.drain(..end));
        }
    }
    output
}

/// A browser's parser, then a decoded path.
fn by_whatwg(uri: &str) -> String {
    decoded(Url::parse(uri).unwrap().path())
}

/// Strips the scheme and opens the rest: decoded before dot segments are removed, or after.
fn by_hand(uri: &str, decode_first: bool) -> String {
    let rest = uri.split_once(':').unwrap().1;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let named = rest.get(..9).is_some_and(|host| host.eq_ignore_ascii_case("localhost"));
    let path = if named { &rest[9..] } else { rest };
    if decode_first { as_file(&decoded(path)) } else { decoded(&as_file(path)) }
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => out.extend([char::from(code).to_string().as_str(), &part[2..]]),
            None => out.extend(["%", part]),
        }
    }
    out
}

/// `posixpath.normpath`, but for two slashes at the start: Linux reads them as one.
fn as_file(path: &str) -> String {
    let mut kept = vec![];
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            name => kept.push(name),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", kept.join("/"))
}

/// Texts like a file's URI, rich in what readers differ on.
fn file_uri() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "/", "/", "/a", "/b/", "/../", "/./", "..", ".", "//", "%2e", "%2E%2e", "%2f", "%252e", "%41", "A", "C:",
        "C|", "?", "#", ";", "%3B", "%3F", "%20", "%09", "\t", " ", ":", "@", "%3a", "%40", "\\", "%5c", "~", "*",
        "%2A", "x",
    ]);
    let start = prop::sample::select(vec![
        "file:",
        "file:/",
        "file://",
        "file:///",
        "FILE:///",
        "file:////",
        "file://localhost",
        "file://LOCALHOST/",
        "file://host",
        "file://x@",
        "file://C:",
        "%66ile:///",
    ]);
    (start, prop::collection::vec(piece, 0..8)).prop_map(|(start, pieces)| format!("{start}{}", pieces.concat()))
}

/// The same for schemes that servers make up.
fn own_uri() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "/", "/a", "/b/", "/../", "/./", "..", ".", "//", "%2e", "%41", "?", "#", ";", "%3B", "%3F", "%20", ":",
        ":0", "80", "@", "x",
    ]);
    let start = prop::sample::select(vec![
        "notes:",
        "notes:/",
        "notes://lab",
        "notes://",
        "notes:///",
        "NOTES://lab/",
        "notes:lab/",
    ]);
    (start, prop::collection::vec(piece, 0..8)).prop_map(|(start, pieces)| format!("{start}{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn a_file_that_is_compared_is_the_same_file_to_every_reader(uri in file_uri()) {
        let Ok(normal) = normalize(&uri) else { return Ok(()) };
        let path = decoded(normal.strip_prefix("file://").unwrap());
        prop_assert_eq!(&as_file(&path), &path, "{}", normal);
        prop_assert_eq!(&as_file(&by_rfc_3986(&uri)), &path);
        prop_assert_eq!(&as_file(&by_whatwg(&uri)), &path);
        prop_assert_eq!(&by_hand(&uri, true), &path);
        prop_assert_eq!(&by_hand(&uri, false), &path);
    }

    #[test]
    fn no_reader_leaves_the_folder_that_a_compared_uri_names(uri in own_uri()) {
        let Ok(normal) = normalize(&uri) else { return Ok(()) };
        // RFC 3986 section 6.2.3: `notes://lab?q` is `notes://lab/?q`.
        let uri = match uri.split_once('?') {
            Some((before, query)) if before.contains("://") && before.matches('/').count() == 2 => format!("{before}/?{query}"),
            _ => uri,
        };
        let all = |uri: &str| [by_hand(uri, true), by_hand(uri, false)].map(|path| path.to_lowercase());
        prop_assert_eq!(all(&uri), all(&normal), "{}", normal);
        let all = |uri: &str| [by_whatwg(uri), by_rfc_3986(uri)].map(|path| if path.is_empty() { "/".into() } else { path });
        prop_assert_eq!(all(&uri), all(&normal), "{}", normal);
    }

    #[test]
    fn a_web_host_is_the_one_that_a_browser_connects_to(
        uri in "https?://(a\\.b|A\\.B\\.|10\\.0\\.0\\.1|0x1|1\\.2|\\[::A\\]|\\[0:0::1\\]|a@b|%61)?(:(80|443|0443|8080|99999))?(/[a;]{0,2})?"
    ) {
        let Ok(normal) = normalize(&uri) else { return Ok(()) };
        let parsed = |uri: &str| Url::parse(uri).unwrap();
        let trimmed = |url: &Url| url.host_str().map(|host| host.trim_end_matches('.').to_owned());
        prop_assert_eq!(trimmed(&parsed(&uri)), trimmed(&parsed(&normal)));
        prop_assert_eq!(parsed(&uri).port(), parsed(&normal).port());
        prop_assert_eq!(parsed(&normal).to_string(), normal);
    }

    #[test]
    fn a_normal_form_stays_as_it_is(
        uri in prop_oneof![
            file_uri(),
            own_uri(),
            "(https|memo|urn):/{0,3}([aA.:@*/]|%2e|%41|%3a|%3A|localhost){0,12}(\\?[a/.]{0,3})?",
        ]
    ) {
        if let Ok(normal) = normalize(&uri) {
            prop_assert_eq!(normalize(&normal), Ok(normal.clone()), "{}", normal);
        }
    }

    #[test]
    fn the_key_that_names_a_uri_matches_it(uri in prop_oneof![file_uri(), own_uri()]) {
        if let Ok(normal) = normalize(&uri) {
            let key = normalize_pattern(&uri.replace('*', "\\*"));
            prop_assert_eq!(key, Ok(normal.replace('*', "\\*")));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text: String) {
        prop_assert!(normalize(&text).is_ok_and(|normal| normal.is_ascii()) || normalize(&text).is_err());
        prop_assert!(normalize_pattern(&text).is_ok_and(|normal| normal.is_ascii()) || normalize_pattern(&text).is_err());
    }
}
