//! The real filter, in the host: what it does with requests and answers, one file per behaviour.

mod claims;
mod edits;
mod lab;
mod requests;

mod audit;
mod batches;
mod calls;
mod concurrency;
mod configuration;
mod examples;
mod global;
mod headers;
mod hostile;
mod hostile_policies;
mod http;
mod identity;
mod limits;
mod limits_attack;
mod limits_many;
mod limits_promise;
mod limits_race;
mod limits_survive;
mod listings;
mod listings_odd;
mod metrics;
mod pins;
mod refunds;
mod replies;
mod revisions;
mod robustness;
mod routes;
mod scopes;
mod servers;
mod sse;
mod unreadable;
