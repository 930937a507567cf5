//! Counting as Limitador does: its own library reads the limits, matches them, counts in memory and words the answer.
//!
//! Its storage in Redis is imitated ([`super::redis`]), as the library's own cannot be compiled alone.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use envoy_types::pb::envoy::{
    config::core::v3::HeaderValue,
    service::ratelimit::v3::{RateLimitRequest, RateLimitResponse, rate_limit_response::Code},
};
use limitador::{
    CheckResult, RateLimiter,
    counter::Counter,
    limit::{Context, Limit},
};
use tonic::Status;

use super::redis;
use crate::{Error, Result};

/// Where the counts are.
#[derive(Debug, Clone, Copy)]
pub enum Store {
    /// In the service's memory: so many counters, beyond which some are dropped.
    Memory(u64),
    /// In the Redis at this address.
    Redis(SocketAddr),
}

/// Limitador's `--rate-limit-headers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headers {
    /// Its default: an answer does not tell which limits there are.
    None,
    /// `DRAFT_VERSION_03`.
    Draft03,
}

/// A service's limits and counts.
pub(super) struct Limits {
    counts: Counts,
    headers: Headers,
}

enum Counts {
    Memory(RateLimiter),
    Redis(Vec<Arc<Limit>>, SocketAddr),
}

impl Limits {
    pub(super) fn new(file: &str, store: Store, headers: Headers) -> Result<Self> {
        let broken = |error: String| Error::Unexpected { from: "limitador", answer: error };
        let limits: Vec<Limit> = serde_saphyr::from_str(file).map_err(|error| broken(error.to_string()))?;
        let counts = match store {
            Store::Memory(counters) => {
                let limiter = RateLimiter::new(counters);
                limiter.configure_with(limits).map_err(|error| broken(error.to_string()))?;
                Counts::Memory(limiter)
            }
            Store::Redis(address) => Counts::Redis(limits.into_iter().map(Arc::new).collect(), address),
        };
        Ok(Self { counts, headers })
    }

    pub(super) async fn answer(&self, request: &RateLimitRequest) -> Result<RateLimitResponse, Status> {
        if request.domain.is_empty() {
            return Ok(RateLimitResponse { overall_code: Code::Unknown.into(), ..RateLimitResponse::default() });
        }
        let hits = request.hits_addend.max(1).into();
        let checked = match &self.counts {
            Counts::Memory(limiter) => {
                limiter.check_rate_limited_and_update(&request.domain.as_str().into(), &context(request), hits).ok()
            }
            Counts::Redis(limits, address) => {
                let counters = counters(limits, request);
                redis::check_and_add(*address, counters, hits).await.ok()
            }
        };
        let mut checked = checked.ok_or_else(|| Status::unavailable("Service unavailable"))?;
        Ok(RateLimitResponse {
            overall_code: if checked.limited { Code::OverLimit } else { Code::Ok }.into(),
            response_headers_to_add: self.headers(&mut checked),
            ..RateLimitResponse::default()
        })
    }

    fn headers(&self, checked: &mut CheckResult) -> Vec<HeaderValue> {
        if self.headers == Headers::None {
            return vec![];
        }
        let header = |(key, value)| HeaderValue { key, value, raw_value: vec![] };
        let mut headers: Vec<HeaderValue> = checked.response_header().into_iter().map(header).collect();
        headers.sort_by(|a, b| a.key.cmp(&b.key));
        headers
    }
}

/// What conditions and variables can look at: neither a descriptor's limit nor its `hits_addend`.
fn context(request: &RateLimitRequest) -> Context<'static> {
    let entries = request.descriptors.iter().map(|descriptor| {
        let entries = descriptor.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone()));
        entries.collect::<HashMap<_, _>>()
    });
    let mut context = Context::default();
    context.list_binding("descriptors".to_owned(), entries.collect());
    context
}

/// The counters of the limits that a request is held to.
fn counters(limits: &[Arc<Limit>], request: &RateLimitRequest) -> Vec<Counter> {
    let context = context(request);
    let held = limits.iter().filter(|limit| limit.namespace().as_ref() == request.domain && limit.applies(&context));
    held.filter_map(|limit| Counter::new(Arc::clone(limit), &context).ok().flatten()).collect()
}
