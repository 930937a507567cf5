//! What a policy shows of listings.

use super::{NOT_ALLOWED, Refusal};
use crate::document::model::{Action, Listing, Policy, Rule, Section};
use crate::listing::Kind;
use crate::pins::Lock;
use crate::uri;

impl Policy {
    /// Whether the policy takes anything out of listings.
    pub fn filters_listings(&self) -> bool {
        let hides = |section: &Section| !section.hide.is_empty();
        self.listing == Listing::Allowed || hides(&self.tools) || hides(&self.resources) || hides(&self.prompts)
    }

    /// Whether a listing shows an entry. Hiding is tidiness: what a listing does not show is refused when it is asked
    /// for, whether or not it was seen. `lock` has the tools of the server behind, if they are pinned.
    pub fn shows(&self, kind: Kind, name: &str, lock: Option<&Lock>) -> bool {
        let lists = |section: &Section, name: &str| section.lists(name, None, self.listing, lock);
        let resource = |normal: Result<String, _>| match normal {
            Ok(normal) => lists(&self.resources, &normal),
            // Reading or completing it would be refused.
            Err(_) => self.resources.is_unconditional() && lists(&self.resources, name),
        };
        match kind {
            Kind::Tools => self.tools.lists(name, Some(&self.all_tools), self.listing, lock),
            Kind::Prompts => lists(&self.prompts, name),
            Kind::Resources => resource(uri::normalize(name)),
            Kind::ResourceTemplates => resource(uri::normalize_template(name)),
        }
    }

    /// The rule that denies what a server sends to or asks of its client, if one does. The default is for requests of
    /// clients only.
    pub fn denies_of_server(&self, method: &str) -> Option<Refusal<'_>> {
        match self.methods.rule(method) {
            Some(Rule { action: Action::Deny { reason }, pointer, .. }) => {
                Some(Refusal::denied(pointer, reason.as_deref(), NOT_ALLOWED))
            }
            _ => None,
        }
    }

    /// Whether [`denies_of_server`](Self::denies_of_server) ever denies what a server could send.
    pub fn judges_servers(&self) -> bool {
        let denies = |rule: &Rule| matches!(rule.action, Action::Deny { .. });
        let exact = self.methods.exact.iter().any(|(name, rule)| denies(rule) && !is_of_clients(name));
        exact || self.methods.globs.iter().any(|(_, rule)| denies(rule))
    }
}

/// Methods that only clients ask for (MCP, server features).
fn is_of_clients(method: &str) -> bool {
    matches!(
        method,
        "initialize"
            | "server/discover"
            | "tools/list"
            | "tools/call"
            | "prompts/list"
            | "prompts/get"
            | "resources/list"
            | "resources/templates/list"
            | "resources/read"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "subscriptions/listen"
            | "completion/complete"
            | "logging/setLevel"
    )
}
