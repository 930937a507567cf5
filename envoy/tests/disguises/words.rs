//! What a server's tools are called, and what one exchange is told apart by.

use envoy::servers::{Executed, Kind, Tools};

/// Fills templates for one exchange with one server.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    tools: Tools,
    tag: String,
}

/// How an allowed word begins.
pub(crate) const GOOD: &str = "good_";
/// How any other word begins.
const BAD: &str = "bad_";

impl Words {
    /// `tag` is unlike that of any other exchange with the server.
    pub(crate) fn new(kind: Kind, tag: String) -> Self {
        Self { tools: kind.tools(), tag }
    }

    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// Puts in for `ALLOWED` and `FORBIDDEN` the tools, for `WORD` the argument's name (`ESCAPED_WORD`: with an escape,
    /// `CAPITAL_WORD`: with a capital), and for `GOOD` and `BAD` a word that the policy allows and one that it does not.
    pub(crate) fn fill(&self, template: &str) -> String {
        let Tools { allowed, forbidden, argument } = self.tools;
        let (first, rest) = argument.split_at(1);
        let escaped: String = first.bytes().map(|byte| format!("\\u{byte:04x}")).chain([rest.to_owned()]).collect();
        template
            .replace("ALLOWED", allowed)
            .replace("FORBIDDEN", forbidden)
            .replace("ESCAPED_WORD", &escaped)
            .replace("CAPITAL_WORD", &[&first.to_uppercase(), rest].concat())
            .replace("WORD", argument)
            .replace("GOOD", &format!("{GOOD}{}", self.tag))
            .replace("BAD", &format!("{BAD}{}", self.tag))
    }

    /// Whether a call was made in this exchange.
    pub(crate) fn made(&self, call: &Executed) -> bool {
        [GOOD, BAD].iter().any(|kind| call.word.strip_prefix(kind) == Some(&self.tag))
    }
}

/// Whether the policy allows what was executed.
pub(crate) fn is_allowed(kind: Kind, call: &Executed) -> bool {
    call.tool == kind.tools().allowed && call.word.starts_with(GOOD)
}
