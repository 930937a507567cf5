//! Which policies hold where.

use super::locks;
use super::model::{Claim, Route, SseDenial, Transport};
use super::values::{host, name, path};
use crate::document::ErrorKind;
use crate::document::fields::{Check, Fields, Place};
use crate::document::path::{Step, some_steps};
use crate::document::tree::Kind;

/// What routes can choose from, by name.
pub(super) struct Chosen<'n> {
    pub(super) policies: Vec<&'n str>,
    pub(super) locks: Vec<&'n str>,
}

/// Reads `routes`.
pub(super) fn routes(check: &mut Check, place: &Place<'_>, from: &Chosen<'_>) -> Option<Vec<Route>> {
    let elements = check.elements(place)?;
    if elements.is_empty() {
        check.wrong(place, ErrorKind::Misplaced("without routes no policy holds anywhere"));
    }
    Some(elements.iter().filter_map(|place| route(check, place, from)).collect())
}

fn route(check: &mut Check, place: &Place<'_>, from: &Chosen<'_>) -> Option<Route> {
    let known = &["host", "path", "route", "cluster", "when", "policy", "lock", "transport", "sse_denial"];
    let fields = check.fields(place, known)?;
    let host = fields.get("host").and_then(|place| host(check, &place));
    let path = fields.get("path").and_then(|place| path(check, &place));
    let route = fields.get("route").and_then(|place| name(check, &place));
    let cluster = fields.get("cluster").and_then(|place| name(check, &place));
    let when = fields.get("when").map(|place| when(check, &place)).unwrap_or_default();
    let transport = transport(check, &fields);
    let lock = fields.get("lock").and_then(|place| locks::chosen(check, &place, from));
    let policies = fields.need(check, "policy").and_then(|place| chosen(check, &place, &from.policies))?;
    Some(Route { host, path, route, cluster, when, policies, lock, transport: transport? })
}

fn transport(check: &mut Check, fields: &Fields<'_>) -> Option<Transport> {
    let sse = match fields.get("transport") {
        Some(place) => check.word(&place, &[("streamable", false), ("sse", true)])?,
        None => false,
    };
    let denial = match fields.get("sse_denial") {
        Some(place) if !sse => {
            check.wrong(&place, ErrorKind::Misplaced("it is for routes with `\"transport\": \"sse\"`"));
            return None;
        }
        Some(place) => check.word(&place, &[("forward", SseDenial::Forward), ("status", SseDenial::Status)])?,
        None => SseDenial::Forward,
    };
    Some(if sse { Transport::Sse(denial) } else { Transport::Streamable })
}

/// One name of a policy, or several.
fn chosen(check: &mut Check, place: &Place<'_>, policies: &[&str]) -> Option<Vec<usize>> {
    let names = match place.node.kind {
        Kind::String(_) => vec![place.clone()],
        Kind::Array(_) => check.elements(place)?,
        _ => return check.mistyped(place, "a policy's name or an array of names"),
    };
    if names.is_empty() {
        check.wrong(place, ErrorKind::Misplaced("at least one policy is wanted"));
    }
    let mut chosen = Vec::new();
    for place in names {
        let Some(name) = check.text(&place) else { continue };
        match policies.iter().position(|policy| *policy == name) {
            Some(index) if chosen.contains(&index) => check.wrong(&place, ErrorKind::Repeated(name.into())),
            Some(index) => chosen.push(index),
            None => check.unknown_word(&place, name, policies.iter().copied()),
        }
    }
    Some(chosen)
}

/// Reads `{"claims.groups": "robotics"}`.
fn when(check: &mut Check, place: &Place<'_>) -> Vec<Claim> {
    let members = check.members(place).unwrap_or_default();
    if members.is_empty() {
        check.wrong(place, ErrorKind::Misplaced("at least one claim is wanted"));
    }
    let mut claims = Vec::new();
    for (offset, key, place) in members {
        let path = claim(key).map_err(|kind| check.wrong_at(offset, place.pointer(), kind));
        let value = check.text(&place);
        if let (Ok(path), Some(value)) = (path, value) {
            claims.push(Claim { path, value: value.into() });
        }
    }
    claims
}

fn claim(key: &str) -> Result<Vec<Box<str>>, ErrorKind> {
    let wanted = ErrorKind::Misplaced("expected the path of a claim, such as `claims.groups`");
    let key = key.strip_prefix("identity.").unwrap_or(key);
    let steps = some_steps(key.strip_prefix("claims").ok_or(wanted)?).map_err(ErrorKind::Path)?;
    let key = |step| match step {
        Step::Key(key) => Ok(key),
        Step::Index(_) | Step::Every => {
            Err(ErrorKind::Misplaced("name the claim only: one that is an array holds if an element equals the value"))
        }
    };
    steps.into_iter().map(key).collect()
}
