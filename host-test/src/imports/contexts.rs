//! Contexts, the status of the last callout, and foreign functions, of which this host has none.

use wasmtime::Linker;

use super::{Call, respond};
use crate::state::{Action, RootPhase, VmState};
use crate::status::Status;

pub(super) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap("env", "proxy_set_effective_context", |caller: Call<'_>, id: u32| {
        respond(caller, |guest| {
            let state = guest.state();
            if !state.has_context(id) {
                return Err(Status::BadArgument);
            }
            state.effective = id;
            Ok(())
        })
    })?;
    linker.func_wrap("env", "proxy_done", |caller: Call<'_>| {
        respond(caller, |guest| {
            let state = guest.state();
            let root = state.root().filter(|root| root.phase == RootPhase::PendingDone);
            root.ok_or(Status::NotFound)?.phase = RootPhase::PendingDelete;
            state.actions.push_back(Action::FinishShutdown);
            Ok(())
        })
    })?;
    linker.func_wrap(
        "env",
        "proxy_get_status",
        |caller: Call<'_>, code_at: u32, pointer_at: u32, length_at: u32| {
            respond(caller, |guest| {
                let (code, message) = guest.state().root().map(|root| root.status.clone()).unwrap_or_default();
                guest.write_u32(code_at, code)?;
                guest.give(message.as_bytes(), pointer_at, length_at)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_call_foreign_function",
        |caller: Call<'_>, name: u32, name_length: u32, argument: u32, argument_length: u32, _: u32, _: u32| {
            respond(caller, |guest| {
                guest.read(name, name_length)?;
                guest.read(argument, argument_length)?;
                Err(Status::NotFound)
            })
        },
    )?;
    Ok(())
}
