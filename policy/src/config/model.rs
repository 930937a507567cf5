//! A configuration as it is enforced: checked, with nothing left to look up or to fail.

use std::collections::BTreeSet;
use std::time::Duration;

use super::paths::PathGlob;
use crate::document::Policy;
use crate::global::DigestKey;
use crate::message::Batches;
use crate::pins::Lock;
use crate::quota::Settings;

/// What the plugin does.
#[derive(Debug)]
pub struct Config {
    /// The policies, by name. A bare policy has an empty name.
    pub policies: Vec<(Box<str>, Policy)>,
    /// The tools of servers as they were reviewed, by name.
    pub locks: Vec<(Box<str>, Lock)>,
    /// Which policies hold where. The first that matches decides. A bare policy is one route without conditions.
    pub routes: Vec<Route>,
    /// What becomes of requests whose host, path, route and cluster no route names.
    pub unmatched: Unmatched,
    /// Paths that pass unjudged, such as OAuth metadata.
    pub pass_paths: Vec<PathGlob>,
    /// Who calls.
    pub identity: Identity,
    /// Whether refusals are carried out.
    pub mode: Mode,
    /// How a refused tool call is answered.
    pub denial: Denial,
    /// Whether replies name the rule that decided.
    pub disclose: Disclose,
    /// Whether the request's headers may reach the server before the body is judged.
    pub request_headers: RequestHeaders,
    /// Whether Envoy may send an admitted call again.
    pub retries: Retries,
    /// What becomes of JSON-RPC batches, which only revision 2025-03-26 has.
    pub batches: Batches,
    /// The largest body that is judged, in bytes.
    pub max_body_bytes: usize,
    /// How deep a body may be nested.
    pub max_depth: usize,
    /// The largest event of an event stream that is filtered, in bytes.
    pub max_event_bytes: usize,
    /// The counters in Envoy's shared data.
    pub counters: Settings,
    /// The rate-limit service, if a fleet shares counters.
    pub global_counters: Option<GlobalCounters>,
    /// The approval service.
    pub approvals: Option<Approvals>,
    /// The audit record, if there is one.
    pub audit: Option<Audit>,
    /// What the rules and sources look at, so that only that is read per request.
    pub needs: Needs,
}

/// Where and for whom policies hold. All conditions that are given must hold.
#[derive(Debug)]
pub struct Route {
    /// The request's host, in lower case, without port or trailing dot.
    pub host: Option<Box<str>>,
    /// The request's path, without query.
    pub path: Option<PathGlob>,
    /// Envoy's own name of the route it chose.
    pub route: Option<Box<str>>,
    /// Envoy's own name of the cluster it chose.
    pub cluster: Option<Box<str>>,
    /// Claims that must hold a value. Where all else holds and these do not, the call is denied.
    pub when: Vec<Claim>,
    /// Indices into [`Config::policies`]. All of them must allow.
    pub policies: Vec<usize>,
    /// Index into [`Config::locks`]: which tools the server behind has, if that is pinned.
    pub lock: Option<usize>,
    /// How messages travel.
    pub transport: Transport,
}

/// A claim that must equal a value, or be an array that holds it.
#[derive(Debug)]
pub struct Claim {
    /// The claim, and the way into it: `["realm_access", "roles"]`.
    pub path: Vec<Box<str>>,
    /// The value.
    pub value: Box<str>,
}

/// How messages travel on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Streamable HTTP: 2025-03-26 and later.
    Streamable,
    /// HTTP with SSE: 2024-11-05. Answers to POSTs come on an event stream of their own.
    Sse(SseDenial),
}

/// What becomes of a refused request where the filter cannot write to the stream that the client waits on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SseDenial {
    /// It is forwarded as a method that no server has, so that the server answers on that stream.
    Forward,
    /// The POST is answered with HTTP 403.
    Status,
}

/// What becomes of requests that no route names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmatched {
    /// They are refused.
    Deny,
    /// They are not looked at.
    Pass,
}

/// Who calls.
#[derive(Debug)]
pub struct Identity {
    /// Where the grant is looked for. The first source that is present decides.
    pub grant: Vec<GrantSource>,
    /// Whether a call without a grant is refused with 401.
    pub required: bool,
    /// The URL of the protected resource metadata (RFC 9728), told with that 401.
    pub resource_metadata: Option<Box<str>>,
    /// Under which key of jwt_authn's dynamic metadata the token's claims are: that of the first jwt_claim source.
    pub payload_in_metadata: Box<str>,
}

/// One place to look for a grant.
#[derive(Debug, PartialEq, Eq)]
pub enum GrantSource {
    /// A claim that Envoy's jwt_authn filter has verified.
    JwtClaim {
        /// The claim.
        claim: Box<str>,
        /// The provider's `payload_in_metadata`.
        payload_in_metadata: Box<str>,
    },
    /// A string in filter state.
    FilterState(Box<str>),
    /// A part of the client's certificate.
    PeerCertificate(Certificate),
    /// A request header, its name in lower case.
    Header(Box<str>),
    /// A string in dynamic metadata: the filter that wrote it, and the keys.
    Metadata {
        /// At least two parts.
        path: Vec<Box<str>>,
    },
}

/// A part of a client's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// The first URI of the subject alternative names, such as a SPIFFE id.
    UriSan,
    /// The first DNS name of the subject alternative names.
    DnsSan,
    /// The subject.
    Subject,
}

impl Certificate {
    /// The attribute of Envoy's `connection` that holds it.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::UriSan => "uri_san_peer_certificate",
            Self::DnsSan => "dns_san_peer_certificate",
            Self::Subject => "subject_peer_certificate",
        }
    }
}

/// Whether refusals are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Enforce,
    /// They are only recorded.
    Observe,
}

/// How a refused tool call is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// As a result with `isError`, which the agent reads.
    ToolResult,
    /// As a JSON-RPC error.
    JsonRpcError,
}

/// What replies say of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disclose {
    /// The rule that decided, and its reason.
    Rule,
    /// Only the reason.
    Reason,
}

/// What happens to the request's headers until the body is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestHeaders {
    /// They go on.
    Stream,
    /// They wait. Needs Envoy's `allow_on_headers_stop_iteration`.
    Hold,
}

/// Whether Envoy may send an admitted call again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retries {
    /// It may not.
    Off,
    /// As the route says.
    Route,
}

/// The rate-limit service.
#[derive(Debug)]
pub struct GlobalCounters {
    /// Its cluster.
    pub cluster: Box<str>,
    /// The domain of its descriptors.
    pub domain: Box<str>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Whether a call passes (true) or is refused when the service does not answer.
    pub allow_on_error: bool,
    /// What the values of scopes are digested with before they leave the filter.
    pub digest_key: DigestKey,
}

/// The approval service.
#[derive(Debug)]
pub struct Approvals {
    /// Its cluster.
    pub cluster: Box<str>,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// The audit record of every judged body.
#[derive(Debug)]
pub struct Audit {
    /// What grants, sessions and addresses are digested with before they are recorded.
    pub digest_key: DigestKey,
}

/// What the rules and sources of a configuration look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The first names of the claims that conditions look at, or that are recorded.
    pub claims: BTreeSet<String>,
    /// Some source, condition, scope or `when` reads dynamic metadata.
    pub metadata: bool,
    /// Some limit counts by client address, or it is recorded.
    pub client_ip: bool,
    /// Some condition looks at the time of day, or it is recorded.
    pub wall_time: bool,
    /// Some limit that is counted here goes by the calendar.
    pub calendar: bool,
    /// Some route goes by Envoy's route name.
    pub route: bool,
    /// Some route goes by Envoy's cluster name.
    pub cluster: bool,
}
