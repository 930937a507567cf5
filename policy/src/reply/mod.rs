//! What the client is sent when the filter answers instead of the server.
//!
//! Answers to requests are HTTP 200 with the request's own id, because a widely used client gives up its whole session
//! at any other status. A refused tool call is a result that the agent can read (`isError`), unless the configuration
//! prefers JSON-RPC errors; everything else is a JSON-RPC error.

use crate::config::{Config, Denial, Disclose};
use crate::decision::{Refusal, RefusalKind, Target};
use crate::json::{write_string, write_unescaped};
use crate::message::{HEADER_MISMATCH, HeaderMismatch, Id, ReadError};
use crate::quota::Unit;

/// JSON-RPC error code of a denial: an application code, outside the reserved -32768…-32000.
pub const DENIED: i32 = 403;
/// JSON-RPC error code of a limit that is used up.
pub const LIMITED: i32 = 429;
/// JSON-RPC error code of a call that needs approval.
pub const APPROVAL_REQUIRED: i32 = 428;

/// JSON-RPC 2.0 section 5.1: invalid params, which MCP servers answer for an unknown tool or prompt.
const INVALID_PARAMS: i32 = -32602;
/// JSON-RPC 2.0 section 5.1: the method does not exist.
const METHOD_NOT_FOUND: i32 = -32601;
/// MCP, server/resources: resource not found, up to 2025-11-25. Since 2026-07-28 that is invalid params.
const RESOURCE_NOT_FOUND: i32 = -32002;
/// JSON-RPC 2.0 section 5.1: internal error.
const INTERNAL_ERROR: i32 = -32603;

/// How denials are worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// A refused tool call is a JSON-RPC error instead of a tool result.
    pub jsonrpc_error: bool,
    /// The rule that decided is named in the reply.
    pub disclose_rule: bool,
    /// Results carry `resultType`, as revision 2026-07-28 wants.
    pub result_type: bool,
}

impl Style {
    /// As the configuration wants it; `result_type` is the request's to say.
    pub fn of(config: &Config) -> Self {
        Self {
            jsonrpc_error: config.denial == Denial::JsonRpcError,
            disclose_rule: config.disclose == Disclose::Rule,
            result_type: false,
        }
    }
}

/// When a call that a limit refuses would be admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After so many milliseconds.
    AfterMs(u64),
    /// Nobody knows: it waits for calls that run, or the service that counts does not tell.
    Unknown,
    /// Never: it adds more than the limit lets through at all.
    Never,
}

/// What a limit says to a call that it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// When the same call would be admitted.
    pub retry: Retry,
    /// What is left of the limit, in `unit`.
    pub remaining: u64,
    /// What the limit counts. Amounts are told as the policy writes them, not in millionths.
    pub unit: Unit,
}

/// The answer to a refused request: one JSON-RPC message.
pub fn refusal(
    id: &Id,
    target: &Target<'_>,
    refusal: &Refusal<'_>,
    exhausted: Option<Exhausted>,
    style: Style,
) -> Vec<u8> {
    if refusal.kind == RefusalKind::Hidden {
        return hidden(id, target, style);
    }
    let mut out = start(id);
    let tool_result = matches!(target, Target::Tool(_)) && !style.jsonrpc_error;
    if tool_result {
        out.extend_from_slice(br#""result":{"content":[{"type":"text","text":""#);
        write_text(&mut out, refusal, exhausted);
        out.extend_from_slice(br#""}],"isError":true"#);
        if style.result_type {
            out.extend_from_slice(br#","resultType":"complete""#);
        }
        out.extend_from_slice(br#","_meta":"#);
    } else {
        let code = match refusal.kind {
            RefusalKind::Limited => LIMITED,
            RefusalKind::ApprovalRequired => APPROVAL_REQUIRED,
            RefusalKind::Denied | RefusalKind::Hidden => DENIED,
        };
        out.extend_from_slice(format!(r#""error":{{"code":{code},"message":""#).as_bytes());
        write_text(&mut out, refusal, exhausted);
        out.extend_from_slice(br#"","data":"#);
    }
    write_data(&mut out, refusal, exhausted, style);
    out.extend_from_slice(b"}}");
    out
}

/// The answer to a body that is not one clear message. Its id is not known.
pub fn unreadable(error: &ReadError) -> Vec<u8> {
    invalid(error.problem.code(), &error.to_string())
}

/// The answer to a request whose headers say something else than its body.
pub fn mismatch(id: Option<&Id>, mismatch: HeaderMismatch) -> Vec<u8> {
    let Some(id) = id else { return invalid(HEADER_MISMATCH, &mismatch.to_string()) };
    let mut out = start(id);
    error(&mut out, HEADER_MISMATCH, &mismatch.to_string());
    out
}

/// A JSON-RPC error without the id of a request.
pub fn invalid(code: i32, message: &str) -> Vec<u8> {
    let mut out = format!(r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":{code},"message":"#).into_bytes();
    write_string(&mut out, message);
    out.extend_from_slice(b"}}");
    out
}

/// What takes the place of an answer, to a request or to a batch, that cannot be read.
pub fn withheld(ids: &[Id], why: &str) -> Vec<u8> {
    let why = format!("The answer was withheld by policy: {why}");
    let answer = |id: &Id| {
        let mut out = start(id);
        error(&mut out, INTERNAL_ERROR, &why);
        out
    };
    if ids.is_empty() { invalid(INTERNAL_ERROR, &why) } else { each(ids, answer) }
}

/// The answers to these requests: one as it is, more as a batch.
pub fn each(ids: &[Id], answer: impl Fn(&Id) -> Vec<u8>) -> Vec<u8> {
    match ids {
        [id] => answer(id),
        ids => batch(ids.iter().map(answer)),
    }
}

/// Several messages as one: the answer to a batch.
pub fn batch(messages: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut out = vec![b'['];
    for message in messages {
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(&message);
    }
    out.push(b']');
    out
}

/// What a refused request is forwarded as on a route whose answers come on another stream: a request that no server has
/// the method of, so that it is answered there. As long as the request was, padded with white space, so that no header
/// has to change. None if it does not fit.
pub fn unanswerable(id: &Id, length: usize) -> Option<Vec<u8>> {
    let mut out = start(id);
    out.extend_from_slice(br#""method":"policy/denied"}"#);
    (out.len() <= length).then(|| {
        out.resize(length, b' ');
        out
    })
}

/// As a server would say that never had the target.
fn hidden(id: &Id, target: &Target<'_>, style: Style) -> Vec<u8> {
    let mut out = start(id);
    match target {
        Target::Tool(name) => error(&mut out, INVALID_PARAMS, &named("Unknown tool", name)),
        Target::Prompt(name) => error(&mut out, INVALID_PARAMS, &named("Unknown prompt", name)),
        Target::Resource(_) | Target::Resources(_) | Target::Template(_) => {
            let code = if style.result_type { INVALID_PARAMS } else { RESOURCE_NOT_FOUND };
            error(&mut out, code, "Resource not found");
        }
        Target::Method | Target::Passes => error(&mut out, METHOD_NOT_FOUND, "Method not found"),
    }
    out
}

/// Echoes a name only if it is one that a server could have: 1 to 128 of `[A-Za-z0-9_.-]`.
fn named(message: &str, name: &str) -> String {
    let possible = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if (1..=128).contains(&name.len()) && name.bytes().all(possible) {
        format!("{message}: {name}")
    } else {
        message.to_owned()
    }
}

fn start(id: &Id) -> Vec<u8> {
    [br#"{"jsonrpc":"2.0","id":"#, id.as_json(), b","].concat()
}

fn error(out: &mut Vec<u8>, code: i32, message: &str) {
    out.extend_from_slice(format!(r#""error":{{"code":{code},"message":"#).as_bytes());
    write_string(out, message);
    out.extend_from_slice(b"}}");
}

fn write_text(out: &mut Vec<u8>, refusal: &Refusal<'_>, exhausted: Option<Exhausted>) {
    out.extend_from_slice(match refusal.kind {
        RefusalKind::ApprovalRequired => b"[POLICY DENIED] Approval required: ",
        _ => b"[POLICY DENIED] ",
    });
    write_unescaped(out, &refusal.reason);
    match exhausted.map(|exhausted| exhausted.retry) {
        // Rounded up: an agent that waits as told must not be early.
        Some(Retry::AfterMs(ms)) => out.extend_from_slice(format!(" Try again in {} s.", ms.div_ceil(1000)).as_bytes()),
        Some(Retry::Never) => out.extend_from_slice(b" Waiting will not help."),
        Some(Retry::Unknown) | None => {}
    }
}

fn write_data(out: &mut Vec<u8>, refusal: &Refusal<'_>, exhausted: Option<Exhausted>, style: Style) {
    let mut separator = b'{';
    let mut field = |out: &mut Vec<u8>, name: &str| {
        out.push(separator);
        write_string(out, name);
        out.push(b':');
        separator = b',';
    };
    if style.disclose_rule {
        field(out, "rule");
        write_string(out, refusal.rule);
    }
    if let Some(Exhausted { retry, remaining, unit }) = exhausted {
        if let Retry::AfterMs(ms) = retry {
            field(out, "retry_after_ms");
            out.extend_from_slice(ms.to_string().as_bytes());
        }
        field(out, "remaining");
        out.extend_from_slice(unit.display(remaining).as_bytes());
    }
    if separator == b'{' {
        out.push(b'{');
    }
    out.push(b'}');
}

/// A message as the one event of a `text/event-stream` body.
pub fn as_event(message: &[u8]) -> Vec<u8> {
    [b"event: message\ndata: ", message, b"\n\n"].concat()
}

#[cfg(test)]
mod tests;
