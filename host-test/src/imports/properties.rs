//! Properties.

use wasmtime::Linker;

use super::{Call, respond};
use crate::half::Direction;
use crate::properties::split_path;
use crate::state::{HttpStream, VmState};
use crate::status::Status;

pub(super) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_get_property",
        |caller: Call<'_>, path: u32, path_length: u32, pointer_at: u32, length_at: u32| {
            respond(caller, |guest| {
                let path = guest.read(path, path_length)?;
                let value = get(guest.state(), &path)?;
                guest.give(&value, pointer_at, length_at)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_set_property",
        |caller: Call<'_>, path: u32, path_length: u32, value: u32, value_length: u32| {
            respond(caller, |guest| {
                let path = guest.read(path, path_length)?;
                let value = guest.read(value, value_length)?;
                let stream = guest.state().stream().ok_or(Status::NotFound)?;
                stream.filter_state.insert(String::from_utf8_lossy(&path).into_owned(), value);
                Ok(())
            })
        },
    )?;
    Ok(())
}

/// What the test has set comes first, then what Envoy knows by itself, then what the filter has set.
fn get(state: &mut VmState, path: &[u8]) -> Result<Vec<u8>, Status> {
    let segments = split_path(path);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let settings = &state.shared.settings;
    let of_plugin = match segments.as_slice() {
        ["plugin_name"] => Some(settings.plugin_name.clone()),
        ["plugin_root_id"] => Some(settings.root_id.clone()),
        ["plugin_vm_id"] => Some(settings.vm_id.clone()),
        _ => None,
    };
    if let Some(name) = of_plugin {
        return Ok(name.into_bytes());
    }
    let stream = state.stream().ok_or(Status::NotFound)?;
    match stream.properties.get(&segments) {
        Err(Status::NotFound) => {}
        found => return found,
    }
    if let Some(value) = computed(stream, &segments) {
        return Ok(value);
    }
    match segments.as_slice() {
        [name] => stream.filter_state.get(*name).cloned().ok_or(Status::NotFound),
        _ => Err(Status::NotFound),
    }
}

/// `request.*` and `response.*`. What is read from headers can be had only while the headers can.
fn computed(stream: &HttpStream, path: &[&str]) -> Option<Vec<u8>> {
    let (direction, field) = match path {
        ["request", rest @ ..] => (Direction::Request, rest),
        ["response", rest @ ..] => (Direction::Response, rest),
        _ => return None,
    };
    let half = stream.half(direction);
    let headers = half.headers.as_ref().filter(|_| half.headers_visible || stream.log_phase);
    let header = |name: &str| headers.and_then(|map| map.get_bytes(name.as_bytes())).map(<[u8]>::to_vec);
    match (direction, field) {
        (_, ["headers", name]) => header(name),
        (Direction::Request, ["path"]) => header(":path"),
        (Direction::Request, ["url_path"]) => header(":path").map(|path| before_query(&path).to_vec()),
        (Direction::Request, ["query"]) => header(":path").map(|path| after_query(&path).to_vec()),
        (Direction::Request, ["host"]) => header(":authority"),
        (Direction::Request, ["scheme"]) => header(":scheme"),
        (Direction::Request, ["method"]) => header(":method"),
        (Direction::Request, ["referer"]) => header("referer"),
        (Direction::Request, ["useragent"]) => header("user-agent"),
        (Direction::Request, ["id"]) => header("x-request-id"),
        (Direction::Request, ["protocol"]) => Some(b"HTTP/1.1".to_vec()),
        (Direction::Response, ["code"]) => {
            let status = stream.response.headers.as_ref()?.get(":status")?.parse::<i64>().ok()?;
            Some(status.to_le_bytes().to_vec())
        }
        (Direction::Response, ["code_details"]) => stream.details.clone().map(String::into_bytes),
        _ => None,
    }
}

fn before_query(path: &[u8]) -> &[u8] {
    path.split(|byte| *byte == b'?').next().unwrap_or_default()
}

fn after_query(path: &[u8]) -> &[u8] {
    path.get(before_query(path).len() + 1..).unwrap_or_default()
}
