//! Where a request goes and who sends it, as somebody has written it down.

use policy::config::{self, Claim, RequestPath, plain_host};
use serde_json::{Map, Value};

/// What routes are chosen by.
pub(crate) struct Place<'p> {
    host: String,
    path: RequestPath<'p>,
    route: &'p str,
    cluster: &'p str,
    claims: &'p Map<String, Value>,
}

impl<'p> Place<'p> {
    /// The host and path of a request, the names of the route and cluster that Envoy has chosen, and the caller's claims.
    pub(crate) fn new(
        host: &str,
        path: &'p str,
        route: &'p str,
        cluster: &'p str,
        claims: &'p Map<String, Value>,
    ) -> Self {
        Self { host: plain_host(host), path: RequestPath::of(path), route, cluster, claims }
    }
}

impl config::Place for Place<'_> {
    fn host(&self) -> &str {
        &self.host
    }

    fn path(&self) -> &RequestPath<'_> {
        &self.path
    }

    fn is_on_route(&self, name: &str) -> bool {
        name == self.route
    }

    fn is_for_cluster(&self, name: &str) -> bool {
        name == self.cluster
    }

    fn has(&self, claim: &Claim) -> bool {
        let [name, rest @ ..] = claim.path.as_slice() else { return false };
        let inside = |value| rest.iter().try_fold(value, |value: &Value, key| value.get(&**key));
        match self.claims.get(&**name).and_then(inside) {
            Some(Value::Array(elements)) => elements.iter().any(|element| *element == *claim.value),
            Some(value) => *value == *claim.value,
            None => false,
        }
    }
}
