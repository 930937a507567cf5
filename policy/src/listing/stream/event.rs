use std::borrow::Cow;

use super::lines::{CARELESS_ENDS, Field, Line, lines};
use crate::listing::mention::{mentions, names_method, plainest};
use crate::listing::message::{self, Reading, is_blank};
use crate::listing::{Reason, Shown, Unreadable};

/// What becomes of an event.
pub(super) enum Outcome {
    /// It goes on as it came.
    Unchanged,
    /// This goes on, with the event's own last line.
    Edited(Vec<u8>),
    /// This goes on; nothing of the event's own lines is needed to end it.
    Anew(Vec<u8>),
}

/// Filters one event, given with its last empty line, or a comment.
pub(super) fn filter(event: &[u8], max_depth: usize, shown: &dyn Shown) -> Result<Outcome, Unreadable> {
    let mut data = None;
    let mut kind: &[u8] = b"";
    // Whether some client reads other data from the lines.
    let mut unclear = false;
    let mut after_cr = false;
    for line in lines(event) {
        unclear |= line.is_split_elsewhere();
        match line.field() {
            Field::Data(value) => {
                data = Some(joined(data, value));
                after_cr = line.end == b"\r";
                continue;
            }
            Field::Event(value) => kind = value,
            Field::Other => unclear |= is_nearly_data(line.text, after_cr),
            Field::Id | Field::Retry | Field::Comment => {}
        }
        after_cr = line.end == b"\r";
        if is_stray(&line, shown) {
            return Err(whole(Reason::StrayListing));
        }
    }
    let data = data.unwrap_or_default();
    if is_blank(&data) {
        return Ok(Outcome::Unchanged);
    }
    // A client that looks at no event type must not find a message here.
    // A client that looks at no event type must not find a message here either.
    if kind == b"endpoint" {
        if mentions(&data, shown) {
            return Err(whole(Reason::EndpointElsewhere));
        }
        return match core::str::from_utf8(&data) {
            Ok(uri) if !unclear && !uri.contains('\n') && shown.shows_endpoint(uri.trim_ascii()) => {
                Ok(Outcome::Unchanged)
            }
            _ => Err(whole(Reason::EndpointElsewhere)),
        };
    }
    let reading = message::read(&data, max_depth, shown)?;
    // It has several lines.
    unclear |= matches!(data, Cow::Owned(_)) && has_message_on_a_line(&data, max_depth, shown);
    Ok(match reading {
        Reading::Strict if unclear => Outcome::Anew(anew(event, &data)),
        Reading::Filtered(message) if unclear => Outcome::Anew(anew(event, &message)),
        Reading::Filtered(message) => Outcome::Edited(edited(event, &message)),
        Reading::Sloppy if unclear && names_method(&data, shown) => return Err(whole(Reason::StrayListing)),
        // However clients put the lines of what is sloppy together, none holds a listing's name.
        Reading::Nothing | Reading::Sloppy | Reading::Strict => Outcome::Unchanged,
    })
}

/// Whether a line that is not data may hold a part of a message that matters: old clients split lines at U+2028 or only at
/// LF, and would find another line in it.
fn is_stray(line: &Line<'_>, shown: &dyn Shown) -> bool {
    mentions(line.text, shown) || names_method(line.text, shown)
}

/// Whether some clients take an unknown field for data: those that do not ask for the exact name; and those that end lines
/// only at LF, if it goes on with JSON behind a CR.
fn is_nearly_data(line: &[u8], after_cr: bool) -> bool {
    let plain = plainest(line).to_ascii_lowercase();
    let word = plain.trim_start_matches(' ');
    let is_json = !word.starts_with(|c: char| c.is_ascii_alphabetic())
        || ["true", "false", "null"].iter().any(|literal| word.starts_with(literal));
    plain.contains("data") || after_cr && is_json
}

/// Whether a line alone is a message that does not go on as it came. Some clients take each line for one, or the last.
fn has_message_on_a_line(data: &[u8], max_depth: usize, shown: &dyn Shown) -> bool {
    lines(data).filter(|line| matches!(line.text.trim_ascii_start(), [b'{' | b'[', ..])).any(|line| {
        match message::read(line.text, max_depth, shown) {
            Ok(Reading::Filtered(_)) => true,
            // What is no JSON alone is no message to them.
            Err(problem) => !matches!(problem.reason, Reason::Syntax(_)),
            Ok(_) => false,
        }
    })
}

/// The event with its message on one line, which no client splits, and no line that only some read.
fn anew(event: &[u8], message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(event.len());
    for line in lines(event) {
        let known = matches!(line.field(), Field::Id | Field::Retry | Field::Event(_) | Field::Comment);
        if known && !line.text.is_empty() && !line.is_split_elsewhere() {
            out.extend_from_slice(line.text);
            out.push(b'\n');
        }
    }
    out.extend_from_slice(b"data: ");
    write_on_one_line(&mut out, message);
    out.extend_from_slice(b"\n\n");
    out
}

/// Writes strict JSON without anything that ends a line: white space between tokens, and characters in strings.
fn write_on_one_line(out: &mut Vec<u8>, mut message: &[u8]) {
    while let [byte, rest @ ..] = message {
        let end = CARELESS_ENDS.iter().find_map(|(end, escape)| Some((message.strip_prefix(*end)?, escape)));
        message = match end {
            Some((rest, escape)) => {
                out.extend_from_slice(escape);
                rest
            }
            None => {
                out.push(if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte });
                rest
            }
        };
    }
}

/// An event with a message in place of what cannot be read. Only the fields stay that decide how a stream is resumed.
pub(super) fn replacement(event: &[u8], message: &[u8], shown: &dyn Shown) -> Vec<u8> {
    let mut out = resumption(event, shown);
    write_data(&mut out, message, b"\n");
    out.push(b'\n');
    out
}

/// An event without its message: nothing, or what decides how a stream is resumed.
pub(super) fn without_message(event: &[u8], shown: &dyn Shown) -> Vec<u8> {
    let mut out = resumption(event, shown);
    if !out.is_empty() {
        out.push(b'\n');
    }
    out
}

/// The lines `id` and `retry`.
fn resumption(event: &[u8], shown: &dyn Shown) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines(event) {
        if matches!(line.field(), Field::Id | Field::Retry) && !is_stray(&line, shown) && !line.is_split_elsewhere() {
            out.extend_from_slice(line.text);
            out.push(b'\n');
        }
    }
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
fn edited(event: &[u8], message: &[u8]) -> Vec<u8> {
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
