//! The filter that Envoy runs: its callbacks on one side, [`policy`] on the other.
//!
//! The way of a request: [`exports`] finds the context that a callback is for; a [`stream`] goes from phase to phase:
//! it captures the headers, settles which policies apply ([`route`]) and who calls ([`caller`]), holds the body, has
//! it judged ([`gate`]), and sees the answer on its way back. What it asks of Envoy goes through [`host`], where every
//! call can fail and none can panic.
//!
//! What is refused is refused closed: what cannot be read, counted or asked never reaches the server.
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

mod admission;
mod audit;
mod caller;
mod endpoint;
mod exports;
mod gate;
mod hold;
mod host;
mod leases;
mod metadata;
mod metrics;
mod pins;
mod route;
mod runtime;
mod shown;
mod store;
mod stream;

/// A call makes dozens of small allocations that live for microseconds.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
