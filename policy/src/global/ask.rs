//! What a service is asked.

use prost::Message;

use super::answer::{self, Answer, Misanswer};
use super::digest::scope;
use super::hits::Hits;
use super::period::Period;
use super::wire;
use crate::config::GlobalCounters;
use crate::quota::{Charge, Principal};

/// What is to be done about a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// It adds nothing, so it is admitted, and nobody is asked.
    Nothing,
    /// It adds more than its `max`, so it is refused, and nobody is asked.
    Refuse,
    /// The service decides.
    Service(Question),
}

/// What a service is asked about one charge. Nothing in it is a secret.
///
/// Equal questions are about one counter and add the same to it. As a call adds to a counter once, the second of two
/// equal questions of one call is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    request: Vec<u8>,
    limit: Asked,
}

/// The limit that is to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) max: u32,
    pub(super) period: Period,
}

impl Question {
    /// A `RateLimitRequest` for [`METHOD`](super::METHOD) of [`SERVICE`](super::SERVICE).
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Reads the `RateLimitResponse` that came back.
    ///
    /// # Errors
    /// If it is none, or admits the call without saying that the limit was applied.
    pub fn read(&self, response: &[u8]) -> Result<Answer, Misanswer> {
        answer::read(response, self.limit)
    }
}

/// The service, as Envoy is told where to find it: an encoded `envoy.config.core.v3.GrpcService`. A bare name would do
/// too, unless it happens to be such a message.
pub fn grpc_service(settings: &GlobalCounters) -> Vec<u8> {
    let envoy_grpc = Some(wire::EnvoyGrpc { cluster_name: settings.cluster.to_string() });
    wire::GrpcService { envoy_grpc }.encode_to_vec()
}

/// What is to be done about a charge of a limit with `"store": "global"`.
pub fn ask(settings: &GlobalCounters, principal: Principal<'_>, charge: &Charge<'_>) -> Ask {
    if charge.amount == 0 {
        return Ask::Nothing;
    }
    // INVARIANT: a configuration in which one of the two is none does not load. Should it, nothing is admitted.
    let (Some(period), Some(hits)) = (Period::of(charge.window), Hits::of(charge.unit, charge.max)) else {
        return Ask::Refuse;
    };
    let Some(hits_addend) = hits.count(charge.amount) else { return Ask::Refuse };
    let entry = |(key, value): (&str, String)| wire::Entry { key: key.to_owned(), value };
    let entries = [
        ("policy", charge.counter.policy.to_owned()),
        ("counter", charge.counter.counter.to_owned()),
        ("scope", scope(charge.scope)),
        ("window", period.to_string()),
        ("unit", hits.unit.to_owned()),
        ("value", settings.digest_key.digest(principal, charge)),
    ];
    let limit = Some(wire::Limit { requests_per_unit: hits.max, unit: period.number() });
    let request = wire::Request {
        domain: settings.domain.to_string(),
        descriptors: vec![wire::Descriptor { entries: entries.map(entry).into(), limit }],
        hits_addend,
    };
    Ask::Service(Question { request: request.encode_to_vec(), limit: Asked { max: hits.max, period } })
}
