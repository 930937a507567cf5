//! Names, sizes, durations and paths as a configuration writes them.

use core::time::Duration;

use super::paths::PathGlob;
use crate::document::ErrorKind;
use crate::document::fields::{Check, Place};
use crate::document::tree::Kind;
use crate::document::windows::span;

/// The longest name, in bytes.
const MAX_NAME: usize = 256;

/// A name of something in Envoy.
pub(super) fn name(check: &mut Check, place: &Place<'_>) -> Option<Box<str>> {
    let text = check.text(place)?;
    let fits = !text.is_empty() && text.len() <= MAX_NAME && !text.contains(char::is_control);
    let wanted = ErrorKind::Misplaced("a name has 1 to 256 bytes and no control characters");
    check.note(place, fits.then(|| text.into()).ok_or(wanted))
}

/// Bytes, as a number or with a unit: `1048576`, `"512KiB"`, `"32MiB"`, `"1GiB"`.
pub(super) fn bytes(check: &mut Check, place: &Place<'_>, least: u64, most: u64) -> Option<u64> {
    let Kind::String(text) = &place.node.kind else {
        return match place.node.kind {
            Kind::Number(_) => check.whole(place, least, most),
            _ => check.mistyped(place, "bytes, such as 1048576 or \"1MiB\""),
        };
    };
    let size = [("KiB", 10_u32), ("MiB", 20), ("GiB", 30), ("B", 0)].iter().find_map(|(unit, shift)| {
        let digits = text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse::<u64>().ok()?.checked_mul(1_u64.checked_shl(*shift)?)
    });
    let wanted = "expected a whole number of bytes, `KiB`, `MiB` or `GiB`, such as `32MiB`";
    let size = check.note(place, size.ok_or(ErrorKind::Misplaced(wanted)))?;
    let size = (least..=most).contains(&size).then_some(size);
    check.note(place, size.ok_or(ErrorKind::OutOfRange { least, most }))
}

/// How long a service may take: `50ms`, `2s`, at most one minute.
pub(super) fn timeout(check: &mut Check, place: &Place<'_>) -> Option<Duration> {
    let text = check.text(place)?;
    let duration = span(text, &[("ms", 1), ("s", 1000), ("m", 60_000)]);
    let duration = duration.filter(|d| !d.is_zero() && *d <= Duration::from_secs(60));
    check.note(place, duration.ok_or(ErrorKind::Misplaced("expected a time from `1ms` to `60s`")))
}

/// A glob of paths. Requests are compared in one spelling, which the glob must be able to match.
pub(super) fn path(check: &mut Check, place: &Place<'_>) -> Option<PathGlob> {
    let text = check.text(place)?;
    let why = if !text.starts_with(['/', '*']) {
        "a path starts with `/`"
    } else if text.contains(['?', '#']) {
        "paths are compared without query and fragment"
    } else if text.len() > 1 && text.ends_with('/') {
        "paths are compared without a slash at their end"
    } else if text.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) && text != "/" {
        "paths are compared without empty segments, `.` and `..`"
    } else if text.contains('%') {
        "paths are compared with their letters decoded: write them as they are, and `*` for what must stay encoded"
    } else {
        return check.note(place, PathGlob::parse(text).map_err(ErrorKind::Glob));
    };
    check.wrong(place, ErrorKind::Misplaced(why));
    None
}

/// The host as requests are compared: in lower case, without a dot at its end.
pub(super) fn host(check: &mut Check, place: &Place<'_>) -> Option<Box<str>> {
    let text = name(check, place)?;
    let bracketed = text.starts_with('[') && text.ends_with(']');
    let why = if text.contains('*') {
        "a host has no wildcards; leave it out, or name Envoy's `route` or `cluster` instead"
    } else if text.contains(['/', '@', '?', '#']) || text.contains(char::is_whitespace) || !text.is_ascii() {
        "expected a host such as `mcp.example.com`"
    } else if text.contains(':') && !bracketed {
        "hosts are compared without port, and IPv6 addresses stand in brackets"
    } else {
        let host = text.strip_suffix('.').unwrap_or(&text);
        return Some(host.to_ascii_lowercase().into());
    };
    check.wrong(place, ErrorKind::Misplaced(why));
    None
}

/// Whether a name can stand in logs and keys as it is.
pub(super) fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(plain)
}
