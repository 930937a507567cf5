//! What the headers of a request say, read in one pass: looking each up by itself costs more than judging a small body.

use policy::config::Retries;

use crate::host::{self, HeaderMap, Headers};
use crate::runtime::Runtime;

/// The headers that decide how a request is taken.
#[derive(Debug, Default)]
pub(super) struct Head<'h> {
    pub(super) method: &'h [u8],
    /// In bytes, if it is announced and clear.
    pub(super) content_length: Option<u64>,
    content_type: Option<&'h [u8]>,
    /// `Content-Type` is there more than once.
    content_types: bool,
    /// `Content-Encoding` says something other than identity.
    encoded: bool,
    /// The answer could come encoded.
    encoded_answer: bool,
    accepts_events: bool,
    upgrade: bool,
    session: bool,
    /// `Mcp-Session-Id` is there more than once.
    sessions: bool,
    origin: bool,
    preflight: bool,
    range: bool,
    /// Some header asks Envoy to send the request more than once.
    retries: bool,
}

/// Headers by which a client, or Envoy in front, asks for one admitted call to be sent more than once
/// (Envoy: http_filters/router_filter, "HTTP headers (consumed)").
const RETRY_HEADERS: [&str; 5] = [
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-hedge-on-per-try-timeout",
];

impl<'h> Head<'h> {
    pub(super) fn of(headers: &'h Headers) -> Self {
        let mut head = Self::default();
        for (name, value) in headers.iter() {
            match name {
                b":method" => head.method = value,
                b"accept" => head.accepts_events |= contains_ignore_case(value, b"text/event-stream"),
                b"accept-encoding" => head.encoded_answer |= value != b"identity",
                b"content-encoding" => head.encoded |= !value.trim_ascii().eq_ignore_ascii_case(b"identity"),
                b"content-length" => {
                    head.content_length = core::str::from_utf8(value).ok().and_then(|n| n.parse().ok())
                }
                b"content-type" => head.content_types |= head.content_type.replace(value).is_some(),
                b"upgrade" => head.upgrade = true,
                b"mcp-session-id" => {
                    head.sessions = head.session;
                    head.session = true;
                }
                b"origin" => head.origin = true,
                b"access-control-request-method" => head.preflight = true,
                b"range" => head.range = true,
                [b'x', b'-', b'e', b'n', b'v', b'o', b'y', b'-', ..] => {
                    head.retries |= RETRY_HEADERS.iter().any(|retry| retry.as_bytes() == name);
                }
                _ => {}
            }
        }
        head
    }

    /// Why the method is not one that MCP uses so: GET opens an event stream, DELETE ends a session, and browsers
    /// ask with OPTIONS before a POST.
    pub(super) fn refuse_method(&self) -> Option<&'static str> {
        match self.method {
            _ if self.upgrade => Some("upgrades are not part of MCP"),
            b"POST" => None,
            b"GET" if !self.accepts_events => Some("GET must accept text/event-stream"),
            b"DELETE" if !self.session => Some("DELETE must name a session in Mcp-Session-Id"),
            b"OPTIONS" if !(self.origin && self.preflight) => Some("OPTIONS is answered only as a CORS preflight"),
            b"GET" | b"DELETE" | b"OPTIONS" => None,
            _ => Some("only POST, GET, DELETE and OPTIONS are used by MCP"),
        }
    }

    /// Why servers could take the request for one of another session.
    pub(super) fn refuse_session(&self) -> Option<&'static str> {
        self.sessions.then_some("Mcp-Session-Id must be given once")
    }

    /// Why the body could mean something else to the server than to us.
    pub(super) fn refuse_encoding(&self) -> Option<&'static str> {
        if self.encoded {
            return Some("the body must not be encoded: Content-Encoding must be identity or absent");
        }
        if self.content_types {
            return Some("Content-Type must be given once");
        }
        match self.content_type {
            // As every SDK sends it.
            None | Some(b"application/json") => None,
            Some(value) => match core::str::from_utf8(value) {
                Ok(value) if !declares_other_charset(value) => None,
                _ => Some("the body's charset must be UTF-8"),
            },
        }
    }

    /// Makes the request one whose answer can be read, and that is sent once.
    pub(super) fn prepare(&self, runtime: &Runtime) -> host::Result<()> {
        if self.encoded_answer {
            host::set_header(HeaderMap::Request, "accept-encoding", "identity")?;
        }
        if self.range {
            host::remove_header(HeaderMap::Request, "range")?;
        }
        if runtime.config.retries == Retries::Off {
            if self.retries {
                for name in RETRY_HEADERS {
                    host::remove_header(HeaderMap::Request, name)?;
                }
            }
            host::set_header(HeaderMap::Request, "x-envoy-max-retries", "0")?;
        }
        Ok(())
    }
}

/// Whether a media type names a charset other than UTF-8, in any spelling that some server understands.
pub(super) fn declares_other_charset(content_type: &str) -> bool {
    let mut parameters = content_type.split([';', ',']);
    parameters.any(|parameter| {
        let lower = parameter.to_ascii_lowercase();
        let value = lower.split_once('=').map(|(name, value)| (name.trim(), value.trim().trim_matches('"').trim()));
        lower.contains("charset") && !matches!(value, Some(("charset", "utf-8" | "utf8")))
    })
}

pub(super) fn contains_ignore_case(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}
