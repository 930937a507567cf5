//! Which paths the rules of a message record.

use crate::decision::Target;
use crate::document::model::{Policy, Rule};
use crate::document::path::Path;
use crate::uri;

/// Rules of so many resources of one request are asked what they record.
const MAX_URIS: usize = 8;

impl Policy {
    /// Calls `add` with each path that the rules for a target record.
    pub fn recorded<'p>(&'p self, target: &Target<'_>, mut add: impl FnMut(&'p Path)) {
        let mut rule = |rule: Option<&'p Rule>| rule.into_iter().flat_map(|rule| &rule.record).for_each(&mut add);
        match target {
            Target::Tool(name) => {
                rule(self.tools.rule(name));
                rule(Some(&self.all_tools));
            }
            Target::Prompt(name) => rule(self.prompts.rule(name)),
            Target::Resource(uri) => rule(uri::normalize(uri).ok().and_then(|uri| self.resources.rule(&uri))),
            Target::Template(uri) => rule(uri::normalize_template(uri).ok().and_then(|uri| self.resources.rule(&uri))),
            Target::Resources(uris) => {
                for uri in uris.iter().take(MAX_URIS) {
                    rule(uri::normalize(uri).ok().and_then(|uri| self.resources.rule(&uri)));
                }
            }
            Target::Passes | Target::Method => {}
        }
    }
}
