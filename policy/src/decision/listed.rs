//! What a policy shows of listings.

use std::borrow::Cow;

use crate::document::model::{Action, Default, Listing, Policy, Rule, Section};
use crate::listing::Kind;

impl Policy {
    /// Whether the policy takes anything out of listings.
    pub fn filters_listings(&self) -> bool {
        let hides = |section: &Section| !section.hide.is_empty();
        self.listing == Listing::Allowed || hides(&self.tools) || hides(&self.resources) || hides(&self.prompts)
    }

    /// Whether a listing shows an entry. Hiding is tidiness: what a listing does not show is refused when it is asked
    /// for, whether or not it was seen.
    pub fn shows(&self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::Tools => self.lists_tool(name),
            Kind::Prompts => self.lists(&self.prompts, name),
            Kind::Resources => match crate::uri::normalize(name) {
                Ok(normal) => self.lists(&self.resources, &normal),
                // Reading it would be refused.
                Err(_) => self.resources.is_unconditional() && self.lists(&self.resources, name),
            },
            // Templates need not be URIs.
            Kind::ResourceTemplates => {
                let normal = crate::uri::normalize(name).map_or(Cow::Borrowed(name), Cow::Owned);
                self.lists(&self.resources, &normal)
            }
        }
    }

    fn lists(&self, section: &Section, name: &str) -> bool {
        let denied = match section.rule(name) {
            Some(Rule { action: Action::Deny { .. }, .. }) => true,
            Some(_) => false,
            None => section.default == Default::Deny,
        };
        !section.hides(name) && (self.listing == Listing::All || !denied)
    }
}
