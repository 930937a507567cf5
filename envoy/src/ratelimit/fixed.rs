//! Counting as envoyproxy/ratelimit does.

use std::collections::{BTreeSet, HashMap};

use envoy_types::pb::{
    envoy::{
        extensions::common::ratelimit::v3::RateLimitDescriptor,
        service::ratelimit::v3::{
            RateLimitRequest, RateLimitResponse,
            rate_limit_response::{Code, DescriptorStatus, RateLimit},
        },
    },
    google::protobuf::Duration,
};
use tonic::Status;

/// The counts of fixed windows that begin with the epoch.
#[derive(Debug, Default)]
pub(super) struct Fixed {
    domains: BTreeSet<String>,
    counts: HashMap<String, u64>,
}

impl Fixed {
    pub(super) fn new(domains: impl IntoIterator<Item = String>) -> Self {
        Self { domains: domains.into_iter().collect(), counts: HashMap::new() }
    }

    /// Counts a request at `now`, in seconds since 1970.
    pub(super) fn answer(&mut self, request: &RateLimitRequest, now: u64) -> Result<RateLimitResponse, Status> {
        if request.domain.is_empty() {
            return Err(Status::unknown("rate limit domain must not be empty"));
        }
        if request.descriptors.is_empty() {
            return Err(Status::unknown("rate limit descriptor list must not be empty"));
        }
        let statuses: Vec<DescriptorStatus> =
            request.descriptors.iter().map(|descriptor| self.status(request, descriptor, now)).collect();
        let over = statuses.iter().any(|status| status.code == Code::OverLimit as i32);
        let overall_code = if over { Code::OverLimit } else { Code::Ok }.into();
        Ok(RateLimitResponse { overall_code, statuses, ..RateLimitResponse::default() })
    }

    fn status(&mut self, request: &RateLimitRequest, descriptor: &RateLimitDescriptor, now: u64) -> DescriptorStatus {
        let limit = descriptor.limit.filter(|_| self.domains.contains(&request.domain));
        let Some((limit, seconds)) = limit.and_then(|limit| Some((limit, seconds(limit.unit)?))) else {
            // What it knows no limit for is admitted, and nothing says which limit that was.
            return DescriptorStatus { code: Code::Ok.into(), ..DescriptorStatus::default() };
        };
        let hits = match &descriptor.hits_addend {
            Some(hits) => hits.value,
            None => request.hits_addend.max(1).into(),
        };
        // Neither the unit nor the limit is in the key.
        let entries: String =
            descriptor.entries.iter().map(|entry| format!("{}_{}_", entry.key, entry.value)).collect();
        let key = format!("{}_{entries}{}", request.domain, now / seconds * seconds);
        let count = self.counts.entry(key).or_default();
        // What is refused is counted too.
        *count += hits;
        let left = u64::from(limit.requests_per_unit).checked_sub(*count);
        DescriptorStatus {
            code: if left.is_some() { Code::Ok } else { Code::OverLimit }.into(),
            current_limit: Some(RateLimit {
                name: String::new(),
                requests_per_unit: limit.requests_per_unit,
                unit: limit.unit,
            }),
            limit_remaining: left.and_then(|left| u32::try_from(left).ok()).unwrap_or_default(),
            duration_until_reset: Some(Duration {
                seconds: i64::try_from(seconds - now % seconds).unwrap_or_default(),
                nanos: 0,
            }),
            ..DescriptorStatus::default()
        }
    }
}

/// How long a unit is. A month has 30 days, wherever the calendar's begin.
fn seconds(unit: i32) -> Option<u64> {
    const DAY: u64 = 86_400;
    match unit {
        1 => Some(1),
        2 => Some(60),
        3 => Some(3_600),
        4 => Some(DAY),
        5 => Some(30 * DAY),
        _ => None,
    }
}
