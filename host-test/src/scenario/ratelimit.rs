//! The rate-limit service that scenarios' global limits ask: `envoy.service.ratelimit.v3`, counting by the calendar. It applies
//! the limit that the request itself names, and what it refuses takes nothing.

use std::collections::HashMap;

use prost::Message;
use time::OffsetDateTime;

use crate::callouts::{Answer, Cluster};
use crate::host::Host;

const METHOD: (&str, &str) = ("envoy.service.ratelimit.v3.RateLimitService", "ShouldRateLimit");
const OK: i32 = 1;
const OVER_LIMIT: i32 = 2;

/// `RateLimitRequest`
#[derive(Clone, PartialEq, prost::Message)]
struct Request {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(message, repeated, tag = "2")]
    descriptors: Vec<Descriptor>,
    #[prost(uint32, tag = "3")]
    hits_addend: u32,
}

/// `RateLimitDescriptor`; its entries stay as they are encoded.
#[derive(Clone, PartialEq, prost::Message)]
struct Descriptor {
    #[prost(bytes = "vec", repeated, tag = "1")]
    entries: Vec<Vec<u8>>,
    #[prost(message, optional, tag = "2")]
    limit: Option<Limit>,
}

/// `RateLimitOverride`, and `RateLimitResponse.RateLimit`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Limit {
    #[prost(uint32, tag = "1")]
    requests_per_unit: u32,
    #[prost(int32, tag = "2")]
    unit: i32,
}

/// `RateLimitResponse`
#[derive(Clone, PartialEq, prost::Message)]
struct Response {
    #[prost(int32, tag = "1")]
    overall_code: i32,
    #[prost(message, repeated, tag = "2")]
    statuses: Vec<Status>,
}

/// `DescriptorStatus`
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(message, optional, tag = "2")]
    current_limit: Option<Limit>,
}

/// The counts, by descriptor and period.
#[derive(Debug, Default)]
pub(super) struct RateLimits(HashMap<(String, Vec<Vec<u8>>, i64), u32>);

impl RateLimits {
    /// Serves at a cluster.
    pub(super) fn at(host: &Host, cluster: &str) -> Self {
        host.set_cluster(cluster, Some(Cluster::Up));
        Self::default()
    }

    /// Answers what the filter asks, one question after the other.
    pub(super) fn answer(&mut self, host: &Host) {
        let asks = |host: &Host| {
            let is_ours = |method: &Option<(String, String)>| {
                method.as_ref().is_some_and(|(service, method)| (service.as_str(), method.as_str()) == METHOD)
            };
            host.pending_callouts().into_iter().find(|callout| is_ours(&callout.method))
        };
        while let Some(callout) = asks(host) {
            let answer = match Request::decode(&*callout.body) {
                Ok(request) => Answer::GrpcMessage(self.judge(request, host.wall_clock()).encode_to_vec()),
                Err(_) => Answer::GrpcClose { status: 3, message: "not a RateLimitRequest".into() },
            };
            // A question that is no longer asked needs no answer.
            if host.answer(callout.id, answer).is_err() {
                return;
            }
        }
    }

    fn judge(&mut self, request: Request, nanoseconds: u64) -> Response {
        let Request { domain, descriptors, hits_addend } = request;
        let mut response = Response { overall_code: OK, statuses: vec![] };
        for Descriptor { entries, limit } in descriptors {
            let unit = limit.map_or(0, |limit| limit.unit);
            let count = self.0.entry((domain.clone(), entries, period(unit, nanoseconds))).or_default();
            let sum = count.saturating_add(hits_addend);
            let admits = limit.is_some_and(|limit| sum <= limit.requests_per_unit);
            if admits {
                *count = sum;
            } else {
                response.overall_code = OVER_LIMIT;
            }
            response.statuses.push(Status { code: if admits { OK } else { OVER_LIMIT }, current_limit: limit });
        }
        response
    }
}

/// A number for the period that a time lies in (`RateLimitRequest.Unit`: 1 is a second, 5 a month).
fn period(unit: i32, nanoseconds: u64) -> i64 {
    let seconds = i64::try_from(nanoseconds / 1_000_000_000).unwrap_or(i64::MAX);
    match unit {
        1 => seconds,
        2 => seconds / 60,
        3 => seconds / 3_600,
        4 => seconds / 86_400,
        _ => OffsetDateTime::from_unix_timestamp(seconds)
            .map_or(0, |time| i64::from(time.year()) * 12 + i64::from(u8::from(time.month()))),
    }
}
