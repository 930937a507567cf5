//! Buffers: bodies, configurations, and the answers of callouts.

use wasmtime::Linker;

use super::{Call, Guest, respond};
use crate::half::{Direction, Half};
use crate::state::{Action, VmState};
use crate::status::Status;

const REQUEST_BODY: u32 = 0;
const RESPONSE_BODY: u32 = 1;
const CALL_RESPONSE_BODY: u32 = 4;
const GRPC_MESSAGE: u32 = 5;
const VM_CONFIGURATION: u32 = 6;
const PLUGIN_CONFIGURATION: u32 = 7;
const CALL_DATA: u32 = 8;

pub(super) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_buffer_bytes",
        |caller: Call<'_>, kind: u32, start: u32, length: u32, pointer_at: u32, length_at: u32| {
            respond(caller, |guest| get(guest, kind, (start, length), (pointer_at, length_at)))
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_buffer_bytes",
        |caller: Call<'_>, kind: u32, start: u32, length: u32, data: u32, data_length: u32| {
            respond(caller, |guest| set(guest, kind, (start, length), (data, data_length)))
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_buffer_status",
        |caller: Call<'_>, kind: u32, length_at: u32, flags_at: u32| {
            respond(caller, |guest| {
                let length = crate::vm::as_u32(read(guest.state(), kind)?.len());
                guest.write_u32(length_at, length)?;
                guest.write_u32(flags_at, 0)
            })
        },
    )?;
    Ok(())
}

/// A body outside its phase is empty; any other buffer outside its phase is not found.
fn read(state: &mut VmState, kind: u32) -> Result<&[u8], Status> {
    match kind {
        REQUEST_BODY | RESPONSE_BODY => {
            let body = half(state, kind).and_then(|half| half.body());
            Ok(body.map_or(&[], |body| body.as_slice()))
        }
        CALL_RESPONSE_BODY => {
            let response = state.root().and_then(|root| root.call_response.as_ref());
            response.map(|response| response.body.as_slice()).ok_or(Status::NotFound)
        }
        GRPC_MESSAGE => Ok(state.root().and_then(|root| root.grpc_message.as_deref()).unwrap_or_default()),
        VM_CONFIGURATION => Ok(&state.shared.settings.vm_configuration),
        PLUGIN_CONFIGURATION => {
            let root = state.root().filter(|root| root.configuring);
            root.map(|root| &*root.configuration).ok_or(Status::NotFound)
        }
        CALL_DATA => Ok(&[]),
        2 | 3 => Ok(&[]),
        _ => Err(Status::BadArgument),
    }
}

fn half(state: &mut VmState, kind: u32) -> Option<&mut Half> {
    state.stream().map(|stream| stream.half_mut(direction(kind)))
}

fn direction(kind: u32) -> Direction {
    if kind == REQUEST_BODY { Direction::Request } else { Direction::Response }
}

/// What lies beyond the end is left out without an error; a range that overflows is one.
fn get(guest: &mut Guest<'_>, kind: u32, range: (u32, u32), out: (u32, u32)) -> Result<(), Status> {
    let buffer = read(guest.state(), kind)?;
    let (start, length) = range;
    let start = start as usize;
    let end = start + length as usize;
    let part = buffer.get(start..end.min(buffer.len())).unwrap_or_default().to_vec();
    guest.give(&part, out.0, out.1)
}

/// Three writes exist: in front (0, 0), instead (0, the length or more), behind (the length or more, anything).
/// Recent versions of Envoy also replace a part at the beginning (0, less than the length); older ones refuse that,
/// and so does this host.
fn set(guest: &mut Guest<'_>, kind: u32, range: (u32, u32), data: (u32, u32)) -> Result<(), Status> {
    read(guest.state(), kind)?;
    let data = guest.read(data.0, data.1)?;
    let state = guest.state();
    let limit = state.shared.settings.buffer_limit;
    let half = half(state, kind).filter(|_| kind <= RESPONSE_BODY).ok_or(Status::BadArgument)?;
    let body = half.body_mut().ok_or(Status::BadArgument)?;
    let (start, length) = (range.0 as usize, range.1 as usize);
    if start == 0 && length == 0 {
        body.splice(..0, data);
    } else if start == 0 && length >= body.len() {
        *body = data;
    } else if start != 0 && start >= body.len() {
        body.extend(data);
    } else {
        return Err(Status::BadArgument);
    }
    // The buffer of held data is bounded whoever fills it.
    if half.filter_buffering && half.body().is_some_and(|body| body.len() > limit) && !half.streaming {
        let stream = state.context();
        state.actions.push_back(Action::TooLarge { stream, direction: direction(kind) });
    }
    Ok(())
}
