//! The plugin's configuration: a bare policy, or an envelope that says which policy holds where and for whom.
//!
//! A document with `version` at its top is a policy, which holds on every path; one with `policies` is an envelope. Both
//! are checked whole, like a policy. A policy that no route uses is an error, as it would protect nothing, and so is a
//! rate-limit service that no limit asks. An approval service that no rule asks is not.
//!
//! ```
//! let text = br#"{
//!     "policies": { "lab": { "version": "1", "default": "deny" } },
//!     "routes": [{ "route": "lab", "policy": "lab" }],
//!     "mode": "observe"
//! }"#;
//! let config = policy::config::load(text)?;
//! assert_eq!(config.mode, policy::config::Mode::Observe);
//! # Ok::<(), policy::config::Errors>(())
//! ```

mod audit;
mod choose;
mod decode;
mod identity;
mod locks;
mod model;
mod needs;
mod paths;
mod routes;
mod values;

pub use crate::document::Errors;
pub use crate::message::Batches;
pub use choose::{Choice, Place, Policies, Uncovered, plain_host};
pub use decode::load;
pub use model::{
    Approvals, Audit, Certificate, Claim, Config, Denial, Disclose, GlobalCounters, GrantSource, Identity, Mode, Needs,
    RequestHeaders, Retries, Route, SseDenial, Transport, Unmatched,
};
pub use paths::{Named, PathGlob, RequestPath};

#[cfg(test)]
mod tests;
