//! URIs of RFC 3986, by their grammar.

use core::net::Ipv6Addr;

/// A URI with its scheme.
pub(super) fn uri(text: &str) -> bool {
    matches!(split_scheme(text), Some((scheme, rest)) if is_scheme(scheme) && after_scheme(rest))
}

/// A URI, or a reference relative to one.
pub(super) fn reference(text: &str) -> bool {
    match split_scheme(text) {
        Some((scheme, rest)) => is_scheme(scheme) && after_scheme(rest),
        None => after_scheme(text),
    }
}

/// What stands before a colon in the first segment.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let first = text.split(['/', '?', '#']).next()?;
    let at = first.find(':')?;
    Some((text.get(..at)?, text.get(at.checked_add(1)?..)?))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn after_scheme(text: &str) -> bool {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    let (authority, path) = match text.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", text),
    };
    is_made_of(fragment, b":@/?") && is_made_of(query, b":@/?") && is_made_of(path, b":@/") && is_authority(authority)
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            let future = address.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.'));
            let sound = match future {
                Some((version, rest)) => {
                    !version.is_empty()
                        && version.bytes().all(|byte| byte.is_ascii_hexdigit())
                        && !rest.is_empty()
                        && !rest.contains('%')
                        && is_made_of(rest, b":")
                }
                None => address.parse::<Ipv6Addr>().is_ok(),
            };
            if !sound {
                return false;
            }
            ("", port)
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = port.strip_prefix(':').or(port.is_empty().then_some(""));
    is_made_of(user, b":") && is_made_of(host, b"") && port.is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()))
}

/// Unreserved characters, delimiters, percent-encoded bytes, and these.
fn is_made_of(text: &str, others: &[u8]) -> bool {
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => tail,
            (byte, tail) if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte) => tail,
            (byte, tail) if others.contains(byte) => tail,
            _ => return false,
        };
    }
    true
}
