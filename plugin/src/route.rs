//! Which policies a request is judged by.

use std::cell::OnceCell;

use policy::config::{Claim, Named, RequestPath, Route, Transport, Unmatched};
use policy::decision::{NO_GRANT, NO_POLICY};

use crate::caller::Claims;
use crate::host::{self, Headers};
use crate::runtime::Runtime;

/// What becomes of a request before its body is looked at.
pub(crate) enum Choice {
    /// It is not this filter's business.
    Pass,
    /// It is judged, and messages travel so.
    Judge(Policies, Transport),
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
    let raw = headers.first(":path").unwrap_or_default();
    Ok(Place::read(runtime, headers, raw)?.choose(runtime, claims))
}

/// Whether a request to another path of the same origin, an event stream's `endpoint`, would be judged by the same
/// policies as the request with these headers. Which route and cluster Envoy would choose for it cannot be asked: those
/// of the stream are taken.
pub(crate) fn is_policed_alike(
    runtime: &Runtime,
    headers: &Headers,
    claims: &Claims,
    policies: &Policies,
    path: &str,
) -> bool {
    let names = |policies: &Policies| match policies {
        Policies::OfRoute(index) => runtime.config.routes.get(*index).map(|route| &route.policies),
        Policies::None(_) => None,
    };
    match Place::read(runtime, headers, path).map(|place| place.choose(runtime, claims)) {
        Ok(Choice::Judge(there, Transport::Sse(_))) => names(policies).is_some() && names(policies) == names(&there),
        _ => false,
    }
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
    /// The path as it came, query and all.
    raw: &'h str,
    host: OnceCell<String>,
    path: OnceCell<RequestPath<'h>>,
    route: Vec<u8>,
    cluster: Vec<u8>,
}

impl<'h> Place<'h> {
    fn read(runtime: &Runtime, headers: &'h Headers, raw: &'h str) -> host::Result<Self> {
        let needs = &runtime.config.needs;
        let name = |wanted, path: &[&str]| if wanted { host::property(path) } else { Ok(None) };
        Ok(Self {
            headers,
            raw,
            host: OnceCell::new(),
            path: OnceCell::new(),
            route: name(needs.route, &["xds", "route_name"])?.unwrap_or_default(),
            cluster: name(needs.cluster, &["xds", "cluster_name"])?.unwrap_or_default(),
        })
    }

    fn choose(&self, runtime: &Runtime, claims: &Claims) -> Choice {
        let config = &runtime.config;
        if !config.pass_paths.is_empty()
            && let Some(path) = self.path().plainest()
            && config.pass_paths.iter().any(|glob| glob.matches(path))
        {
            return Choice::Pass;
        }
        let mut uncovered = None;
        for (index, route) in config.routes.iter().enumerate() {
            match self.is_of(route) {
                Match::No => {}
                // The route may be meant, so no later one and no `unmatched` may have it.
                Match::Unclear => return Choice::Judge(Policies::None(Uncovered::Place), route.transport),
                Match::Yes if route.when.iter().all(|claim| holds(claim, claims)) => {
                    return Choice::Judge(Policies::OfRoute(index), route.transport);
                }
                Match::Yes => uncovered = Some(route.transport),
            }
        }
        match (uncovered, config.unmatched) {
            (Some(transport), _) => Choice::Judge(Policies::None(Uncovered::Caller), transport),
            (None, Unmatched::Deny) => Choice::Judge(Policies::None(Uncovered::Place), Transport::Streamable),
            (None, Unmatched::Pass) => Choice::Pass,
        }
    }

    fn host(&self) -> &str {
        self.host.get_or_init(|| plain_host(self.headers.first(":authority").unwrap_or_default()))
    }

    fn path(&self) -> &RequestPath<'h> {
        self.path.get_or_init(|| RequestPath::of(self.raw))
    }

    fn is_of(&self, route: &Route) -> Match {
        let elsewhere = route.route.as_ref().is_some_and(|name| name.as_bytes() != self.route)
            || route.cluster.as_ref().is_some_and(|name| name.as_bytes() != self.cluster)
            || route.host.as_ref().is_some_and(|host| **host != *self.host());
        match (&route.path, elsewhere) {
            (_, true) => Match::No,
            (None, false) => Match::Yes,
            (Some(glob), false) => match glob.names(self.path()) {
                Named::Yes => Match::Yes,
                Named::Unclear => Match::Unclear,
                Named::No => Match::No,
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

/// Whether a claim equals the value, or is an array with an element that does.
fn holds(claim: &Claim, claims: &Claims) -> bool {
    let [name, rest @ ..] = claim.path.as_slice() else {
        return false;
    };
    claims.get(name).is_some_and(|value| value.at(rest).is_some_and(|value| value.is_or_holds(&claim.value)))
}
