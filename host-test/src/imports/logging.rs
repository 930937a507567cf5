//! Logging and time.

use wasmtime::Linker;

use super::{Answer, Call, respond, status};
use crate::imports::guest::Guest;
use crate::logs::Level;
use crate::state::VmState;
use crate::status::Status;

pub(super) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap("env", "proxy_log", |caller: Call<'_>, level: u32, text: u32, length: u32| -> Answer {
        // Logging is the one thing that works before the module is initialised.
        Ok(status(log(&mut Guest::new(caller), level, text, length)))
    })?;
    linker.func_wrap("env", "proxy_get_log_level", |caller: Call<'_>, at: u32| {
        respond(caller, |guest| {
            let level = guest.state().shared.settings.log_level;
            guest.write_u32(at, level as u32)
        })
    })?;
    linker.func_wrap("env", "proxy_get_current_time_nanoseconds", |caller: Call<'_>, at: u32| {
        respond(caller, |guest| {
            let now = guest.state().shared.clock.wall();
            guest.write_u64(at, now)
        })
    })?;
    linker.func_wrap("env", "proxy_set_tick_period_milliseconds", |caller: Call<'_>, period: u32| {
        respond(caller, |guest| {
            if let Some(root) = guest.state().root() {
                root.tick_period = period;
            }
            Ok(())
        })
    })?;
    Ok(())
}

fn log(guest: &mut Guest<'_>, level: u32, text: u32, length: u32) -> Result<(), Status> {
    let level = Level::from_code(level).ok_or(Status::BadArgument)?;
    let text = guest.read(text, length)?;
    guest.state().shared.log(level, String::from_utf8_lossy(&text));
    Ok(())
}
