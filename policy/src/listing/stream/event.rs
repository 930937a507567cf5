use std::borrow::Cow;

use super::lines::{Field, lines};
use crate::listing::mention::mentions_listing;
use crate::listing::message::is_blank;
use crate::listing::{Filtered, Reason, Shown, Unreadable, filter_message};

/// Filters one event, given with its last empty line, or a comment.
pub(super) fn filter(event: &[u8], max_depth: usize, shown: &dyn Shown) -> Result<Filtered, Unreadable> {
    let mut data = None;
    let mut kind: &[u8] = b"";
    for line in lines(event) {
        match line.field() {
            Field::Data(value) => data = Some(joined(data, value)),
            // Old clients split lines at U+2028 or only at LF, and would find another line in this one.
            _ if mentions_listing(line.text) => return Err(whole(Reason::StrayListing)),
            Field::Event(value) => kind = value,
            Field::Id | Field::Retry | Field::Other => {}
        }
    }
    let data = data.unwrap_or_default();
    if is_blank(&data) {
        return Ok(Filtered::Unchanged);
    }
    // A client that looks at no event type must not find a message here.
    if kind == b"endpoint" && !mentions_listing(&data) {
        return match core::str::from_utf8(&data) {
            Ok(uri) if shown.shows_endpoint(uri.trim()) => Ok(Filtered::Unchanged),
            _ => Err(whole(Reason::EndpointElsewhere)),
        };
    }
    Ok(match filter_message(&data, max_depth, shown)? {
        Filtered::Unchanged => Filtered::Unchanged,
        Filtered::Changed(message) => Filtered::Changed(rewritten(event, &message)),
    })
}

/// An event with a message in place of what cannot be read. Only the fields stay that decide how a stream is resumed.
pub(super) fn replacement(event: &[u8], message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines(event) {
        if matches!(line.field(), Field::Id | Field::Retry) && !mentions_listing(line.text) {
            out.extend_from_slice(line.text);
            out.push(b'\n');
        }
    }
    write_data(&mut out, message, b"\n");
    out.push(b'\n');
    out
}

/// The data of an event after one more line.
fn joined<'a>(data: Option<Cow<'a, [u8]>>, line: &'a [u8]) -> Cow<'a, [u8]> {
    let Some(mut data) = data else {
        return Cow::Borrowed(line);
    };
    let bytes = data.to_mut();
    bytes.push(b'\n');
    bytes.extend_from_slice(line);
    data
}

/// The event with another message.
fn rewritten(event: &[u8], message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(event.len());
    let mut written = false;
    for line in lines(event) {
        if matches!(line.field(), Field::Data(_)) {
            if !written {
                write_data(&mut out, message, line.end);
                written = true;
            }
            continue;
        }
        // The empty line must not become the second half of a CRLF.
        if line.text.is_empty() && line.end == b"\n" && out.last() == Some(&b'\r') {
            out.push(b'\n');
        }
        out.extend_from_slice(line.text);
        out.extend_from_slice(line.end);
    }
    out
}

fn write_data(out: &mut Vec<u8>, message: &[u8], end: &[u8]) {
    for line in lines(message) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line.text);
        out.extend_from_slice(end);
    }
}

fn whole(reason: Reason) -> Unreadable {
    Unreadable { offset: 0, reason }
}
