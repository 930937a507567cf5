//! HTTP and gRPC callouts. They belong to the root context, whichever context makes them.

use std::time::Duration;

use wasmtime::Linker;

use super::{Call, Guest, respond};
use crate::callouts::{Callout, CalloutKind, Cluster, Pending, grpc_cluster, token_kind};
use crate::headers::HeaderMap;
use crate::pairs;
use crate::shared::lock;
use crate::state::{Action, VmState};
use crate::status::Status;

pub(super) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(
        "env",
        "proxy_http_call",
        |caller: Call<'_>,
         cluster: u32,
         cluster_length: u32,
         headers: u32,
         headers_length: u32,
         body: u32,
         body_length: u32,
         trailers: u32,
         trailers_length: u32,
         timeout: u32,
         token_at: u32| {
            respond(caller, |guest| {
                let cluster = text(guest, cluster, cluster_length)?;
                let body = guest.read(body, body_length)?;
                let headers = map(guest, headers, headers_length)?;
                let trailers = map(guest, trailers, trailers_length)?;
                guest.write_u32(token_at, 0)?;
                let callout =
                    Parts { kind: CalloutKind::Http, cluster, headers, body, trailers, method: None, timeout };
                let token = http_call(guest.state(), callout)?;
                guest.write_u32(token_at, token)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_grpc_call",
        |caller: Call<'_>,
         service: u32,
         service_length: u32,
         name: u32,
         name_length: u32,
         method: u32,
         method_length: u32,
         metadata: u32,
         metadata_length: u32,
         message: u32,
         message_length: u32,
         timeout: u32,
         token_at: u32| {
            respond(caller, |guest| {
                let service = guest.read(service, service_length)?;
                let method = (text(guest, name, name_length)?, text(guest, method, method_length)?);
                let headers = map(guest, metadata, metadata_length)?;
                let body = guest.read(message, message_length)?;
                let token = grpc(guest.state(), &service, |cluster| Parts {
                    kind: CalloutKind::GrpcCall,
                    cluster,
                    headers,
                    body,
                    trailers: HeaderMap::default(),
                    method: Some(method),
                    timeout,
                })?;
                guest.write_u32(token_at, token)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_grpc_stream",
        |caller: Call<'_>,
         service: u32,
         service_length: u32,
         name: u32,
         name_length: u32,
         method: u32,
         method_length: u32,
         metadata: u32,
         metadata_length: u32,
         token_at: u32| {
            respond(caller, |guest| {
                let service = guest.read(service, service_length)?;
                let method = (text(guest, name, name_length)?, text(guest, method, method_length)?);
                let headers = map(guest, metadata, metadata_length)?;
                let token = grpc(guest.state(), &service, |cluster| Parts {
                    kind: CalloutKind::GrpcStream,
                    cluster,
                    headers,
                    body: Vec::new(),
                    trailers: HeaderMap::default(),
                    method: Some(method),
                    timeout: 0,
                })?;
                guest.write_u32(token_at, token)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_grpc_send",
        |caller: Call<'_>, token: u32, message: u32, length: u32, _end: u32| {
            respond(caller, |guest| {
                let message = guest.read(message, length)?;
                grpc_send(guest.state(), token, &message)
            })
        },
    )?;
    linker.func_wrap("env", "proxy_grpc_cancel", |caller: Call<'_>, token: u32| {
        respond(caller, |guest| grpc_end(guest.state(), token, true))
    })?;
    linker.func_wrap("env", "proxy_grpc_close", |caller: Call<'_>, token: u32| {
        respond(caller, |guest| grpc_end(guest.state(), token, false))
    })?;
    Ok(())
}

struct Parts {
    kind: CalloutKind,
    cluster: String,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: HeaderMap,
    method: Option<(String, String)>,
    timeout: u32,
}

fn text(guest: &mut Guest<'_>, pointer: u32, length: u32) -> Result<String, Status> {
    Ok(String::from_utf8_lossy(&guest.read(pointer, length)?).into_owned())
}

fn map(guest: &mut Guest<'_>, pointer: u32, length: u32) -> Result<HeaderMap, Status> {
    Ok(HeaderMap::new(&pairs::read(&guest.read(pointer, length)?)))
}

/// An unknown cluster, or headers without path, method and authority, are bad arguments.
fn http_call(state: &mut VmState, parts: Parts) -> Result<u32, Status> {
    let cluster = cluster(state, &parts.cluster).ok_or(Status::BadArgument)?;
    let missing =
        [":path", ":method", ":authority"].iter().any(|name| parts.headers.get_bytes(name.as_bytes()).is_none());
    if missing || i32::try_from(parts.timeout).is_err() {
        return Err(Status::BadArgument);
    }
    let token = state.tokens.next(parts.kind);
    match cluster {
        Cluster::Up => send(state, parts, token),
        Cluster::Down => Err(Status::InternalFailure),
    }
}

/// A cluster that is named and unknown cannot be parsed, as Envoy puts it. One that cannot be reached fails at once
/// and closes as well, with a token that the guest has never been given.
fn grpc(state: &mut VmState, service: &[u8], parts: impl FnOnce(String) -> Parts) -> Result<u32, Status> {
    let (name, is_message) = grpc_cluster(service);
    let found = cluster(state, &name);
    if found.is_none() && !is_message {
        return Err(Status::ParseFailure);
    }
    let parts = parts(name);
    let token = state.tokens.next(parts.kind);
    if found == Some(Cluster::Up) {
        return send(state, parts, token);
    }
    let root = state.root_id();
    state.actions.push_back(Action::GrpcClosed { root, token });
    Err(Status::InternalFailure)
}

fn cluster(state: &VmState, name: &str) -> Option<Cluster> {
    lock(&state.shared.clusters).get(name).copied()
}

fn send(state: &mut VmState, parts: Parts, token: u32) -> Result<u32, Status> {
    let id = state.shared.next_callout_id();
    let root_id = state.root_id();
    let Parts { kind, cluster, headers, body, trailers, method, timeout } = parts;
    let timeout = (timeout > 0).then(|| Duration::from_millis(timeout.into()));
    let callout = Callout { id, kind, token, cluster, headers, body, trailers, method, timeout };
    let (vm, vm_serial) = (state.this.clone(), state.serial);
    state.root().ok_or(Status::InternalFailure)?.callouts.insert(token, id);
    lock(&state.shared.pending).insert(id, Pending { callout, root: root_id, vm_serial, vm });
    Ok(token)
}

fn grpc_send(state: &mut VmState, token: u32, message: &[u8]) -> Result<(), Status> {
    if token_kind(token) != Some(CalloutKind::GrpcStream) {
        return Err(Status::BadArgument);
    }
    let id = state.root().and_then(|root| root.callouts.get(&token).copied()).ok_or(Status::NotFound)?;
    if let Some(pending) = lock(&state.shared.pending).get_mut(&id) {
        pending.callout.body.extend_from_slice(message);
    }
    Ok(())
}

/// Closing a stream ends only the guest's side; closing a call, or cancelling either, ends it.
fn grpc_end(state: &mut VmState, token: u32, cancel: bool) -> Result<(), Status> {
    let root = state.root_id();
    match token_kind(token) {
        Some(CalloutKind::GrpcStream) if !cancel => {
            let known = state.root().is_some_and(|root| root.callouts.contains_key(&token));
            if known { Ok(()) } else { Err(Status::NotFound) }
        }
        Some(CalloutKind::GrpcCall | CalloutKind::GrpcStream) => {
            if state.forget_callout(root, token) {
                Ok(())
            } else {
                Err(Status::NotFound)
            }
        }
        _ => Err(Status::BadArgument),
    }
}
