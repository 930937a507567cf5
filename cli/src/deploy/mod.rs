//! Bringing a policy to where it is enforced: the configuration of a proxy with the policy inside.
//!
//! Configurations are templates beside this file, with comments for those who adapt them; what is filled in is text that
//! YAML reads as it stands.

mod envoy;
mod inside;
mod template;
mod upstream;

pub(crate) use envoy::EnvoyConfig;
pub(crate) use inside::Inside;
pub(crate) use template::{fill, quoted};
