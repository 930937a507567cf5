use std::fmt;

use policy::config::Config;
use policy::decision::{BATCH, Refusal, RefusalKind, Target};
use policy::message::{Id, Message, Params};
use policy::reply::{self, Exhausted, Style};

use crate::route::Uncovered;

/// A refusal with all that its reply says.
pub(crate) struct Refused<'m> {
    pub(crate) refusal: Refusal<'m>,
    /// The policy that refuses, by its name.
    pub(crate) policy: &'m str,
    pub(super) method: &'m str,
    pub(super) target: Target<'m>,
    pub(super) exhausted: Option<Exhausted>,
    /// Results must say their type.
    pub(super) result_type: bool,
}

impl<'m> Refused<'m> {
    /// No policy covers the request: whatever it says is refused.
    pub(super) fn uncovered(message: &'m Message<'_>, why: Uncovered) -> Self {
        Self::of(message, "", Refusal { kind: RefusalKind::Denied, rule: why.rule(), reason: why.reason().into() })
    }

    /// A message that would be allowed, in a batch with one that is not: servers run a batch whole.
    pub(crate) fn with_its_batch(message: &'m Message<'_>) -> Self {
        let reason = "Another message of this batch is refused, so none of it was sent on.";
        Self::of(message, "", Refusal { kind: RefusalKind::Denied, rule: BATCH, reason: reason.into() })
    }

    pub(super) fn of(message: &'m Message<'_>, policy: &'m str, refusal: Refusal<'m>) -> Self {
        let (method, target) = match (message.method(), message.params()) {
            (Some(method), Some(params)) => (method, Target::of(method, params)),
            _ => ("a response", Target::Method),
        };
        let result_type = message.params().is_some_and(Params::is_stateless);
        Self { refusal, policy, method, target, exhausted: None, result_type }
    }

    pub(crate) fn reply(&self, id: &Id, config: &Config) -> Vec<u8> {
        let style = Style { result_type: self.result_type, ..Style::of(config) };
        reply::refusal(id, &self.target, &self.refusal, self.exhausted, style)
    }
}

/// One line for the log. Names only what the policy says, or what a server could have named so: never arguments.
impl fmt::Display for Refused<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.refusal.kind {
            RefusalKind::Denied => "denied",
            RefusalKind::Hidden => "hidden",
            RefusalKind::Limited => "limited",
            RefusalKind::ApprovalRequired => "waiting for approval",
        };
        write!(f, "{what}: {}", loggable(self.method))?;
        if let Target::Tool(name) = self.target {
            write!(f, " {}", loggable(name))?;
        }
        f.write_str(" by ")?;
        if !self.policy.is_empty() {
            write!(f, "{} ", self.policy)?;
        }
        f.write_str(self.refusal.rule)
    }
}

/// A name, if it has no characters that could forge a line of the log.
fn loggable(name: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.$".contains(&byte);
    if (1..=128).contains(&name.len()) && name.bytes().all(plain) { name } else { "(unnamable)" }
}
