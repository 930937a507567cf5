//! One configuration at work: what all streams that began under it share.

use std::cell::{Cell, OnceCell};
use std::fmt;

use policy::config::{self, Config, Mode, Route, Unmatched};
use policy::document::Policy;
use policy::pins::Lock;
use policy::quota::{Quota, QuotaError, StoreError};

use crate::hold::{self, Hold};
use crate::host::{self, Buffer, Level, Status};
use crate::leases::{self, Leases};
use crate::metrics::Metrics;
use crate::route::Policies;
use crate::store::{Counters, SharedData};

/// A configuration that has been accepted.
pub(crate) struct Runtime {
    pub(crate) config: Config,
    pub(crate) metrics: Metrics,
    /// Whether this worker holds heads.
    pub(crate) hold: Hold,
    /// The calls that run on this worker and count as long as they do.
    pub(crate) leases: Leases,
    /// How often Envoy calls `proxy_on_tick`, in ms; 0 for not at all.
    ticks: Cell<u32>,
    /// What the answers on each route are looked at for. Derived once, as each event of a stream asks.
    looks: Vec<Looks>,
    /// Whose the counters are: the plugin's root id and name.
    root: String,
    /// Where the counters are.
    pub(crate) store: Counters,
    /// Opened by the first call that is counted: configuring must have no effect on what others see.
    quota: OnceCell<Quota>,
}

/// Why a configuration was refused.
pub(crate) enum ConfigureError {
    Host(Status),
    Config(config::Errors),
    Unsupported(&'static str),
}

impl Runtime {
    /// Reads and checks the configuration that Envoy hands over.
    pub(crate) fn configure(size: usize) -> Result<Self, ConfigureError> {
        let bytes = if size == 0 { vec![] } else { host::bytes(Buffer::PluginConfiguration, size)? };
        let config = config::load(&bytes).map_err(ConfigureError::Config)?;
        if let Some(what) = unsupported(&config) {
            return Err(ConfigureError::Unsupported(what));
        }
        let root = format!("{}/{}", own("plugin_root_id")?, own("plugin_name")?);
        for warning in warnings(&config) {
            host::log(Level::Warn, &format!("mcp_policy: {warning}"));
        }
        let hold = Hold::new(config.request_headers);
        let looks = config.routes.iter().map(|route| Looks::of(&config, route)).collect();
        let (leases, ticks, store, quota) =
            (Leases::default(), Cell::new(0), Counters::new(SharedData), OnceCell::new());
        let runtime = Self { config, metrics: Metrics::define()?, hold, leases, ticks, looks, root, store, quota };
        runtime.adjust_ticks();
        Ok(runtime)
    }

    /// Has `proxy_on_tick` called as often as anything has to be looked after.
    pub(crate) fn adjust_ticks(&self) {
        let wanted = if self.hold.is_untried() {
            hold::TICK_MS
        } else if self.leases.is_empty() {
            0
        } else {
            leases::TICK_MS
        };
        if self.ticks.replace(wanted) != wanted && host::tick_every(wanted).is_err() {
            host::log(
                Level::Error,
                "mcp_policy: Envoy gives no ticks: held requests and running calls are not looked after",
            );
        }
    }

    /// Some time has passed. `stuck`: a request has been held in vain.
    pub(crate) fn tick(&self, stuck: bool) {
        self.hold.tick(stuck);
        if !self.leases.is_empty()
            && let Ok(quota) = self.quota()
        {
            self.leases.tick(quota, &self.store, &self.metrics);
        }
        self.adjust_ticks();
    }

    pub(crate) fn observes(&self) -> bool {
        self.config.mode == Mode::Observe
    }

    /// The counters, which all workers share.
    pub(crate) fn quota(&self) -> Result<&Quota, QuotaError> {
        if let Some(quota) = self.quota.get() {
            return Ok(quota);
        }
        let seed = host::random().map_err(|status| QuotaError::Store(StoreError { status: status.0 }))?;
        let quota = Quota::open(&self.store, &self.root, self.config.counters, seed)?;
        if quota.waits_for_restart() {
            host::log(Level::Warn, "mcp_policy: another counters.max_bytes takes effect only after a restart of Envoy");
        }
        Ok(self.quota.get_or_init(|| quota))
    }

    /// The policies of a route, each with its name.
    pub(crate) fn policies(&self, policies: &Policies) -> impl Iterator<Item = (&str, &Policy)> {
        let indices = match policies {
            Policies::None(_) => &[],
            Policies::OfRoute(route) => self.config.routes.get(*route).map_or(&[][..], |route| &route.policies),
        };
        indices.iter().filter_map(|index| self.config.policies.get(*index)).map(|(name, policy)| (&**name, policy))
    }

    /// The pinned tools of the server behind a route, with the lock's name.
    pub(crate) fn lock(&self, policies: &Policies) -> Option<(&str, &Lock)> {
        let Policies::OfRoute(route) = policies else { return None };
        let (name, lock) = self.config.locks.get(self.config.routes.get(*route)?.lock?)?;
        Some((name, lock))
    }

    /// Whose shared values are these: the plugin's root id and name.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// What answers are looked at for under these policies.
    pub(crate) fn looks(&self, policies: &Policies) -> Looks {
        match policies {
            Policies::OfRoute(route) => self.looks.get(*route).copied().unwrap_or_default(),
            Policies::None(_) => Looks::default(),
        }
    }
}

/// What an answer is looked at for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Looks {
    /// Something is taken out of listings, or they are held against pinned definitions.
    pub(crate) listings: bool,
    /// Something that a server could ask of its client is denied.
    pub(crate) servers: bool,
}

impl Looks {
    fn of(config: &Config, route: &Route) -> Self {
        if config.mode == Mode::Observe {
            return Self::default();
        }
        let policies = || route.policies.iter().filter_map(|index| config.policies.get(*index));
        Self {
            listings: route.lock.is_some() || policies().any(|(_, policy)| policy.filters_listings()),
            servers: policies().any(|(_, policy)| policy.judges_servers()),
        }
    }
}

/// A property of the plugin as a part of a path.
fn own(property: &str) -> Result<String, Status> {
    let text = host::property(&[property])?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&text).replace('%', "%25").replace('/', "%2F"))
}

/// What a configuration asks for that this filter cannot do. To accept it and not do it would be worse.
fn unsupported(config: &Config) -> Option<&'static str> {
    if config.approvals.is_some() {
        return Some("`approvals` is not supported yet: leave it out, and `require_approval` answers as a denial");
    }
    None
}

/// What an operator should know of a configuration that is accepted.
fn warnings(config: &Config) -> Vec<&'static str> {
    let mut warnings = vec![];
    if config.mode == Mode::Observe {
        warnings.push("observe mode: nothing is refused, hidden or withheld");
    }
    if config.unmatched == Unmatched::Pass && config.routes.iter().any(|route| route.path.is_some()) {
        warnings.push(
            "`unmatched` is `pass` and routes go by path: servers that answer at other paths too are reached there \
             unjudged. Name Envoy's route or cluster instead",
        );
    }
    warnings
}

impl ConfigureError {
    /// Whether every VM refuses the configuration for the same reason.
    pub(crate) fn is_of_the_text(&self) -> bool {
        !matches!(self, Self::Host(_))
    }
}

impl From<Status> for ConfigureError {
    fn from(status: Status) -> Self {
        Self::Host(status)
    }
}

impl fmt::Display for ConfigureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(status) => write!(f, "the configuration cannot be read: {status}"),
            Self::Config(errors) => errors.fmt(f),
            Self::Unsupported(what) => f.write_str(what),
        }
    }
}
