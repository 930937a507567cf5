//! Which policies a request is judged by.

use super::model::{Claim, Config, Route, Transport, Unmatched};
use super::paths::{Named, RequestPath};
use crate::decision::{NO_GRANT, NO_POLICY};

/// Where a request goes, and who sends it: read as far as some route asks.
pub trait Place {
    /// The host, as [`plain_host`] has it.
    fn host(&self) -> &str;
    /// The path.
    fn path(&self) -> &RequestPath<'_>;
    /// Whether Envoy has chosen the route of this name.
    fn is_on_route(&self, name: &str) -> bool;
    /// Whether Envoy has chosen the cluster of this name.
    fn is_for_cluster(&self, name: &str) -> bool;
    /// Whether a claim of the caller equals the value, or is an array with an element that does.
    fn has(&self, claim: &Claim) -> bool;
}

/// What becomes of a request before its body is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It is not the filter's business.
    Pass,
    /// It is judged, and messages travel so.
    Judge(Policies, Transport),
}

/// The policies of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policies {
    /// None covers it: whatever it asks for is denied.
    None(Uncovered),
    /// Those of a route, by its index in the configuration.
    OfRoute(usize),
}

/// Why no policy covers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncovered {
    /// No route names the place.
    Place,
    /// The place is policed, and nobody said what this caller may do there.
    Caller,
    /// The credential that the caller is told by is not clear.
    Grant,
}

impl Uncovered {
    /// The rule that is reported.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Place | Self::Caller => NO_POLICY,
            Self::Grant => NO_GRANT,
        }
    }

    /// What the agent is told.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Place | Self::Caller => "No policy allows this here.",
            Self::Grant => "The credential that calls are made under is unclear.",
        }
    }
}

impl Config {
    /// Chooses the first route that matches.
    pub fn choose(&self, place: &impl Place) -> Choice {
        if !self.pass_paths.is_empty()
            && let Some(path) = place.path().plainest()
            && self.pass_paths.iter().any(|glob| glob.matches(path))
        {
            return Choice::Pass;
        }
        let mut uncovered = None;
        for (index, route) in self.routes.iter().enumerate() {
            match route.names(place) {
                Named::No => {}
                // The route may be meant, so no later one and no `unmatched` may have it.
                Named::Unclear => return Choice::Judge(Policies::None(Uncovered::Place), route.transport),
                Named::Yes if route.when.iter().all(|claim| place.has(claim)) => {
                    return Choice::Judge(Policies::OfRoute(index), route.transport);
                }
                Named::Yes => uncovered = Some(route.transport),
            }
        }
        match (uncovered, self.unmatched) {
            (Some(transport), _) => Choice::Judge(Policies::None(Uncovered::Caller), transport),
            (None, Unmatched::Deny) => Choice::Judge(Policies::None(Uncovered::Place), Transport::Streamable),
            (None, Unmatched::Pass) => Choice::Pass,
        }
    }
}

impl Route {
    /// Whether a request goes where the route says.
    fn names(&self, place: &impl Place) -> Named {
        let elsewhere = self.route.as_ref().is_some_and(|name| !place.is_on_route(name))
            || self.cluster.as_ref().is_some_and(|name| !place.is_for_cluster(name))
            || self.host.as_ref().is_some_and(|host| **host != *place.host());
        match (&self.path, elsewhere) {
            (_, true) => Named::No,
            (None, false) => Named::Yes,
            (Some(glob), false) => glob.names(place.path()),
        }
    }
}

/// Lower case, without port and trailing dot.
pub fn plain_host(authority: &str) -> String {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}
