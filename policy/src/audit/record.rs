//! The record, as it is written.

use super::found::Found;
use super::time::rfc3339;
use super::{VERSION, Who};
use crate::decision::{Refusal, RefusalKind, Target};
use crate::document::path::Path;
use crate::json::write_string;

/// The most bytes of a record.
pub const MAX_RECORD: usize = 8 * 1024;
/// The most bytes of a recorded value, as JSON.
pub const MAX_VALUE: usize = 512;
/// The most bytes of a recorded name of a tool, prompt or method.
pub const MAX_NAME: usize = 128;
/// The most bytes of a recorded URI.
pub const MAX_URI: usize = 512;
/// More URIs than these that one request asks for are `withheld`.
const MAX_URIS: usize = 64;
/// Room for what comes after the calls.
const TAIL: usize = 512;
/// What all names of policies together may take.
const MAX_POLICIES: usize = 2 * 1024;

/// What a record says of the request as a whole.
#[derive(Debug, Clone)]
pub struct Head<'a> {
    /// Milliseconds since 1970-01-01 UTC when the request's headers came: what `time.*` was read from.
    pub wall_ms: u64,
    /// Microseconds of the clock that sliding windows go by, when the body was judged.
    pub clock_us: u64,
    /// The policies that judge it, by name. None if no policy covers the request.
    pub policies: &'a [&'a str],
    /// Refusals were only observed, and all passed.
    pub observed: bool,
    /// Who called.
    pub who: &'a Who,
}

/// One message of a body, and what became of it.
#[derive(Debug)]
pub struct Call<'a> {
    /// What was asked for.
    pub method: &'a str,
    /// About what.
    pub target: &'a Target<'a>,
    /// The policy that refused it, by its name, and how; none if it passed.
    pub refused: Option<(&'a str, Refusal<'a>)>,
}

/// A record that is being written.
#[derive(Debug)]
pub struct Record {
    out: Vec<u8>,
    calls: usize,
    /// How many calls were left out.
    more: usize,
}

impl Record {
    /// Begins a record.
    pub fn begin(head: &Head<'_>) -> Self {
        let mut out = format!("{{\"v\":{VERSION},\"time\":\"{}\"", rfc3339(head.wall_ms)).into_bytes();
        out.extend_from_slice(format!(",\"clock_us\":{},\"policies\":[", head.clock_us).as_bytes());
        for (index, name) in head.policies.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            // INVARIANT: names of policies are plain and have at most 64 bytes. With a part of them nobody could tell
            // what the record is of.
            if out.len() > MAX_POLICIES {
                write_string(&mut out, "…");
                break;
            }
            write_string(&mut out, name);
        }
        out.push(b']');
        if head.observed {
            out.extend_from_slice(b",\"observed\":true");
        }
        member(&mut out, "grant", &head.who.grant);
        if let Some(session) = &head.who.session {
            member(&mut out, "session", session);
        }
        if let Some(address) = &head.who.client_ip {
            member(&mut out, "client_ip", address);
        }
        out.extend_from_slice(b",\"calls\":[");
        Self { out, calls: 0, more: 0 }
    }

    /// Adds a call with what its rules record.
    pub fn call(&mut self, call: &Call<'_>, values: &[(&Path, Found)]) {
        if self.more > 0 {
            self.more = self.more.saturating_add(1);
            return;
        }
        let mut bare = Vec::new();
        call.write(&mut bare);
        let mut whole = bare.clone();
        write_values(values, &mut whole);
        if self.has_room(&whole) {
            self.add(&whole);
            return;
        }
        bare.extend_from_slice(b",\"left_out\":true");
        if self.has_room(&bare) {
            self.add(&bare);
        } else {
            self.more = 1;
        }
    }

    fn has_room(&self, call: &[u8]) -> bool {
        self.out.len().saturating_add(call.len()).saturating_add(TAIL) <= MAX_RECORD
    }

    fn add(&mut self, call: &[u8]) {
        if self.calls > 0 {
            self.out.push(b',');
        }
        self.calls = self.calls.saturating_add(1);
        self.out.extend_from_slice(call);
        self.out.push(b'}');
    }

    /// Ends the record of a body that was judged.
    pub fn finish(mut self) -> Vec<u8> {
        self.out.push(b']');
        if self.more > 0 {
            self.out.extend_from_slice(format!(",\"more\":{}", self.more).as_bytes());
        }
        self.out.push(b'}');
        self.out
    }

    /// Ends the record of a body that could not be judged: it was answered with this status, for a reason that holds no
    /// word of the client's.
    pub fn refused(mut self, status: u32, why: &str) -> Vec<u8> {
        self.out.extend_from_slice(format!("],\"refused\":{{\"status\":{status}").as_bytes());
        if why.len() <= MAX_NAME {
            member(&mut self.out, "why", why);
        }
        self.out.extend_from_slice(b"}}");
        self.out
    }
}

impl Call<'_> {
    /// All of the call but its values and its closing brace.
    fn write(&self, out: &mut Vec<u8>) {
        let mut withheld = None;
        let mut word = |out: &mut Vec<u8>, key: &'static str, value: &str, fits: bool| {
            if fits {
                member(out, key, value);
            } else {
                withheld = Some(key);
            }
        };
        out.push(b'{');
        let known = self.method.len() <= MAX_NAME;
        out.extend_from_slice(b"\"method\":");
        write_string(out, if known { self.method } else { "" });
        match self.target {
            Target::Tool(name) => word(out, "name", name, name.len() <= MAX_NAME),
            Target::Prompt(name) => word(out, "name", name, name.len() <= MAX_NAME),
            Target::Resource(uri) => word(out, "uri", uri, is_plain_uri(uri)),
            Target::Template(uri) => word(out, "template", uri, is_plain_uri(uri)),
            Target::Resources(uris) => {
                let length = uris.iter().fold(0usize, |sum, uri| sum.saturating_add(uri.len()));
                if uris.len() <= MAX_URIS && length <= 4 * MAX_URI && uris.iter().all(|uri| is_plain_uri(uri)) {
                    out.extend_from_slice(b",\"uris\":[");
                    for (index, uri) in uris.iter().enumerate() {
                        if index > 0 {
                            out.push(b',');
                        }
                        write_string(out, uri);
                    }
                    out.push(b']');
                } else {
                    withheld = Some("uris");
                }
            }
            Target::Passes | Target::Method => {}
        }
        if !known {
            withheld = Some("method");
        }
        if let Some(what) = withheld {
            member(out, "withheld", what);
        }
        member(out, "outcome", outcome(self.refused.as_ref().map(|(_, refusal)| refusal.kind)));
        if let Some((policy, refusal)) = &self.refused {
            if !policy.is_empty() {
                member(out, "policy", policy);
            }
            member(out, "rule", refusal.rule);
        }
    }
}

fn write_values(values: &[(&Path, Found)], out: &mut Vec<u8>) {
    let mut separator = b",\"values\":{".as_slice();
    for (path, found) in values {
        if let Found::Value(json, _) = found {
            out.extend_from_slice(separator);
            write_string(out, &path.source);
            out.push(b':');
            out.extend_from_slice(json);
            separator = b",";
        }
    }
    let mut marks = b",\"marks\":{".as_slice();
    if separator == b"," {
        out.push(b'}');
    }
    for (path, found) in values {
        let inside = match found {
            Found::Value(_, marked) if marked.is_empty() => continue,
            Found::Value(_, marked) => {
                let each: Vec<String> =
                    marked.iter().map(|(index, mark)| format!("\"{index}\":\"{}\"", mark.word())).collect();
                format!("{{{}}}", each.join(","))
            }
            Found::None(mark) => format!("\"{}\"", mark.word()),
        };
        out.extend_from_slice(marks);
        write_string(out, &path.source);
        out.push(b':');
        out.extend_from_slice(inside.as_bytes());
        marks = b",";
    }
    if marks == b"," {
        out.push(b'}');
    }
}

/// The word for what became of a call.
pub(super) fn outcome(refused: Option<RefusalKind>) -> &'static str {
    match refused {
        None => "allowed",
        Some(RefusalKind::Denied) => "denied",
        Some(RefusalKind::Hidden) => "hidden",
        Some(RefusalKind::Limited) => "limited",
        Some(RefusalKind::ApprovalRequired) => "approval_required",
    }
}

/// Whether a URI has none of the parts that credentials travel in, and is of bounded length.
fn is_plain_uri(uri: &str) -> bool {
    uri.len() <= MAX_URI && !uri.contains(['?', '#', '@'])
}

fn member(out: &mut Vec<u8>, key: &str, value: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    write_string(out, value);
}
