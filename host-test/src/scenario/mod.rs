//! Scenarios: what goes in, what must come out, written once and run in every host.
//!
//! A scenario file is YAML. Its scenarios each start a filter with a policy and send it requests, one step after the
//! other, so that counters go on from step to step:
//!
//! ```yaml
//! about: What an agent is told.
//! policy: { version: "1", default: deny, tools: { get_run: {} } }
//! scenarios:
//!   - name: a tool that no rule names is denied
//!     steps:
//!       - call: { name: get_run }
//!         expect: passes
//!       - call: { name: delete_run }
//!         expect: { denied: (default deny) }
//! ```
//!
//! The way of a scenario, which is the order of the modules:
//! - [`File`], [`Scenario`], [`Step`], [`Expectation`]: as written; [`File::read`] says by line and column what is wrong.
//! - [`Exchange`]: the bytes that a step puts on the wire on either side of the filter, with all defaults filled in.
//! - [`Outcome`]: what came out on either side, without what belongs to HTTP itself or to Envoy.
//! - [`Outcome::differences`] holds it against the expectation, [`Outcome::unlike`] against that of another host.
//! - [`InWasmtime`] runs the steps in this crate's host. The crate `envoy` does the same with the real Envoy.

mod body;
mod check;
mod difference;
mod document;
mod error;
mod exchange;
mod expectation;
mod load;
mod outcome;
mod ratelimit;
mod references;
mod run;
mod subset;

pub use body::Body;
pub use difference::Difference;
pub use document::{Answer, Call, Certificate, File, Header, Placed, Repeat, Request, Route, Scenario, Step};
pub use error::ScenarioError;
pub use exchange::{Exchange, Headers, Message};
pub use expectation::{Expectation, Limited, Upstream, UpstreamShape};
pub use outcome::{Outcome, Received, Response, essential};
pub use run::InWasmtime;
