//! The functions that the guest exports.

use wasmtime::{Instance, Store, TypedFunc, WasmParams, WasmResults};

use crate::error::StartCause;
use crate::state::VmState;

type Call1<R = ()> = Option<TypedFunc<u32, R>>;
type Call2<R = ()> = Option<TypedFunc<(u32, u32), R>>;
type Call3<R = ()> = Option<TypedFunc<(u32, u32, u32), R>>;
type Call5<R = ()> = Option<TypedFunc<(u32, u32, u32, u32, u32), R>>;

/// Each callback is optional: without it, Envoy goes on as if it had answered yes, or continue.
#[derive(Default)]
pub(crate) struct Exports {
    pub(crate) initialize: Option<TypedFunc<(), ()>>,
    pub(crate) start: Option<TypedFunc<(), ()>>,
    pub(crate) main: Option<TypedFunc<(u32, u32), u32>>,
    pub(crate) main_void: Option<TypedFunc<(), u32>>,
    pub(crate) on_context_create: Call2,
    pub(crate) on_vm_start: Call2<u32>,
    pub(crate) on_configure: Call2<u32>,
    pub(crate) on_tick: Call1,
    pub(crate) on_request_headers: Call3<u32>,
    pub(crate) on_request_body: Call3<u32>,
    pub(crate) on_request_trailers: Call2<u32>,
    pub(crate) on_response_headers: Call3<u32>,
    pub(crate) on_response_body: Call3<u32>,
    pub(crate) on_response_trailers: Call2<u32>,
    pub(crate) on_http_call_response: Call5,
    pub(crate) on_grpc_receive_initial_metadata: Call3,
    pub(crate) on_grpc_receive: Call3,
    pub(crate) on_grpc_receive_trailing_metadata: Call3,
    pub(crate) on_grpc_close: Call3,
    pub(crate) on_done: Call1<u32>,
    pub(crate) on_log: Call1,
    pub(crate) on_delete: Call1,
}

impl Exports {
    /// Finds all exports, and puts the memory and the allocator where host functions find them.
    pub(crate) fn find(instance: &Instance, store: &mut Store<VmState>) -> Result<Exports, StartCause> {
        if instance.get_func(&mut *store, "proxy_abi_version_0_2_1").is_none() {
            return Err(StartCause::UnknownAbi);
        }
        let memory = instance.get_memory(&mut *store, "memory");
        store.data_mut().memory = Some(memory.ok_or_else(|| StartCause::BadExport("no `memory`".to_owned()))?);
        let mut allocate = find(instance, store, "malloc")?;
        if allocate.is_none() {
            allocate = find(instance, store, "proxy_on_memory_allocate")?;
        }
        if allocate.is_none() {
            return Err(StartCause::BadExport("neither `malloc` nor `proxy_on_memory_allocate`".to_owned()));
        }
        store.data_mut().allocate = allocate;
        Ok(Exports {
            initialize: find(instance, store, "_initialize")?,
            start: find(instance, store, "_start")?,
            main: find(instance, store, "main")?,
            main_void: find(instance, store, "__main_void")?,
            on_context_create: find(instance, store, "proxy_on_context_create")?,
            on_vm_start: find(instance, store, "proxy_on_vm_start")?,
            on_configure: find(instance, store, "proxy_on_configure")?,
            on_tick: find(instance, store, "proxy_on_tick")?,
            on_request_headers: find(instance, store, "proxy_on_request_headers")?,
            on_request_body: find(instance, store, "proxy_on_request_body")?,
            on_request_trailers: find(instance, store, "proxy_on_request_trailers")?,
            on_response_headers: find(instance, store, "proxy_on_response_headers")?,
            on_response_body: find(instance, store, "proxy_on_response_body")?,
            on_response_trailers: find(instance, store, "proxy_on_response_trailers")?,
            on_http_call_response: find(instance, store, "proxy_on_http_call_response")?,
            on_grpc_receive_initial_metadata: find(instance, store, "proxy_on_grpc_receive_initial_metadata")?,
            on_grpc_receive: find(instance, store, "proxy_on_grpc_receive")?,
            on_grpc_receive_trailing_metadata: find(instance, store, "proxy_on_grpc_receive_trailing_metadata")?,
            on_grpc_close: find(instance, store, "proxy_on_grpc_close")?,
            on_done: find(instance, store, "proxy_on_done")?,
            on_log: find(instance, store, "proxy_on_log")?,
            on_delete: find(instance, store, "proxy_on_delete")?,
        })
    }
}

fn find<P: WasmParams, R: WasmResults>(
    instance: &Instance,
    store: &mut Store<VmState>,
    name: &str,
) -> Result<Option<TypedFunc<P, R>>, StartCause> {
    let Some(function) = instance.get_func(&mut *store, name) else { return Ok(None) };
    let typed = function.typed::<P, R>(&*store);
    typed.map(Some).map_err(|error| StartCause::BadExport(format!("`{name}`: {error:#}")))
}
