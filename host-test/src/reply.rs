//! Local replies: responses that Envoy makes itself, for the filter or on its own account.

use crate::headers::{HeaderMap, MapKind};

/// A response that did not come from upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status that was asked for. A gRPC request gets 200 all the same: see `headers`.
    pub status: u16,
    /// The headers as Envoy completes them, before the filter's own response callbacks see them.
    pub headers: HeaderMap,
    /// The body; empty for HEAD and gRPC requests.
    pub body: Vec<u8>,
    /// The gRPC status that was asked for, unless -1.
    pub grpc_status: Option<u32>,
    /// The response code details in the access log.
    pub details: String,
    /// Whether the filter asked for it, or Envoy answered by itself (413, 500, 503).
    pub by_filter: bool,
}

/// What a local reply is made from.
#[derive(Debug, Clone)]
pub(crate) struct ReplyRequest {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) grpc_status: Option<u32>,
    pub(crate) details: String,
    pub(crate) by_filter: bool,
}

impl ReplyRequest {
    /// A reply of Envoy's own, with its standard text as the body.
    pub(crate) fn by_host(status: u16, text: &str, details: &str) -> Self {
        let (body, details) = (text.as_bytes().to_vec(), details.to_owned());
        ReplyRequest { status, headers: Vec::new(), body, grpc_status: None, details, by_filter: false }
    }

    /// Completes the headers as Envoy does: the length and type of a body, gRPC's form for gRPC requests.
    pub(crate) fn complete(self, head: bool, grpc: bool) -> Reply {
        let ReplyRequest { status, headers: extra, mut body, grpc_status, details, by_filter } = self;
        let mut headers = HeaderMap::of_kind(MapKind::Response, &[(":status", status.to_string())]);
        for (name, value) in &extra {
            headers.add(name, value);
        }
        if grpc {
            headers.replace(b":status", b"200");
            headers.replace(b"content-type", b"application/grpc");
            if headers.get("grpc-status").is_none() {
                let code = grpc_status.unwrap_or_else(|| grpc_status_of(status));
                headers.add(b"grpc-status", code.to_string().as_bytes());
            }
            if !body.is_empty() && headers.get("grpc-message").is_none() {
                headers.add(b"grpc-message", &body);
            }
            body.clear();
        } else if body.is_empty() {
            headers.remove(b"content-length");
            headers.remove(b"content-type");
        } else {
            headers.replace(b"content-length", body.len().to_string().as_bytes());
            if headers.get_bytes(b"content-type").is_none() {
                headers.add(b"content-type", b"text/plain");
            }
            if head {
                body.clear();
            }
        }
        Reply { status, headers, body, grpc_status, details, by_filter }
    }
}

/// Envoy's mapping of HTTP to gRPC status codes.
fn grpc_status_of(status: u16) -> u32 {
    match status {
        200 => 0,
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}
