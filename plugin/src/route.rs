//! Which policies a request is judged by.

use std::cell::OnceCell;

use policy::config::{self, Claim, RequestPath, Transport, plain_host};
pub(crate) use policy::config::{Choice, Policies, Uncovered};

use crate::caller::Claims;
use crate::host::{self, Headers};
use crate::runtime::Runtime;

/// Chooses the first route that matches.
pub(crate) fn choose(runtime: &Runtime, headers: &Headers, claims: &Claims) -> host::Result<Choice> {
    let raw = headers.first(":path").unwrap_or_default();
    Ok(runtime.config.choose(&Place::read(runtime, headers, claims, raw)?))
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
    match Place::read(runtime, headers, claims, path).map(|place| runtime.config.choose(&place)) {
        Ok(Choice::Judge(there, Transport::Sse(_))) => names(policies).is_some() && names(policies) == names(&there),
        _ => false,
    }
}

/// Where a request goes: read as far as some route asks.
struct Place<'h> {
    headers: &'h Headers,
    claims: &'h Claims,
    /// The path as it came, query and all.
    raw: &'h str,
    host: OnceCell<String>,
    path: OnceCell<RequestPath<'h>>,
    route: Vec<u8>,
    cluster: Vec<u8>,
}

impl<'h> Place<'h> {
    fn read(runtime: &Runtime, headers: &'h Headers, claims: &'h Claims, raw: &'h str) -> host::Result<Self> {
        let needs = &runtime.config.needs;
        let name = |wanted, path: &[&str]| if wanted { host::property(path) } else { Ok(None) };
        Ok(Self {
            headers,
            claims,
            raw,
            host: OnceCell::new(),
            path: OnceCell::new(),
            route: name(needs.route, &["xds", "route_name"])?.unwrap_or_default(),
            cluster: name(needs.cluster, &["xds", "cluster_name"])?.unwrap_or_default(),
        })
    }
}

impl config::Place for Place<'_> {
    fn host(&self) -> &str {
        self.host.get_or_init(|| plain_host(self.headers.first(":authority").unwrap_or_default()))
    }

    fn path(&self) -> &RequestPath<'_> {
        self.path.get_or_init(|| RequestPath::of(self.raw))
    }

    fn is_on_route(&self, name: &str) -> bool {
        name.as_bytes() == self.route
    }

    fn is_for_cluster(&self, name: &str) -> bool {
        name.as_bytes() == self.cluster
    }

    fn has(&self, claim: &Claim) -> bool {
        let [name, rest @ ..] = claim.path.as_slice() else {
            return false;
        };
        let value = self.claims.get(name);
        value.is_some_and(|value| value.at(rest).is_some_and(|value| value.is_or_holds(&claim.value)))
    }
}
