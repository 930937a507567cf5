//! Header and trailer maps.

use wasmtime::Linker;

use super::{Call, Guest, respond};
use crate::error::Fault;
use crate::half::{Direction, Half};
use crate::headers::HeaderMap;
use crate::pairs;
use crate::state::{HttpStream, VmState};
use crate::status::Status;
use crate::vm::as_u32;

const REQUEST_HEADERS: u32 = 0;
const REQUEST_TRAILERS: u32 = 1;
const RESPONSE_HEADERS: u32 = 2;
const RESPONSE_TRAILERS: u32 = 3;
const GRPC_INITIAL_METADATA: u32 = 4;
const GRPC_TRAILING_METADATA: u32 = 5;
const CALL_RESPONSE_HEADERS: u32 = 6;
const CALL_RESPONSE_TRAILERS: u32 = 7;
const MAX: u32 = 8;

pub(super) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_header_map_value",
        |caller: Call<'_>, kind: u32, name: u32, name_length: u32, pointer_at: u32, length_at: u32| {
            respond(caller, |guest| {
                let name = name_argument(guest, kind, name, name_length)?;
                let value = get(guest.state(), kind, &name)?;
                guest.give(&value, pointer_at, length_at)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_get_header_map_pairs",
        |caller: Call<'_>, kind: u32, pointer_at: u32, length_at: u32| {
            respond(caller, |guest| {
                check(kind)?;
                // A map that cannot be read now is an empty list and no error.
                let map = readable(guest.state(), kind).filter(|map| !map.is_empty());
                let list = map.map(|map| pairs::write(map.entries())).unwrap_or_default();
                guest.give(&list, pointer_at, length_at)
            })
        },
    )?;
    linker.func_wrap("env", "proxy_set_header_map_pairs", |caller: Call<'_>, kind: u32, list: u32, length: u32| {
        respond(caller, |guest| {
            check(kind)?;
            let list = pairs::read(&guest.read(list, length)?);
            list.iter().for_each(|(name, value)| warn_of_forgery(guest, name, value));
            let map = writable(guest.state(), kind)?;
            map.clear();
            list.iter().for_each(|(name, value)| map.add(name, value));
            Ok(())
        })
    })?;
    linker.func_wrap(
        "env",
        "proxy_add_header_map_value",
        |caller: Call<'_>, kind: u32, name: u32, name_length: u32, value: u32, value_length: u32| {
            respond(caller, |guest| {
                let name = name_argument(guest, kind, name, name_length)?;
                let value = guest.read(value, value_length)?;
                warn_of_forgery(guest, &name, &value);
                writable(guest.state(), kind)?.add(&name, &value);
                Ok(())
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_replace_header_map_value",
        |caller: Call<'_>, kind: u32, name: u32, name_length: u32, value: u32, value_length: u32| {
            respond(caller, |guest| {
                let name = name_argument(guest, kind, name, name_length)?;
                let value = guest.read(value, value_length)?;
                warn_of_forgery(guest, &name, &value);
                writable(guest.state(), kind)?.replace(&name, &value);
                Ok(())
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_remove_header_map_value",
        |caller: Call<'_>, kind: u32, name: u32, name_length: u32| {
            respond(caller, |guest| {
                let name = name_argument(guest, kind, name, name_length)?;
                writable(guest.state(), kind)?.remove(&name);
                Ok(())
            })
        },
    )?;
    linker.func_wrap("env", "proxy_get_header_map_size", |caller: Call<'_>, kind: u32, at: u32| {
        respond(caller, |guest| {
            check(kind)?;
            // The size in bytes; and, as in Envoy, only of a map that could be changed now.
            let size = as_u32(writable(guest.state(), kind)?.byte_size());
            guest.write_u32(at, size)
        })
    })?;
    Ok(())
}

fn check(kind: u32) -> Result<(), Status> {
    if kind > MAX { Err(Status::BadArgument) } else { Ok(()) }
}

fn name_argument(guest: &mut Guest<'_>, kind: u32, name: u32, length: u32) -> Result<Vec<u8>, Status> {
    check(kind)?;
    guest.read(name, length)
}

/// The first value of a name. A map that is absent is a bad argument, but while logging it is not found.
fn get(state: &mut VmState, kind: u32, name: &[u8]) -> Result<Vec<u8>, Status> {
    let logging = state.stream().is_some_and(|stream| stream.log_phase);
    let absent = if logging { Status::NotFound } else { Status::BadArgument };
    let map = readable(state, kind).ok_or(absent)?;
    map.get_bytes(name).map(<[u8]>::to_vec).ok_or(Status::NotFound)
}

fn readable(state: &mut VmState, kind: u32) -> Option<&HeaderMap> {
    if kind <= RESPONSE_TRAILERS {
        return state.stream().and_then(|stream| readable_of_stream(stream, kind));
    }
    let root = state.root()?;
    match kind {
        GRPC_INITIAL_METADATA => root.grpc_initial.as_ref(),
        GRPC_TRAILING_METADATA => root.grpc_trailing.as_ref(),
        CALL_RESPONSE_HEADERS => root.call_response.as_ref().map(|response| &response.headers),
        CALL_RESPONSE_TRAILERS => root.call_response.as_ref().and_then(|response| response.trailers.as_ref()),
        _ => None,
    }
}

/// In its phase, or while logging; the request's trailers are not to be had while logging.
fn readable_of_stream(stream: &HttpStream, kind: u32) -> Option<&HeaderMap> {
    let (half, headers) = match kind {
        REQUEST_HEADERS => (&stream.request, true),
        REQUEST_TRAILERS => (&stream.request, false),
        RESPONSE_HEADERS => (&stream.response, true),
        _ => (&stream.response, false),
    };
    let visible = if stream.log_phase {
        kind != REQUEST_TRAILERS
    } else if headers {
        half.headers_visible
    } else {
        half.trailers_visible
    };
    let map = if headers { half.headers.as_ref() } else { half.trailers.as_ref() };
    map.filter(|_| visible)
}

/// Only in its phase. Trailers that a message does not have are made in its last body callback.
fn writable(state: &mut VmState, kind: u32) -> Result<&mut HeaderMap, Status> {
    let stream = state.stream().ok_or(Status::BadArgument)?;
    let end = stream.end_of_stream;
    let direction = if kind <= REQUEST_TRAILERS { Direction::Request } else { Direction::Response };
    let half = stream.half_mut(direction);
    let map = match kind {
        REQUEST_HEADERS | RESPONSE_HEADERS => half.headers.as_mut().filter(|_| half.headers_visible),
        REQUEST_TRAILERS | RESPONSE_TRAILERS => {
            make_trailers(half, end);
            half.trailers.as_mut().filter(|_| half.trailers_visible)
        }
        _ => None,
    };
    map.ok_or(Status::BadArgument)
}

fn make_trailers(half: &mut Half, end: bool) {
    if !half.trailers_visible && half.trailers.is_none() && half.current.is_some() && end {
        half.trailers = Some(HeaderMap::default());
        half.trailers_visible = true;
    }
}

/// Envoy takes such a header here, and stumbles over it later.
fn warn_of_forgery(guest: &mut Guest<'_>, name: &[u8], value: &[u8]) {
    if name.iter().chain(value).any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        let name = String::from_utf8_lossy(name).into_owned();
        guest.state().shared.fault(Fault::InvalidHeader { name });
    }
}
