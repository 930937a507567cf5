//! The plugin's configuration: a bare policy, or an envelope that says which policy holds where and for whom.

mod model;
mod temporary;

pub use crate::document::Errors;
pub use model::{
    Approvals, Certificate, Claim, Config, Denial, Disclose, GlobalCounters, GrantSource, Identity, Mode, Needs,
    RequestHeaders, Retries, Route, Transport, Unmatched,
};
pub use temporary::load;
