//! Which policies a request is judged by.

use std::cell::OnceCell;

use policy::config::{Claim, Route, Unmatched};
use policy::decision::{NO_GRANT, NO_POLICY};
use policy::document::Glob;

use crate::caller::Claims;
use crate::host::{self, Headers};
use crate::runtime::Runtime;

/// What becomes of a request before its body is looked at.
pub(crate) enum Choice {
    /// It is not this filter's business.
    Pass,
    /// It is judged.
    Judge(Policies),
}

/// The policies of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policies {
    /// None covers it: whatever it asks for is denied.
    None(Uncovered),
    /// Those of a route, by its index in the configuration.
    OfRoute(usize),
}

/// Why no policy covers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uncovered {
    /// No route names the place.
    Place,
    /// The place is policed, and nobody said what this caller may do there.
    Caller,
    /// The credential that the caller is told by is not clear.
    Grant,
}

impl Uncovered {
    /// The rule that is reported.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Place | Self::Caller => NO_POLICY,
            Self::Grant => NO_GRANT,
        }
    }
}

/// Chooses the first route that matches.
pub(crate) fn choose(runtime: &Runtime, headers: &Headers, claims: &Claims) -> host::Result<Choice> {
    let config = &runtime.config;
    let place = Place::read(runtime, headers)?;
    if !config.pass_paths.is_empty() && place.passes(&config.pass_paths) {
        return Ok(Choice::Pass);
    }
    let mut uncovered = None;
    for (index, route) in config.routes.iter().enumerate() {
        match place.is_of(route) {
            Match::No => {}
            // The route may be meant, so no later one and no `unmatched` may have it.
            Match::Unclear => return Ok(Choice::Judge(Policies::None(Uncovered::Place))),
            Match::Yes if route.when.iter().all(|claim| holds(claim, claims)) => {
                return Ok(Choice::Judge(Policies::OfRoute(index)));
            }
            Match::Yes => uncovered = Some(Uncovered::Caller),
        }
    }
    Ok(match (uncovered, config.unmatched) {
        (Some(why), _) => Choice::Judge(Policies::None(why)),
        (None, Unmatched::Deny) => Choice::Judge(Policies::None(Uncovered::Place)),
        (None, Unmatched::Pass) => Choice::Pass,
    })
}

/// Whether a request goes where a route says.
enum Match {
    Yes,
    No,
    /// Servers may differ.
    Unclear,
}

/// Where a request goes: read as far as some route asks.
struct Place<'h> {
    headers: &'h Headers,
    host: OnceCell<String>,
    /// None if servers may read the path differently.
    path: OnceCell<Option<String>>,
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

    fn path(&self) -> Option<&str> {
        self.path.get_or_init(|| plain_path(self.headers.first(":path")?)).as_deref()
    }

    /// Whether the path is one that passes unjudged, and is written in the one way that no server can take for another.
    fn passes(&self, globs: &[Glob]) -> bool {
        let raw = self.headers.first(":path").unwrap_or_default();
        let raw = raw.split('?').next().unwrap_or_default();
        self.path() == Some(raw) && !raw.contains(['%', ';']) && globs.iter().any(|glob| glob.matches(raw))
    }

    fn is_of(&self, route: &Route) -> Match {
        let elsewhere = route.route.as_ref().is_some_and(|name| name.as_bytes() != self.route)
            || route.cluster.as_ref().is_some_and(|name| name.as_bytes() != self.cluster)
            || route.host.as_ref().is_some_and(|host| **host != *self.host());
        match (&route.path, elsewhere) {
            (_, true) => Match::No,
            (None, false) => Match::Yes,
            (Some(glob), false) => match self.path() {
                None => Match::Unclear,
                Some(path) if glob.matches(path) => Match::Yes,
                Some(_) => Match::No,
            },
        }
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
/// trailing slash. None if some server may see another path: it holds a backslash or an encoded separator.
fn plain_path(path: &str) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    if path.contains('\\') || ["%2f", "%5c", "%00", "%25"].iter().any(|escape| lower.contains(escape)) {
        return None;
    }
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
    Some(format!("/{}", segments.join("/")))
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
