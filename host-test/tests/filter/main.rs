//! The real filter, in the host: what it does with requests and answers, one file per behaviour.

mod claims;
mod lab;

mod calls;
mod configuration;
mod examples;
mod headers;
mod hostile;
mod http;
mod identity;
mod limits;
mod limits_survive;
mod listings;
mod listings_odd;
mod metrics;
mod robustness;
mod routes;
mod scopes;
mod unreadable;
