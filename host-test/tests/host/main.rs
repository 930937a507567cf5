//! The host itself, held against Envoy's behaviour: one file per behaviour.

mod guest;

mod body;
mod body_writes;
mod buffer_limit;
mod callouts;
mod clocks;
mod failure;
mod header_phases;
mod lifecycle;
mod limits;
mod link;
mod local_reply;
mod metrics;
mod properties;
mod reconfigure;
mod resume;
mod shared_data;
mod workers;
