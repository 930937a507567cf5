//! HTTP and gRPC calls that the guest makes, and the answers that a test gives them.

use std::sync::{Mutex, Weak};
use std::time::Duration;

use crate::headers::HeaderMap;
use crate::vm::Vm;

/// What the host knows of a cluster that a guest may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cluster {
    /// Calls are sent, and wait for [`crate::Host::answer`].
    Up,
    /// Calls cannot be sent: the host function answers `InternalFailure` at once.
    Down,
}

/// The protocol of a callout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalloutKind {
    /// `proxy_http_call`
    Http,
    /// `proxy_grpc_call`
    GrpcCall,
    /// `proxy_grpc_stream`
    GrpcStream,
}

/// Names one callout to [`crate::Host::answer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalloutId(pub(crate) u64);

/// A callout that waits for its answer.
#[derive(Debug, Clone)]
pub struct Callout {
    /// Its name.
    pub id: CalloutId,
    /// Its protocol.
    pub kind: CalloutKind,
    /// The number that the guest knows it by.
    pub token: u32,
    /// The cluster that it goes to.
    pub cluster: String,
    /// The request headers, or the initial metadata.
    pub headers: HeaderMap,
    /// The body; for gRPC the message (all messages of a stream, one after the other).
    pub body: Vec<u8>,
    /// The request trailers of an HTTP call.
    pub trailers: HeaderMap,
    /// The service and the method of a gRPC call.
    pub method: Option<(String, String)>,
    /// How long Envoy would wait; none for ever. The host lets no callout time out by itself.
    pub timeout: Option<Duration>,
}

/// What becomes of a callout.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Answer {
    /// An HTTP response.
    Http {
        /// Its headers, `:status` among them.
        headers: HeaderMap,
        /// Its body.
        body: Vec<u8>,
        /// Its trailers, if any.
        trailers: Option<HeaderMap>,
    },
    /// The message that answers a gRPC call, or one of the messages on a gRPC stream.
    GrpcMessage(Vec<u8>),
    /// Initial metadata on a gRPC stream.
    GrpcInitialMetadata(HeaderMap),
    /// Trailing metadata on a gRPC stream.
    GrpcTrailingMetadata(HeaderMap),
    /// A gRPC call or stream ends with this status, which is not 0 for a call: one that succeeds ends with its
    /// message.
    GrpcClose {
        /// The gRPC status.
        status: u32,
        /// Its message.
        message: String,
    },
    /// No connection could be made. Envoy answers an HTTP call with a 503 of its own, a gRPC call with status 14.
    Unreachable,
    /// Time was up before the response began. Envoy answers an HTTP call with a 504 of its own, a gRPC call with
    /// status 14.
    Timeout,
    /// The response broke off, or time was up in the midst of it: an HTTP callback without headers, or gRPC
    /// status 14.
    Reset,
}

impl Answer {
    /// An HTTP response with this status and body.
    pub fn http(status: u16, body: &[u8]) -> Answer {
        let headers = HeaderMap::new(&[(":status", status.to_string())]);
        Answer::Http { headers, body: body.to_vec(), trailers: None }
    }
}

/// A callout under way, and the virtual machine that waits for it.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) callout: Callout,
    pub(crate) root: u32,
    pub(crate) vm_serial: u64,
    pub(crate) vm: Weak<Mutex<Vm>>,
}

/// What an HTTP answer looks like to the guest while its callback runs.
#[derive(Debug, Default)]
pub(crate) struct CallResponse {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

/// Hands out callout tokens: a counter above two bits of kind.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    last: [u32; 3],
}

impl Tokens {
    pub(crate) fn next(&mut self, kind: CalloutKind) -> u32 {
        let bits = kind_bits(kind);
        let counter = &mut self.last[bits as usize];
        *counter += 1;
        (*counter << 2) | bits
    }
}

fn kind_bits(kind: CalloutKind) -> u32 {
    match kind {
        CalloutKind::Http => 0,
        CalloutKind::GrpcCall => 1,
        CalloutKind::GrpcStream => 2,
    }
}

/// The kind that a token's bits say.
pub(crate) fn token_kind(token: u32) -> Option<CalloutKind> {
    [CalloutKind::Http, CalloutKind::GrpcCall, CalloutKind::GrpcStream]
        .into_iter()
        .find(|kind| kind_bits(*kind) == token & 3)
}

/// The cluster that the `service` argument of a gRPC callout means: a `GrpcService` message with
/// `envoy_grpc { cluster_name }`, else the argument is the name itself.
pub(crate) fn grpc_cluster(service: &[u8]) -> (String, bool) {
    fn field(bytes: &[u8]) -> Option<&[u8]> {
        let (tag, rest) = bytes.split_first()?;
        let (length, rest) = rest.split_first()?;
        // Lengths of 128 and more take another form, which no cluster name in a test needs.
        (*tag == 0x0a && *length < 128).then(|| rest.get(..usize::from(*length)))?
    }
    match field(service).and_then(field) {
        Some(name) => (String::from_utf8_lossy(name).into_owned(), true),
        None => (String::from_utf8_lossy(service).into_owned(), false),
    }
}
