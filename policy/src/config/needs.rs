//! What the rules look at.

use super::model::{Config, GrantSource, Needs};
use crate::document::model::{Rule, Scope, Store};
use crate::document::path::{Path, Root, Step};
use crate::quota::Window;

impl Needs {
    /// What the rules, routes and sources of a configuration look at.
    pub(super) fn of(config: &Config) -> Self {
        let from_metadata =
            |source: &GrantSource| matches!(source, GrantSource::JwtClaim { .. } | GrantSource::Metadata { .. });
        let mut needs = Self {
            metadata: config.identity.grant.iter().any(from_metadata)
                || config.routes.iter().any(|route| !route.when.is_empty()),
            route: config.routes.iter().any(|route| route.route.is_some()),
            cluster: config.routes.iter().any(|route| route.cluster.is_some()),
            // A policy that is tried on the records may look at these.
            client_ip: config.audit.is_some(),
            wall_time: config.audit.is_some(),
            ..Self::default()
        };
        for rule in config.policies.iter().flat_map(|(_, policy)| policy.rules()) {
            needs.add(rule);
            if config.audit.is_some() {
                rule.record.iter().for_each(|path| needs.add_path(path));
            }
        }
        needs
    }

    fn add(&mut self, rule: &Rule) {
        for condition in rule.require.iter().chain(&rule.deny_if).flat_map(|predicate| &predicate.conditions) {
            self.add_path(&condition.path);
        }
        for limit in &rule.limits {
            self.calendar |= limit.store == Store::Local && matches!(limit.window, Window::Calendar(_));
            self.client_ip |= limit.scope == Scope::ClientIp;
            self.metadata |= matches!(limit.scope, Scope::Claim(_));
        }
    }

    fn add_path(&mut self, path: &Path) {
        match (&path.root, path.steps.first()) {
            (Root::Claims, Some(Step::Key(name))) => {
                self.claims.insert(name.to_string());
                self.metadata = true;
            }
            (Root::Hour | Root::Weekday, _) => self.wall_time = true,
            _ => {}
        }
    }
}
