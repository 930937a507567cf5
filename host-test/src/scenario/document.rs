//! A scenario file as it is written.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::expectation::Expectation;

/// A part of a file, with its place there.
pub type Placed<T> = serde_saphyr::Spanned<T>;

/// One file: scenarios about one topic.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The topic, in words.
    pub about: String,
    /// The policy of scenarios that have none of their own. A string names the file that holds it, as seen from this one.
    #[serde(default)]
    pub policy: Option<Value>,
    /// The plugin's whole configuration for all scenarios, in place of `policy` and `settings`. A string names its file.
    #[serde(default)]
    pub configuration: Option<Value>,
    /// Members of the plugin's configuration besides the policy, for all scenarios.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// The scenarios, which have nothing to do with each other.
    pub scenarios: Vec<Placed<Scenario>>,
    /// Where it was read from.
    #[serde(skip)]
    pub path: PathBuf,
    /// The file that its policy or configuration was read from, if it names one.
    #[serde(skip)]
    pub document: Option<PathBuf>,
}

/// One filter and the requests that it gets, in order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What is shown, in words.
    pub name: String,
    /// The policy that holds everywhere, or the name of its file; the scenario file's if absent.
    #[serde(default)]
    pub policy: Option<Value>,
    /// Members of the plugin's configuration besides the policy; these come before the file's.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// The plugin's whole configuration as it is, or the name of its file, in place of `policy` and `settings`.
    #[serde(default)]
    pub configuration: Option<Value>,
    /// Envoy's routes before the one that takes everything, which is called `everything` and leads to `upstream`.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// What is sent.
    pub steps: Vec<Placed<Step>>,
    /// The file that its own policy or configuration was read from, if it names one.
    #[serde(skip)]
    pub document: Option<PathBuf>,
}

/// One of Envoy's routes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its name, `xds.route_name`.
    pub name: String,
    /// Paths that begin so.
    pub prefix: String,
    /// The name of the cluster that it leads to, `xds.cluster_name`.
    #[serde(default = "upstream")]
    pub cluster: String,
}

fn upstream() -> String {
    "upstream".to_owned()
}

/// One request, what the server would answer, and what must come of it. A body is given in at most one of the forms
/// `call`, `request`, `message`, `text`, `base64` and `repeat`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is special about it, in words.
    #[serde(default)]
    pub about: Option<String>,
    /// How often it is done, one time after the other, once if absent: each time must come out as it says.
    #[serde(default)]
    pub times: Option<usize>,
    /// Seconds that pass before it. Real time cannot be moved: a scenario that waits runs in the wasmtime host only.
    #[serde(default)]
    pub wait: Option<u64>,
    /// The time of day that it happens at (RFC 3339), for `time.hour`, `time.weekday` and calendar windows. A scenario
    /// starts at 2026-01-01T00:00:00Z, a Thursday. In the wasmtime host only.
    #[serde(default)]
    pub at: Option<String>,
    /// `POST` if absent.
    #[serde(default)]
    pub method: Option<String>,
    /// `/mcp` if absent.
    #[serde(default)]
    pub path: Option<String>,
    /// `mcp.example.com` if absent.
    #[serde(default)]
    pub host: Option<String>,
    /// Further headers. A POST has the `content-type` and `accept` of an MCP client unless they are given here.
    #[serde(default)]
    pub headers: BTreeMap<String, Header>,
    /// Claims of a token that Envoy has verified, as `jwt_authn` leaves them with `payload_in_metadata: jwt`. `iss` is
    /// `https://tests.example` unless it is given, and no other issuer is known to Envoy's tests.
    #[serde(default)]
    pub claims: Option<Map<String, Value>>,
    /// The session's id: short for the header `mcp-session-id`.
    #[serde(default)]
    pub session: Option<String>,
    /// The client's address, `127.0.0.1` if absent. In the wasmtime host only.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// What the client's certificate says. In the wasmtime host only.
    #[serde(default)]
    pub certificate: Option<Certificate>,
    /// Filter state that other filters have left, such as `io.istio.peer_principal`. In the wasmtime host only.
    #[serde(default)]
    pub filter_state: BTreeMap<String, String>,
    /// Dynamic metadata that other filters have left, by the name of the filter. In the wasmtime host only.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// A `tools/call`.
    #[serde(default)]
    pub call: Option<Call>,
    /// Any JSON-RPC request or notification.
    #[serde(default)]
    pub request: Option<Request>,
    /// A message as it is.
    #[serde(default)]
    pub message: Option<Value>,
    /// The bytes as they are.
    #[serde(default)]
    pub text: Option<String>,
    /// Bytes that are not text.
    #[serde(default)]
    pub base64: Option<String>,
    /// Much text from little.
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// Where the body is cut into pieces, in bytes from its start; it is then sent without a length.
    #[serde(default)]
    pub cut: Vec<usize>,
    /// The body is sent in pieces of so many bytes.
    #[serde(default)]
    pub cut_every: Option<usize>,
    /// Trailers after the body.
    #[serde(default)]
    pub trailers: BTreeMap<String, String>,
    /// What the server answers, if it is asked. By default to a request a result that says what it was asked, to
    /// anything else 202.
    #[serde(default)]
    pub answer: Option<Answer>,
    /// What must come of it.
    pub expect: Expectation,
    /// Which step it is as written, counted from 1, and the how manieth time of it.
    #[serde(skip)]
    pub number: (usize, usize),
}

/// The parts of a client's certificate that can be a grant.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The first URI of its alternative names, such as a SPIFFE id.
    #[serde(default)]
    pub uri_san: Option<String>,
    /// The first DNS name of its alternative names.
    #[serde(default)]
    pub dns_san: Option<String>,
    /// Its subject.
    #[serde(default)]
    pub subject: Option<String>,
}

/// A header's values.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Header {
    /// There is no such header, even where there is one by default.
    Absent(()),
    /// It is there once.
    Once(String),
    /// It is there so often.
    Several(Vec<String>),
}

/// The parameters of a `tools/call`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Option<Value>,
    /// The request's id, 1 if absent.
    #[serde(default = "one")]
    pub id: Value,
}

/// A request, or with `id: null` a notification.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its parameters.
    #[serde(default)]
    pub params: Option<Value>,
    /// Its id, 1 if absent, none if null.
    #[serde(default = "one")]
    pub id: Value,
}

fn one() -> Value {
    json!(1)
}

/// Text that is there many times between two others.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// What comes first.
    #[serde(default)]
    pub before: String,
    /// What is repeated.
    pub text: String,
    /// How often.
    pub times: usize,
    /// What comes last.
    #[serde(default)]
    pub after: String,
}

/// What the server answers. A body is given in at most one of the forms `result`, `message`, `events`, `stream`,
/// `text`, `base64` and `repeat`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// 200 if absent.
    #[serde(default)]
    pub status: Option<u16>,
    /// Further headers. `content-type` is that of the body's form unless it is given here.
    #[serde(default)]
    pub headers: BTreeMap<String, Header>,
    /// A JSON-RPC result, under the request's id.
    #[serde(default)]
    pub result: Option<Value>,
    /// JSON as it is.
    #[serde(default)]
    pub message: Option<Value>,
    /// Messages, each as an event of a stream.
    #[serde(default)]
    pub events: Option<Vec<Value>>,
    /// An event stream as it is.
    #[serde(default)]
    pub stream: Option<String>,
    /// The bytes as they are, by default as `application/json`.
    #[serde(default)]
    pub text: Option<String>,
    /// Bytes that are not text.
    #[serde(default)]
    pub base64: Option<String>,
    /// Much text from little.
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// Where the body is cut into pieces, in bytes from its start; it is then sent without a length.
    #[serde(default)]
    pub cut: Vec<usize>,
    /// The body is sent in pieces of so many bytes.
    #[serde(default)]
    pub cut_every: Option<usize>,
    /// Trailers after the body.
    #[serde(default)]
    pub trailers: BTreeMap<String, String>,
}

impl Scenario {
    /// Whether it needs what only the wasmtime host can bring about: a time, or a caller that is not the test's own process.
    #[must_use]
    pub fn is_for_wasmtime(&self) -> bool {
        self.steps.iter().any(|step| {
            let Step { wait, at, address, certificate, filter_state, metadata, .. } = &step.value;
            let is_elsewhere = address.is_some() || certificate.is_some();
            wait.is_some() || at.is_some() || is_elsewhere || !filter_state.is_empty() || !metadata.is_empty()
        })
    }

    /// The name of the route, and of the cluster, that Envoy chooses for a path.
    #[must_use]
    pub fn route_of(&self, path: &str) -> (&str, &str) {
        let chosen = self.routes.iter().find(|route| path.starts_with(&route.prefix));
        chosen.map_or(("everything", "upstream"), |route| (&route.name, &route.cluster))
    }
}

impl Step {
    /// The time of day that it happens at, in nanoseconds since 1970.
    ///
    /// # Errors
    /// If it is not one (RFC 3339), or before 1970.
    pub fn wall_clock(&self) -> Result<Option<u64>, &'static str> {
        let Some(at) = &self.at else { return Ok(None) };
        let time = OffsetDateTime::parse(at, &Rfc3339).ok();
        let nanoseconds = time.and_then(|time| u64::try_from(time.unix_timestamp_nanos()).ok());
        nanoseconds.map(Some).ok_or("`at` is not a time such as `2026-01-01T12:00:00Z`")
    }

    /// How long to wait before it.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        self.wait.map(Duration::from_secs)
    }
}
