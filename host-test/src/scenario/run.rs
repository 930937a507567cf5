//! Scenarios in this crate's host.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::document::{Certificate, File, Placed, Scenario, Step};
use super::error::ScenarioError;
use super::exchange::{Exchange, Headers};
use super::outcome::{Outcome, Received, Response, essential};
use super::ratelimit::RateLimits;
use crate::filter::filter_wasm;
use crate::half::Delivered;
use crate::headers::HeaderMap;
use crate::host::Host;
use crate::metadata;
use crate::shared::HeaderStop;
use crate::stream::{Stream, StreamBuilder};

/// Runs scenarios in this crate's host, each in one of its own, with one worker.
#[derive(Debug, Clone)]
pub struct InWasmtime {
    module: PathBuf,
}

impl InWasmtime {
    /// With the project's own filter, built if it must be.
    ///
    /// # Errors
    /// As [`filter_wasm`].
    pub fn new() -> Result<Self, ScenarioError> {
        Ok(Self::with(filter_wasm().map_err(ScenarioError::Module)?))
    }

    /// With the module in this file.
    #[must_use]
    pub fn with(module: PathBuf) -> Self {
        Self { module }
    }

    /// The outcome of each step.
    ///
    /// # Errors
    /// If there is no module, or it does not take the configuration.
    pub fn run(&self, file: &File, scenario: &Placed<Scenario>) -> Result<Vec<Outcome>, ScenarioError> {
        // Only where heads are held does a deployment set `allow_on_headers_stop_iteration`.
        let stop = if file.holds_heads(&scenario.value) { HeaderStop::AllowOnHeaders } else { HeaderStop::StopAll };
        let host = Host::builder(&self.module)
            .map_err(ScenarioError::Module)?
            .root_id("mcp_policy")
            .plugin_name("mcp_policy")
            .stop_iteration(stop)
            .configuration(file.configuration(&scenario.value).to_string())
            .start()
            .map_err(|source| ScenarioError::Start { place: file.place(scenario), source: Box::new(source) })?;
        let cluster = file.configuration(&scenario.value);
        let cluster = cluster.pointer("/global_counters/cluster").and_then(Value::as_str);
        let mut limits = cluster.map(|cluster| RateLimits::at(&host, cluster));
        let step = |step: &Placed<Step>| {
            if let Some(pause) = step.value.pause() {
                host.advance(pause);
            }
            // A file with another time is not read.
            if let Ok(Some(nanoseconds)) = step.value.wall_clock() {
                host.set_wall_clock(nanoseconds);
            }
            run_step(&host, &scenario.value, &step.value, limits.as_mut())
        };
        Ok(scenario.value.steps.iter().map(step).collect())
    }
}

fn run_step(host: &Host, scenario: &Scenario, step: &Step, limits: Option<&mut RateLimits>) -> Outcome {
    let (before, lines) = (host.metrics(), host.logs().len());
    let exchange = &Exchange::of(step);
    let mut stream = send(caller(host.worker(0).stream(), step, exchange), scenario, exchange);
    if let Some(limits) = limits {
        limits.answer(host);
    }
    let meanwhile = answer(&mut stream, exchange);
    let response = Response { meanwhile, ..response(&stream.received()) };
    let outcome = Outcome { received: received(&stream.forwarded()), response, ..Outcome::default() };
    drop(stream);
    let counted = rises(&before, &host.metrics());
    let faults = host.take_faults().iter().map(|fault| format!("{fault:?}")).collect();
    let logged = host.logs().into_iter().skip(lines).map(|(_, line)| line).collect();
    Outcome { counted, faults, logged, ..outcome }
}

/// Who calls, as Envoy tells it.
fn caller(stream: StreamBuilder, step: &Step, exchange: &Exchange) -> StreamBuilder {
    let address = step.address.unwrap_or(Ipv4Addr::LOCALHOST.into());
    let mut stream = stream.property(&["source", "address"], SocketAddr::new(address, 40000).to_string().as_str());
    let mut metadata = step.metadata.clone();
    if let Some(claims) = &exchange.claims {
        metadata.insert(metadata::JWT_AUTHN.into(), json!({ "jwt": claims }));
    }
    if !metadata.is_empty() {
        stream = stream.property(&["metadata"], metadata::metadata(&metadata.into()).as_slice());
    }
    for (key, value) in &step.filter_state {
        stream = stream.property(&["filter_state", key], value.as_str());
    }
    let Certificate { uri_san, dns_san, subject } = step.certificate.clone().unwrap_or_default();
    for (part, value) in [("uri_san", uri_san), ("dns_san", dns_san), ("subject", subject)] {
        if let Some(value) = value {
            stream = stream.property(&["connection", &format!("{part}_peer_certificate")], value.as_str());
        }
    }
    stream
}

fn send(builder: StreamBuilder, scenario: &Scenario, exchange: &Exchange) -> Stream {
    let Exchange { method, path, host, request, .. } = exchange;
    let mut headers: Headers = [(":authority", host), (":path", path), (":method", method)]
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .into();
    headers.push((":scheme".into(), "http".into()));
    headers.extend(as_parsed(&request.headers));
    headers.extend(framing(request.is_chunked(), request.pieces.first()));
    // As Envoy adds them to every request.
    headers.push(("x-forwarded-proto".into(), "http".into()));
    headers.push(("x-request-id".into(), "00000000-0000-4000-8000-000000000000".into()));

    let (route, cluster) = scenario.route_of(path);
    let builder = builder.property(&["xds", "route_name"], route).property(&["xds", "cluster_name"], cluster);
    if request.ends_with_headers() {
        return builder.request_without_body(&headers);
    }
    let mut stream = builder.request_headers(&headers);
    let last = request.pieces.len().saturating_sub(1);
    for (index, piece) in request.pieces.iter().enumerate() {
        stream.request_body(piece, index == last && request.trailers.is_empty());
    }
    if !request.trailers.is_empty() {
        stream.request_trailers(&request.trailers);
    }
    stream
}

/// The server answers, if it was asked. Gives what the client has before the last piece.
fn answer(stream: &mut Stream, exchange: &Exchange) -> Vec<u8> {
    if !stream.forwarded().ended || stream.reply().is_some() {
        return vec![];
    }
    let answer = &exchange.answer;
    let mut headers: Headers = vec![(":status".into(), exchange.status.to_string())];
    headers.extend(as_parsed(&answer.headers));
    headers.extend(framing(answer.is_chunked(), answer.pieces.first()));
    let bodiless = exchange.method == "HEAD" || answer.ends_with_headers();
    if bodiless {
        stream.response_without_body(&headers);
        return vec![];
    }
    stream.response_headers(&headers);
    // A body without a length ends after its last piece.
    let ends_with_it = !answer.is_chunked();
    let mut meanwhile = vec![];
    for piece in &answer.pieces {
        meanwhile = stream.received().body;
        stream.response_body(piece, ends_with_it);
    }
    if !answer.trailers.is_empty() {
        stream.response_trailers(&answer.trailers);
    } else if !ends_with_it {
        stream.response_body("", true);
    }
    meanwhile
}

/// White space around a value is not part of it (RFC 9110 section 5.5).
fn as_parsed(headers: &Headers) -> impl Iterator<Item = (String, String)> {
    headers.iter().map(|(name, value)| (name.clone(), value.trim_matches([' ', '\t']).to_owned()))
}

/// The header that says where the body ends.
fn framing(chunked: bool, body: Option<&Vec<u8>>) -> Option<(String, String)> {
    if chunked {
        return Some(("transfer-encoding".into(), "chunked".into()));
    }
    body.map(|body| ("content-length".into(), body.len().to_string()))
}

fn received(forwarded: &Delivered) -> Vec<Received> {
    let Some(headers) = &forwarded.headers else { return vec![] };
    let pseudo = |name| headers.get(name).unwrap_or_default().to_owned();
    vec![Received {
        method: pseudo(":method"),
        path: pseudo(":path"),
        host: pseudo(":authority"),
        headers: essential(texts(headers)),
        body: forwarded.body.clone(),
        trailers: forwarded.trailers.as_ref().map(|map| essential(texts(map))).unwrap_or_default(),
        whole: forwarded.ended,
    }]
}

fn response(received: &Delivered) -> Response {
    Response {
        status: received.status(),
        headers: received.headers.as_ref().map(|map| essential(texts(map))).unwrap_or_default(),
        body: received.body.clone(),
        meanwhile: vec![],
        trailers: received.trailers.as_ref().map(|map| essential(texts(map))).unwrap_or_default(),
        whole: received.ended && !received.reset,
    }
}

fn texts(map: &HeaderMap) -> Headers {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    map.iter().map(|(name, value)| (text(name), text(value))).collect()
}

/// By how much the filter's counters are higher than before.
fn rises(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let rise = |(name, value): (&String, &u64)| {
        let name = name.strip_prefix("mcp_policy.")?;
        let before = before.get(&format!("mcp_policy.{name}")).copied().unwrap_or_default();
        Some((name.to_owned(), value.saturating_sub(before))).filter(|(_, rise)| *rise > 0)
    };
    after.iter().filter_map(rise).collect()
}
