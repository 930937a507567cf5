//! The host: every call to Envoy, as a function that returns a [`Result`].
//!
//! The declarations are ours, not those of an SDK, for one reason: a host call must not be able to panic. A panic
//! traps the VM and with it every filter that shares it, so a status that is not OK, even one this code has never
//! heard of, is a value here.

mod buffers;
mod clock;
mod flow;
mod grpc;
mod headers;
mod imports;
mod memory;
mod metrics;
mod properties;
mod reply;
mod shared_data;

pub(crate) use buffers::{Buffer, bytes, replace};
pub(crate) use clock::{monotonic_ms, monotonic_us, random, wall_ns};
pub(crate) use flow::{become_context, resume_request, resume_response, tick_every};
pub(crate) use grpc::grpc_call;
pub(crate) use headers::{HeaderMap, Headers, remove_header, set_header};
pub(crate) use memory::take;
pub(crate) use metrics::Counter;
pub(crate) use properties::{property, set_property};
pub(crate) use reply::send_reply;
pub(crate) use shared_data::{Swapped, compare_and_swap, shared_value};

/// A status other than OK, as the proxy-wasm ABI 0.2.1 numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u32);

impl Status {
    pub(crate) const NOT_FOUND: Self = Self(1);
    pub(crate) const CAS_MISMATCH: Self = Self(8);
}

impl core::fmt::Display for Status {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "host status {}", self.0)
    }
}

pub(crate) type Result<T> = core::result::Result<T, Status>;

fn check(status: u32) -> Result<()> {
    if status == 0 { Ok(()) } else { Err(Status(status)) }
}

/// How grave a log line is, as Envoy's levels.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(crate) enum Level {
    Info = 2,
    Warn = 3,
    Error = 4,
}

/// Writes a line to Envoy's log. A log that cannot be written is nothing a request should fail for.
pub(crate) fn log(level: Level, message: &str) {
    // SAFETY: the pointer and length are those of a live slice, which the host only reads.
    let _status = unsafe { imports::proxy_log(level as u32, message.as_ptr(), message.len()) };
}
