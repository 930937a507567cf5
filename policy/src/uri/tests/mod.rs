//! Spellings that are equal, and what is refused.

mod readers;
mod rules;
mod templates;

use super::*;

#[test]
fn spellings_of_one_uri_become_equal() {
    for (spelling, normal) in [
        ("file:///srv/lab/a.csv", "file:///srv/lab/a.csv"),
        ("FILE:///srv/lab/a.csv", "file:///srv/lab/a.csv"),
        ("file://localhost/srv/lab/a.csv", "file:///srv/lab/a.csv"),
        ("file://LOCALHOST/srv/lab/a.csv", "file:///srv/lab/a.csv"),
        ("file:/srv/lab/a.csv", "file:///srv/lab/a.csv"),
        ("file:////srv//lab///a.csv", "file:///srv/lab/a.csv"),
        ("file:////", "file:///"),
        ("file:///srv/./lab/../lab/a.csv", "file:///srv/lab/a.csv"),
        ("file:///srv/%6Cab/%7euser/a%20b%3a%2a", "file:///srv/lab/~user/a%20b:*"),
        ("file:///srv/100%25.csv", "file:///srv/100%25.csv"),
        ("HTTPS://Example.COM.:443", "https://example.com/"),
        ("https://example.com:00443/", "https://example.com/"),
        ("https://example.com:8443/A/b/../c?q=%2ex", "https://example.com:8443/A/c?q=.x"),
        ("https://example.com/?a%3d=%3a", "https://example.com/?a%3D=%3A"),
        ("https://example.com:/", "https://example.com/"),
        ("https://10.0.0.1/", "https://10.0.0.1/"),
        ("https://[2001:DB8:0::0:1]:443/", "https://[2001:db8::1]/"),
        ("notes://[::1]:80", "notes://[::1]:80/"),
        ("memo://Insights", "memo://insights/"),
        ("memo://lab:80/a%3Ab%3Bc;d", "memo://lab:80/a:b%3Bc;d"),
        ("memo:/a/../b", "memo:///b"),
        ("memo:///", "memo:///"),
        ("memo:lab/", "memo:lab/"),
        ("urn:Example:A:..", "urn:Example:A:.."),
        ("note:a%2Db", "note:a-b"),
    ] {
        assert_eq!(normalize(spelling).as_deref(), Ok(normal), "{spelling}");
    }
}

/// Each text must be refused for just that reason.
fn refused(error: UriError, uris: &[&str]) {
    for uri in uris {
        assert_eq!(normalize(uri), Err(error), "{uri:?}");
    }
}

#[test]
fn what_is_no_uri_is_refused() {
    refused(UriError::NoScheme, &["", "/etc/passwd", "*", "1a:b", "%66ile:///a"]);
    refused(UriError::BadCharacter, &["file:///a b", " file:///a", "file:///a ", "file:///{a}", "a:b|c"]);
    refused(UriError::BadEncoding, &["file:///%zz", "file:///%4", "file:///%", "a:b?%g0"]);
    let long = |bytes: usize| format!("a:{}", "b".repeat(bytes - 2));
    assert!(normalize(&long(MAX_BYTES)).is_ok());
    assert_eq!(normalize(&long(MAX_BYTES + 1)), Err(UriError::TooLong));
}

#[test]
fn characters_that_servers_read_differently_are_refused() {
    refused(UriError::EncodedSlash, &["file:///srv%2f..%2Fetc", "a:b?c=%2f"]);
    refused(UriError::Backslash, &["file:///srv\\etc", "file:///srv%5Cetc", "a:b%5c"]);
    refused(UriError::Nul, &["file:///srv%00.csv", "file:///srv\0.csv"]);
    // A browser's parser drops these, wherever they stand.
    refused(UriError::BadCharacter, &["fi\tle:///a", "file:///.\n./a", "file:///a\r", "file:///a\u{1}", "a:b\u{7f}"]);
    refused(UriError::Control, &["file:///.%09./a", "file:///a%0A", "a:b%1f", "a:b?c%7F"]);
    refused(UriError::NotAscii, &["file:///größe", "file:///gr%C3%B6%C3%9Fe", "file:///%c0%afetc", "a:b?%80"]);
}

#[test]
fn what_a_second_decoding_would_change_is_refused() {
    refused(
        UriError::EncodedTwice,
        &["file:///srv/%252e%252e/etc", "notes://lab/%252Fx", "a:b%25%32%65", "a:%25252e", "a:b?c=%2541"],
    );
}

#[test]
fn fragments_and_empty_queries_are_refused() {
    refused(
        UriError::Fragment,
        &["file:///srv/lab/#/../../../etc/passwd", "file:///etc/passwd#", "https://example.com/#a", "memo:a#b", "#"],
    );
    refused(UriError::EmptyQuery, &["https://example.com/a?", "memo:a?", "file:///etc/passwd?"]);
    refused(UriError::FileQuery, &["file:///srv/lab/?/../../../etc/passwd", "file:///a?b"]);
    refused(UriError::EncodedDelimiter, &["file:///etc/passwd%3Fx", "file:///etc/passwd%23"]);
}

#[test]
fn dot_segments_that_readers_resolve_differently_are_refused() {
    refused(
        UriError::DotSegment,
        &[
            // No path for some readers.
            "notes://lab/?/../../../private/x",
            "notes://lab/a?b=%2e%2E/x",
            "https://example.com/?a=..",
            // Empty for some, gone for others.
            "file:///srv//../etc/passwd",
            "file:///a//b/../../etc/passwd",
            // Resolved before or after decoding.
            "file:///srv/%2e%2e/etc/passwd",
            "file:///a/b/.%2E/../c",
            // A drive to a browser's parser, a query or a parameter to others.
            "file:///C:/../etc/passwd",
            "notes://lab/private%3F/../public",
            "notes://lab/private;x/../public",
            // Dots to whoever trims or cuts.
            "notes://lab/..;/x",
            "notes://lab/..%3Bx/x",
            "https://example.com/a/..;/b",
            "notes://lab/a/..%20/x",
            "notes://lab/.../x",
            // Folders, or the start of a name.
            "file:///etc/passwd/.",
            "notes://lab/a/..",
            "notes://lab/a/..?b",
            // Nothing that they could be resolved against.
            "memo:lab/../secret",
            "memo:./secret",
            "memo:lab/%2e%2e/secret",
            "memo:..",
        ],
    );
    refused(UriError::AboveRoot, &["file:///../etc", "notes://a/b/../../etc", "notes://lab/../private"]);
}

#[test]
fn slashes_that_servers_read_differently_are_refused() {
    refused(
        UriError::EmptySegment,
        &["notes://lab//../private/x", "notes://lab//x", "https://example.com//admin", "memo:lab//x", "memo:///a//b"],
    );
    refused(UriError::TrailingSlash, &["file:///etc/passwd/", "file:///a/../b/", "file:///a//"]);
}

#[test]
fn names_that_file_systems_or_servers_shorten_are_refused() {
    refused(UriError::TrailingDot, &["file:///etc/passwd.", "file:///etc/passwd%20", "file:///etc./passwd"]);
    refused(UriError::Parameter, &["https://example.com/admin;x", "file:///etc/passwd;x"]);
}

#[test]
fn only_files_of_the_server_itself_are_compared() {
    refused(
        UriError::NotLocal,
        &[
            "file://anyhost/etc/passwd",
            "file://x@/etc/passwd",
            "file://@/etc/passwd",
            "file://:80/etc/passwd",
            "file://localhost:80/etc/passwd",
            "file://x@localhost/etc/passwd",
            "file://localhost./etc/passwd",
            "file://localhos%74/etc/passwd",
            "file://127.0.0.1/etc/passwd",
            "file://*/etc/passwd",
            "file://./etc/passwd",
            "file://..",
            "file://C:/etc/passwd",
            "file:etc/passwd",
            "file:",
            // The working directory to those who strip the scheme.
            "file://",
            "file://localhost",
        ],
    );
}

#[test]
fn hosts_that_parsers_read_differently_are_refused() {
    refused(
        UriError::UserInfo,
        &["https://user@example.com/", "https://a@b@example.com/", "https://@example.com/", "notes://x@lab/secret"],
    );
    refused(
        UriError::BadAuthority,
        &[
            "https:/example.com/",
            "https:///example.com/",
            "https:example.com",
            "https://:443/",
            "https://a:b:80/",
            "https://a:8o/",
            "https://a:65536/",
            "https://a:+80/",
            "https://ex%61mple.com/",
            "https://example.com../",
            "https://a..b/",
            "https://./",
            "https://a*b/",
            "https://a!b/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.0.0.0x1/",
            "https://[::1/",
            "https://[::1]x/",
            "https://[v1.a]/",
            "https://[fe80::1%25en0]/",
            "https://::1/",
            "notes://../etc",
            "notes://%2E/etc",
            "notes://..;/etc",
            "notes://lab./x",
            "notes://l%61b/x",
            "notes://:80/x",
            "notes://",
            "notes://lab:",
            "notes://lab:080/x",
            "notes://a*/x",
        ],
    );
}
