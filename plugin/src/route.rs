//! Which policies a request is judged by.

use std::cell::OnceCell;

use policy::config::{Claim, Route, Transport, Unmatched};

use crate::caller::Claims;
use crate::host::{self, Headers};
use crate::runtime::Runtime;

/// What becomes of a request before its body is looked at.
pub(crate) enum Choice {
    /// It is not this filter's business.
    Pass,
    /// It is judged.
    Judge(Policies, Transport),
}

/// The policies of a request.
#[derive(Debug)]
pub(crate) enum Policies {
    /// None covers it: whatever it asks for is denied.
    None,
    /// Those of a route, by its index in the configuration.
    OfRoute(usize),
}

/// Chooses the first route that matches.
pub(crate) fn choose(runtime: &Runtime, headers: &Headers, claims: &Claims) -> host::Result<Choice> {
    let config = &runtime.config;
    let place = Place::read(runtime, headers)?;
    if config.pass_paths.iter().any(|glob| glob.matches(place.path())) {
        return Ok(Choice::Pass);
    }
    let mut named = None;
    for (index, route) in config.routes.iter().enumerate() {
        if !place.is_of(route) {
            continue;
        }
        if route.when.iter().all(|claim| holds(claim, claims)) {
            return Ok(Choice::Judge(Policies::OfRoute(index), route.transport));
        }
        named = named.or(Some(route.transport));
    }
    Ok(match (named, config.unmatched) {
        // The place is policed, and nobody said what this caller may do there.
        (Some(transport), _) => Choice::Judge(Policies::None, transport),
        (None, Unmatched::Deny) => Choice::Judge(Policies::None, Transport::Streamable),
        (None, Unmatched::Pass) => Choice::Pass,
    })
}

/// Where a request goes: read as far as some route asks.
struct Place<'h> {
    headers: &'h Headers,
    host: OnceCell<String>,
    path: OnceCell<String>,
    route: Vec<u8>,
    cluster: Vec<u8>,
}

impl<'h> Place<'h> {
    fn read(runtime: &Runtime, headers: &'h Headers) -> host::Result<Self> {
        let needs = &runtime.config.needs;
        let name = |wanted, path: &[&str]| if wanted { host::property(path) } else { Ok(None) };
        Ok(Self {
            headers,
            host: OnceCell::new(),
            path: OnceCell::new(),
            route: name(needs.route, &["xds", "route_name"])?.unwrap_or_default(),
            cluster: name(needs.cluster, &["xds", "cluster_name"])?.unwrap_or_default(),
        })
    }

    fn host(&self) -> &str {
        self.host.get_or_init(|| plain_host(self.headers.first(":authority").unwrap_or_default()))
    }

    fn path(&self) -> &str {
        self.path.get_or_init(|| plain_path(self.headers.first(":path").unwrap_or_default()))
    }

    fn is_of(&self, route: &Route) -> bool {
        route.route.as_ref().is_none_or(|name| name.as_bytes() == self.route)
            && route.cluster.as_ref().is_none_or(|name| name.as_bytes() == self.cluster)
            && route.host.as_ref().is_none_or(|host| **host == *self.host())
            && route.path.as_ref().is_none_or(|path| path.matches(self.path()))
    }
}

/// Lower case, without port and trailing dot.
fn plain_host(authority: &str) -> String {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Without query, as servers see it: escapes of unreserved characters decoded, slashes merged, dot segments removed, no
/// trailing slash.
fn plain_path(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let decoded = decode_unreserved(path);
    let mut segments: Vec<&str> = Vec::new();
    for segment in decoded.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/"))
}

fn decode_unreserved(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (code, after.get(2..)) {
            (Some(byte), Some(tail)) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
                rest = tail;
            }
            _ => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Whether a claim equals the value, or is an array with an element that does.
fn holds(claim: &Claim, claims: &Claims) -> bool {
    let [name, rest @ ..] = claim.path.as_slice() else {
        return false;
    };
    claims.get(name).is_some_and(|value| value.at(rest).is_some_and(|value| value.is_or_holds(&claim.value)))
}
