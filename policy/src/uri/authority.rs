//! Hosts and ports. RFC 3986 section 3.2; for the web also what the WHATWG URL parser makes of a host.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::text::{NARROW, Role, is_expression, is_unreserved, looks_like_dots};
use super::{Scheme, UriError};

/// The authority of any URI but a file's, in normal form.
pub(super) fn normal(authority: &str, scheme: Scheme, role: Role) -> Result<String, UriError> {
    if authority.contains('@') {
        return Err(UriError::UserInfo);
    }
    if role.is_wild(authority) {
        return wild(authority, scheme);
    }
    // Of the web's hosts, none may be left open; of a name in a server's own scheme, only what stays in it.
    if authority.contains(|c| is_expression(c) && (scheme != Scheme::Other || c != NARROW)) {
        return Err(UriError::Expression);
    }
    if authority.is_empty() {
        return if scheme == Scheme::Other { Ok(String::new()) } else { Err(UriError::BadAuthority) };
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or(UriError::BadAuthority)?;
            let address: Ipv6Addr = address.parse().map_err(|_| UriError::BadAuthority)?;
            (format!("[{address}]"), port)
        }
        None => {
            let (host, port) =
                authority.split_at_checked(authority.find(':').unwrap_or(authority.len())).unwrap_or_default();
            (name(host, scheme)?, port)
        }
    };
    match port_number(port, scheme)? {
        Some(port) if scheme != Scheme::Web(port) => Ok(format!("{host}:{port}")),
        _ => Ok(host),
    }
}

/// As a wildcard crosses slashes, `https://*.example.com/` would match `https://elsewhere/.example.com/`, and
/// `https://example.com*` also `https://example.com.elsewhere/`. Schemes of a server's own often keep a name in the host,
/// which nobody can register: there, a wildcard can end it.
fn wild(authority: &str, scheme: Scheme) -> Result<String, UriError> {
    match authority.strip_suffix('*') {
        Some("") => Ok("*".into()),
        Some(start) if scheme == Scheme::Other && start.bytes().all(is_host_byte) => Ok(authority.to_ascii_lowercase()),
        _ => Err(UriError::Wildcard),
    }
}

/// RFC 3986 section 3.2.2, but for `*`: no rule could name such a host.
fn is_host_byte(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()+,;=".contains(&byte)
}

fn name(host: &str, scheme: Scheme) -> Result<String, UriError> {
    let host = host.to_ascii_lowercase();
    let sound = match scheme {
        Scheme::Web(_) => {
            let host = host.strip_suffix('.').unwrap_or(&host);
            return if is_web_host(host) { Ok(host.into()) } else { Err(UriError::BadAuthority) };
        }
        _ => {
            host.bytes().all(|byte| is_host_byte(byte) || char::from(byte) == NARROW)
                && !host.ends_with('.')
                && !looks_like_dots(&host)
        }
    };
    if sound && !host.is_empty() { Ok(host) } else { Err(UriError::BadAuthority) }
}

/// Whether every reader takes the host for the same one: no spelling of an address that only some read as such.
fn is_web_host(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let last = host.rsplit('.').next().unwrap_or(host);
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    host.split('.').all(is_label) && (!is_number || host.parse::<Ipv4Addr>().is_ok())
}

/// The port of `:8080`. The web's may be left out after the colon or start with zeros; elsewhere a server may well take the
/// authority for a name.
fn port_number(port: &str, scheme: Scheme) -> Result<Option<u16>, UriError> {
    let is_web = scheme != Scheme::Other;
    if port.is_empty() || is_web && port == ":" {
        return Ok(None);
    }
    let digits = port.strip_prefix(':').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let number: Option<u16> = digits.and_then(|digits| digits.parse().ok());
    number.filter(|number| is_web || digits == Some(&number.to_string())).map(Some).ok_or(UriError::BadAuthority)
}
