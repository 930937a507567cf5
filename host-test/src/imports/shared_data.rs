//! Shared data; shared queues, which this host does not have.

use wasmtime::Linker;

use super::{Call, respond};
use crate::shared::lock;
use crate::state::VmState;
use crate::status::Status;

pub(super) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_shared_data",
        |caller: Call<'_>, key: u32, key_length: u32, pointer_at: u32, length_at: u32, cas_at: u32| {
            respond(caller, |guest| {
                let key = guest.read(key, key_length)?;
                let shared = &guest.state().shared;
                // The lock is gone before the guest's allocator runs.
                let (value, cas) = lock(&shared.data).get(&shared.settings.vm_id, &key)?;
                guest.give(&value, pointer_at, length_at)?;
                guest.write_u32(cas_at, cas)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_shared_data",
        |caller: Call<'_>, key: u32, key_length: u32, value: u32, value_length: u32, cas: u32| {
            respond(caller, |guest| {
                let key = guest.read(key, key_length)?;
                let value = guest.read(value, value_length)?;
                let shared = &guest.state().shared;
                match lock(&shared.data).set(&shared.settings.vm_id, &key, &value, cas) {
                    Err(Status::CasMismatch) if shared.settings.loses_late_writes => Ok(()),
                    result => result,
                }
            })
        },
    )?;
    linker.func_wrap("env", "proxy_register_shared_queue", |caller: Call<'_>, _: u32, _: u32, _: u32| {
        respond(caller, |_| Err(Status::Unimplemented))
    })?;
    linker.func_wrap(
        "env",
        "proxy_resolve_shared_queue",
        |caller: Call<'_>, _: u32, _: u32, _: u32, _: u32, _: u32| respond(caller, |_| Err(Status::Unimplemented)),
    )?;
    linker.func_wrap("env", "proxy_dequeue_shared_queue", |caller: Call<'_>, _: u32, _: u32, _: u32| {
        respond(caller, |_| Err(Status::Unimplemented))
    })?;
    linker.func_wrap("env", "proxy_enqueue_shared_queue", |caller: Call<'_>, _: u32, _: u32, _: u32| {
        respond(caller, |_| Err(Status::Unimplemented))
    })?;
    Ok(())
}
