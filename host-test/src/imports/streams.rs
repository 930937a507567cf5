//! Local replies, resuming and closing.

use wasmtime::Linker;

use super::{Call, Guest, respond};
use crate::error::Fault;
use crate::half::Direction;
use crate::pairs;
use crate::reply::ReplyRequest;
use crate::state::{Action, VmState};
use crate::status::Status;

/// The gRPC statuses that exist; any other number means "none".
const GRPC_STATUSES: std::ops::RangeInclusive<u32> = 0..=16;

pub(super) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_send_local_response",
        |caller: Call<'_>,
         status: u32,
         details: u32,
         details_length: u32,
         body: u32,
         body_length: u32,
         headers: u32,
         headers_length: u32,
         grpc_status: u32| {
            respond(caller, |guest| {
                let details = guest.read(details, details_length)?;
                let body = guest.read(body, body_length)?;
                let headers = pairs::read(&guest.read(headers, headers_length)?);
                let request = ReplyRequest {
                    status: u16::try_from(status).unwrap_or_default(),
                    headers,
                    body,
                    grpc_status: Some(grpc_status).filter(|status| GRPC_STATUSES.contains(status)),
                    details: String::from_utf8_lossy(&details).replace(char::is_whitespace, "_"),
                    by_filter: true,
                };
                reply(guest, request);
                Ok(())
            })
        },
    )?;
    linker.func_wrap("env", "proxy_continue_stream", |caller: Call<'_>, kind: u32| {
        respond(caller, |guest| resume(guest, kind))
    })?;
    linker.func_wrap("env", "proxy_close_stream", |caller: Call<'_>, kind: u32| {
        respond(caller, |guest| match kind {
            0 | 1 => {
                if let Some(stream) = acting_stream(guest, "proxy_close_stream") {
                    guest.state().actions.push_back(Action::Close { stream });
                }
                Ok(())
            }
            2 | 3 => Ok(()),
            _ => Err(Status::BadArgument),
        })
    })?;
    Ok(())
}

fn reply(guest: &mut Guest<'_>, request: ReplyRequest) {
    for (name, value) in &request.headers {
        if name.iter().chain(value).any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            let name = String::from_utf8_lossy(name).into_owned();
            guest.state().shared.fault(Fault::InvalidHeader { name });
        }
    }
    if let Some(stream) = acting_stream(guest, "proxy_send_local_response") {
        guest.state().actions.push_back(Action::Reply { stream, reply: request });
    }
    guest.state().stop_next = true;
}

/// Resuming takes effect after the callback, but the request's maps are out of reach at once, whichever direction
/// is resumed; the response's stay.
fn resume(guest: &mut Guest<'_>, kind: u32) -> Result<(), Status> {
    let direction = match kind {
        0 => Direction::Request,
        1 => Direction::Response,
        2 => return Ok(()),
        3 => return Err(Status::Unimplemented),
        _ => return Err(Status::BadArgument),
    };
    let Some(id) = acting_stream(guest, "proxy_continue_stream") else { return Ok(()) };
    let state = guest.state();
    state.actions.push_back(Action::Resume { stream: id, direction });
    if let Some(stream) = state.stream() {
        stream.request.headers_visible = false;
        stream.request.trailers_visible = false;
        stream.request.current_hidden = true;
    }
    Ok(())
}

fn acting_stream(guest: &mut Guest<'_>, call: &'static str) -> Option<u32> {
    let state = guest.state();
    let context = state.context();
    if state.live_stream(context).is_some() {
        return Some(context);
    }
    state.shared.fault(Fault::NoStream { context, call });
    None
}
