//! The functions that the guest imports: `env.proxy_*` of ABI 0.2.1, and a few of WASI preview 1. A module that
//! wants anything else does not link.

mod buffers;
mod callouts;
mod contexts;
mod guest;
mod headers;
mod logging;
mod metrics;
mod properties;
mod shared_data;
mod streams;
mod wasi;

use wasmtime::{Caller, Linker};

use crate::state::VmState;
use crate::status::Status;
use guest::Guest;

type Call<'a> = Caller<'a, VmState>;
type Answer = wasmtime::Result<u32>;

/// Defines all of them.
pub(crate) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    logging::define(linker)?;
    buffers::define(linker)?;
    headers::define(linker)?;
    properties::define(linker)?;
    shared_data::define(linker)?;
    metrics::define(linker)?;
    callouts::define(linker)?;
    streams::define(linker)?;
    contexts::define(linker)?;
    wasi::define(linker)
}

/// Runs the body of a proxy function and turns its result into the status that the guest gets. While the module
/// is being initialised, calling one is a trap.
fn respond<'a>(caller: Call<'a>, body: impl FnOnce(&mut Guest<'a>) -> Result<(), Status>) -> Answer {
    if caller.data().restricted {
        return Err(wasmtime::format_err!("restricted_callback: only logging works before the module is initialised"));
    }
    Ok(status(body(&mut Guest::new(caller))))
}

fn status(result: Result<(), Status>) -> u32 {
    result.err().unwrap_or(Status::Ok).code()
}
