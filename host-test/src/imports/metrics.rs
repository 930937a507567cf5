//! Metrics.

use wasmtime::Linker;

use super::{Call, respond};
use crate::shared::lock;
use crate::state::VmState;

pub(super) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_define_metric",
        |caller: Call<'_>, kind: u32, name: u32, name_length: u32, id_at: u32| {
            respond(caller, |guest| {
                let name = guest.read(name, name_length)?;
                let VmState { shared, metrics, .. } = guest.state();
                let id = metrics.define(&mut lock(&shared.statistics), kind, &name)?;
                guest.write_u32(id_at, id)
            })
        },
    )?;
    linker.func_wrap("env", "proxy_increment_metric", |caller: Call<'_>, id: u32, by: i64| {
        respond(caller, |guest| {
            let VmState { shared, metrics, .. } = guest.state();
            metrics.increment(&mut lock(&shared.statistics), id, by)
        })
    })?;
    linker.func_wrap("env", "proxy_record_metric", |caller: Call<'_>, id: u32, value: u64| {
        respond(caller, |guest| {
            let VmState { shared, metrics, .. } = guest.state();
            metrics.record(&mut lock(&shared.statistics), id, value)
        })
    })?;
    linker.func_wrap("env", "proxy_get_metric", |caller: Call<'_>, id: u32, value_at: u32| {
        respond(caller, |guest| {
            let VmState { shared, metrics, .. } = guest.state();
            let value = metrics.get(&lock(&shared.statistics), id)?;
            guest.write_u64(value_at, value)
        })
    })?;
    Ok(())
}
