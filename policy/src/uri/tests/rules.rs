//! Keys of rules, and what of a policy's URIs requests can dodge.

use super::*;
use crate::document::load;
use crate::document::model::Policy;

#[test]
fn patterns_keep_their_wildcards() {
    for (pattern, normal) in [
        ("*", "*"),
        ("*.csv", "*.csv"),
        ("*/%6cab/%3a*", "*/lab/:*"),
        ("HTTP*", "http*"),
        ("FILE://localhost/srv/%6Cab/*", "file:///srv/lab/*"),
        ("file:////srv//lab/*", "file:///srv/lab/*"),
        ("file://*", "file://*"),
        ("file:*", "file://*"),
        ("file://*/lab/x", "file://*/lab/x"),
        ("file:///srv/.*", "file:///srv/.*"),
        ("https://Example.com/*?q=*", "https://example.com/*?q=*"),
        ("https://example.com/a/../b?*", "https://example.com/b?*"),
        ("https://*", "https://*"),
        ("https://*/public/*", "https://*/public/*"),
        ("https://example.com", "https://example.com/"),
        ("memo://Insight-*", "memo://insight-*"),
        ("memo://lab", "memo://lab/"),
        ("memo:/*", "memo:///*"),
        ("memo:lab/*", "memo:lab/*"),
        (r"file:///a\*b", r"file:///a\*b"),
        ("file:///a%2Ab*", r"file:///a\*b*"),
    ] {
        assert_eq!(normalize_pattern(pattern).as_deref(), Ok(normal), "{pattern}");
        assert_eq!(normalize_pattern(normal).as_deref(), Ok(normal), "{pattern}");
    }
}

#[test]
fn a_pattern_that_no_request_would_match_is_an_error() {
    for (pattern, error) in [
        ("file:///a/*/../b", UriError::DotSegment),
        ("file:///a/%2e%2e/b", UriError::DotSegment),
        ("*/../b", UriError::DotSegment),
        (r"file:///a\b*", UriError::Backslash),
        ("file:///srv/lab/", UriError::TrailingSlash),
        ("file:///srv/*/", UriError::TrailingSlash),
        ("file:///srv/?.csv", UriError::FileQuery),
        ("file:///srv/*?*", UriError::FileQuery),
        ("file://host/*", UriError::NotLocal),
        ("file://loc*", UriError::NotLocal),
        ("file:srv/*", UriError::NotLocal),
        ("*#a", UriError::Fragment),
        ("https://example.com/a?", UriError::EmptyQuery),
        ("*?", UriError::EmptyQuery),
        ("https://user@example.com/*", UriError::UserInfo),
        ("https://example.com/*//a", UriError::EmptySegment),
        ("*a//b", UriError::EmptySegment),
        ("https://[2001:*]/", UriError::Wildcard),
        ("/srv/*", UriError::NoScheme),
        ("file:///a\u{1}", UriError::BadCharacter),
    ] {
        assert_eq!(normalize_pattern(pattern), Err(error), "{pattern}");
    }
}

#[test]
fn a_wildcard_that_would_match_other_hosts_is_an_error() {
    for pattern in [
        "*://example.com/x",
        "http*://example.com/*",
        "https://*.example.com/*",
        "https://example.com*",
        "https://example.com:*/",
        "https://exam*ple.com/",
        "notes://*.lab/x",
        "notes://lab:*",
    ] {
        assert_eq!(normalize_pattern(pattern), Err(UriError::Wildcard), "{pattern}");
    }
}

/// What a policy makes of a request: whether it is refused as ambiguous, hidden, or which rule is found.
fn outcome(policy: &Policy, uri: &str) -> String {
    let Ok(normal) = normalize(uri) else { return "ambiguous".into() };
    if policy.resources.hides(&normal) {
        return "hidden".into();
    }
    policy.resources.rule(&normal).map_or("default", |rule| &rule.pointer).into()
}

fn policy(resources: &str) -> Policy {
    let text = format!(r#"{{"version": "1", "default": "allow", "resources": {resources}}}"#);
    load(text.as_bytes()).unwrap()
}

#[test]
fn no_spelling_leads_out_of_what_is_allowed() {
    let policy = policy(
        r#"{"default": "deny", "uris": {"file:///srv/lab/*": {}, "notes://lab/*": {}, "memo:lab/*": {}, "memo://public-*": {}}}"#,
    );
    assert_eq!(outcome(&policy, "file:///srv/lab/a.csv"), "/resources/uris/file:~1~1~1srv~1lab~1*");
    assert_eq!(outcome(&policy, "notes://lab/a?b=c"), "/resources/uris/notes:~1~1lab~1*");
    for uri in [
        "file:///srv/lab/?/../../../etc/passwd",
        "file:///srv/lab/#/../../../etc/passwd",
        "file:///srv/lab/%252e%252e/%252e%252e/etc/passwd",
        "file:///srv/lab//../../etc/passwd",
        "notes://lab//../private/x",
        "notes://lab/?/../../private/x",
        "notes://private/a/../../lab/x",
        "memo:lab/../secret",
        "memo:lab/..;/secret",
        "memo://public-a@private/",
    ] {
        assert_eq!(outcome(&policy, uri), "ambiguous", "{uri}");
    }
    assert_eq!(outcome(&policy, "file:///srv/lab/../../etc/passwd"), "default");
}

#[test]
fn no_spelling_dodges_what_is_hidden_or_denied() {
    let policy = policy(
        r#"{"hide": ["file:///etc/passwd"], "uris": {"file:///etc/*": {"action": "deny"}, "memo://secret": {"action": "deny"},
            "memo:///secret/a:b": {"action": "deny"}}}"#,
    );
    for (uri, expected) in [
        ("file:/etc/passwd", "hidden"),
        ("file:////etc//./passwd", "hidden"),
        ("FILE://LocalHost/%65tc/x/../passwd", "hidden"),
        ("file:///etc/shadow", "/resources/uris/file:~1~1~1etc~1*"),
        ("file://anyhost/etc/passwd", "ambiguous"),
        ("file://x@/etc/passwd", "ambiguous"),
        ("file:///etc/passwd#", "ambiguous"),
        ("file:///etc/passwd?", "ambiguous"),
        ("file:///etc/passwd/", "ambiguous"),
        ("file:///etc/passwd/.", "ambiguous"),
        ("file:///etc/passwd%20", "ambiguous"),
        ("file:///etc/pass\twd", "ambiguous"),
        ("file:etc/passwd", "ambiguous"),
        ("memo://SECRET", "/resources/uris/memo:~1~1secret"),
        ("memo://secret/", "/resources/uris/memo:~1~1secret"),
        ("memo://secret?", "ambiguous"),
        ("memo://x@secret", "ambiguous"),
        ("memo:/secret/a%3ab", "/resources/uris/memo:~1~1~1secret~1a:b"),
        ("memo:///secret//a:b", "ambiguous"),
    ] {
        assert_eq!(outcome(&policy, uri), expected, "{uri}");
    }
}
