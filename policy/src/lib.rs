//! What a policy means.
//!
//! The way of a request, in module order: bytes are read by [`message`] (over the strict [`json`] reader) into one
//! call; [`decision`] judges the call by a [`document::Policy`], its arguments by a [`schema`] where one is given; [`quota`] counts what the decision lets through;
//! [`global`] has a rate-limit service count what a fleet shares; [`reply`] words what the client is told otherwise;
//! [`audit`] records what became of it; [`listing`] takes hidden tools out of answers on their way back, [`pins`] those that are not what was reviewed, and [`answer`] reads how a call has ended.
//!
//! Nothing here does I/O, reads a clock or keeps globals: time, identity and counters come in as values, so that
//! Envoy, the command line and the tests share one meaning.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        // A panic traps the VM, and with it every filter that shares it.
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

pub mod json;

pub mod answer;
pub mod audit;
pub mod config;
pub mod decision;
pub mod document;
pub mod global;
pub mod listing;
pub mod message;
pub mod pins;
pub mod quota;
pub mod reply;
pub mod schema;
mod sort;
pub mod uri;
