//! Paths: dot segments, repeated slashes, and what only some servers cut off.

use super::text::{self, Role, is_unreserved, looks_like_dots};
use super::{Scheme, UriError};

/// The path of a `file:` URI (RFC 8089), with its slash at the start. Servers take the path and leave the authority, so
/// there is none but this machine.
pub(super) fn of_file(authority: Option<&str>, path: &str, role: Role) -> Result<String, UriError> {
    match authority {
        None | Some("") => {}
        Some(host) if host.eq_ignore_ascii_case("localhost") => {}
        Some(start) if role == Role::Pattern && start.starts_with('*') => {
            return rooted(&format!("{start}{path}"), Scheme::File, role);
        }
        Some(_) => return Err(UriError::NotLocal),
    }
    if path.starts_with('/') || role == Role::Pattern && path.starts_with('*') {
        rooted(path, Scheme::File, role)
    } else {
        Err(UriError::NotLocal)
    }
}

/// A path that starts with a slash, or with a wildcard, or is empty: without dot segments (RFC 3986 section 5.2.4).
pub(super) fn rooted(path: &str, scheme: Scheme, role: Role) -> Result<String, UriError> {
    let (slash, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    let wild = role.is_wild(path);
    let is_file = scheme == Scheme::File;
    let mut kept: Vec<String> = Vec::new();
    // Whether readers count a segment that a file system drops: then they do not agree on what `..` removes.
    let mut dropped = false;
    let mut segments = rest.split('/').peekable();
    while let Some(raw) = segments.next() {
        let last = segments.peek().is_none();
        let segment = text::segment(raw, role)?;
        if looks_like_dots(&segment) {
            match raw {
                // At the end it would leave a folder, or swallow a query, to some.
                _ if wild || last => return Err(UriError::DotSegment),
                "." => {}
                ".." if !dropped => match kept.pop() {
                    // Of anything else, some reader may have taken a part for a query, a parameter or a drive.
                    Some(name) if name.bytes().all(is_unreserved) => {}
                    Some(_) => return Err(UriError::DotSegment),
                    None => return Err(UriError::AboveRoot),
                },
                _ => return Err(UriError::DotSegment),
            }
            continue;
        }
        if segment.is_empty() && !last {
            if !is_file {
                return Err(UriError::EmptySegment);
            }
            dropped = true;
            continue;
        }
        if scheme != Scheme::Other && segment.contains(';') {
            return Err(UriError::Parameter);
        }
        if is_file && (segment.ends_with('.') || segment.ends_with("%20")) {
            return Err(UriError::TrailingDot);
        }
        if is_file && (segment.contains("%3F") || segment.contains("%23")) {
            return Err(UriError::EncodedDelimiter);
        }
        kept.push(segment);
    }
    if is_file && kept.len() > 1 && kept.last().is_some_and(String::is_empty) {
        return Err(UriError::TrailingSlash);
    }
    Ok(format!("{slash}{}", kept.join("/")))
}

/// A path without a root, such as that of `memo:lab/a`, or the end of one. There is nothing that dot segments could be
/// resolved against.
pub(super) fn opaque(path: &str, role: Role) -> Result<String, UriError> {
    let mut kept: Vec<String> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(raw) = segments.next() {
        let segment = text::segment(raw, role)?;
        if looks_like_dots(&segment) {
            return Err(UriError::DotSegment);
        }
        if segment.is_empty() && segments.peek().is_some() && !kept.is_empty() {
            return Err(UriError::EmptySegment);
        }
        kept.push(segment);
    }
    Ok(kept.join("/"))
}
