//! Names of hosts and mailboxes.

use core::net::{Ipv4Addr, Ipv6Addr};

/// RFC 1123: labels of letters, digits and hyphens.
pub(super) fn hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
            // Hyphens third and fourth are for encodings, of which there is one.
            && (label.get(2..4) != Some("--") || label.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn")))
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// RFC 5321: a local part of atoms or in quotes, and a host name or an address in brackets.
pub(super) fn email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let local = match local.strip_prefix('"').and_then(|local| local.strip_suffix('"')) {
        Some(quoted) => is_quoted(quoted),
        None => local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_of_an_atom)),
    };
    let domain = match domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']')) {
        Some(address) => match address.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => address.parse::<Ipv4Addr>().is_ok(),
        },
        None => hostname(domain),
    };
    text.len() <= 320 && local && domain
}

fn is_quoted(text: &str) -> bool {
    let mut escaped = false;
    let sound = text.bytes().all(|byte| {
        let before = escaped;
        escaped = byte == b'\\' && !before;
        (b' '..=b'~').contains(&byte) && (byte != b'"' || before)
    });
    sound && !escaped
}

fn is_of_an_atom(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}
