//! What becomes of a call.
//!
//! The order is fixed, and the first that refuses decides: hidden, no rule (default), action deny, `schema` (the
//! tool's, then all_tools'), `require` (likewise), `deny_if` (likewise), limits looked at, approval, limits taken. [`judge`] goes up to the
//! limits and says what must be taken; the [`quota`](crate::quota) counts.

mod body;
mod context;
mod facts;
mod listed;
pub(crate) mod look;
mod operand;
mod target;
mod truth;
mod walk;
mod watch;

pub use body::{Due, Judged, JudgedBody, judge_body};
pub use context::Effort;
pub use facts::{Facts, Header};
pub use operand::Operand;
pub use target::Target;
pub use truth::{List, Truth};
pub use walk::{LookalikeArgument, Unasked};
pub use watch::{Seen, Watch};

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::document::glob::Glob;
use crate::document::model::{
    Action, ArgumentSchema, Default, Limit, Listing, Policy, Predicate, Rule, SchemaSource, Section,
};
use crate::document::path::Root;
use crate::json::Value;
use crate::message::Params;
use crate::pins::Lock;
use crate::schema::Schema;
use crate::uri::{self, UriError};
use context::Context;

/// What a policy says of a request or notification.
#[derive(Debug)]
pub enum Decision<'p> {
    /// It may pass, once all of these are taken.
    Allow(Takings<'p>),
    /// It may pass if somebody approves; and all of these can be, and then are, taken.
    Approve(Refusal<'p>, Takings<'p>),
    /// It does not pass.
    Refuse(Refusal<'p>),
}

/// What a call takes from its limits: mostly one, or two.
pub type Takings<'p> = SmallVec<[Taking<'p>; 2]>;

/// What a call takes from one limit.
#[derive(Debug, Clone, Copy)]
pub struct Taking<'p> {
    /// The limit it is taken from.
    pub limit: &'p Limit,
    /// How much, in the limit's unit.
    pub amount: u64,
}

/// Why a call does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal<'p> {
    /// How the client is answered.
    pub kind: RefusalKind,
    /// The rule that decided, as a path into the policy, or in parentheses where none did.
    pub rule: &'p str,
    /// What the agent is told, in the policy's words or ours.
    pub reason: Cow<'p, str>,
}

/// How a refused call is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// As if the target did not exist.
    Hidden,
    /// With the reason.
    Denied,
    /// With the reason, as somebody could approve it.
    ApprovalRequired,
    /// With the reason and when to try again.
    Limited,
}

/// The rule reported for a target in `hide`.
pub const HIDDEN: &str = "(hidden)";
/// The rule reported where no rule names the target and the default is deny.
pub const DEFAULT_DENY: &str = "(default deny)";
/// The rule reported for a request that no policy of the configuration covers.
pub const NO_POLICY: &str = "(no policy)";
/// The rule reported for a call without the credential that the configuration requires.
pub const NO_GRANT: &str = "(no grant)";

/// The rule reported for a message that could pass by itself, in a batch of which another is refused.
pub const BATCH: &str = "(batch)";

const NOT_ALLOWED: &str = "This is not allowed by policy.";
const NEEDS_APPROVAL: &str = "This needs approval.";
const REQUIREMENT_FAILED: &str = "The arguments are not allowed by policy.";
const NO_SCHEMA: &str = "No schema is pinned for this tool's arguments.";
const AMOUNT_UNCLEAR: &str = "The amount that this call spends is missing or unclear.";
const TOO_MANY_URIS: &str = "These are too many or too long URIs for one request.";
/// What judging a URI costs beside its bytes, in bytes.
const URI_COST: usize = 64;
const TOO_MUCH: &str = "These arguments are too large for all that policy checks of them.";
const ARGUMENT_UNCLEAR: &str = "An argument's name could be mistaken for one that policy checks.";

/// Judges a request or notification by one policy. `lock` has the tools of the server behind, if they are pinned. All messages
/// of one body share one `effort`.
pub fn judge<'p>(
    policy: &'p Policy,
    method: &str,
    params: &Params<'_>,
    lock: Option<&Lock>,
    facts: &dyn Facts,
    effort: &Effort,
) -> Decision<'p> {
    judge_watched(policy, method, params, lock, facts, effort, &())
}

/// [`judge`], while somebody looks on.
pub fn judge_watched<'p, W: Watch>(
    policy: &'p Policy,
    method: &str,
    params: &Params<'_>,
    lock: Option<&Lock>,
    facts: &dyn Facts,
    effort: &Effort,
    watch: &W,
) -> Decision<'p> {
    let context = &Context { arguments: &params.arguments, lock, facts, effort, watch };
    if let Some(Rule { action: Action::Deny { reason }, pointer, .. }) = policy.methods.rule(method) {
        return Decision::Refuse(Refusal::denied(pointer, reason.as_deref(), NOT_ALLOWED));
    }
    match Target::of(method, params) {
        Target::Passes => Decision::Allow(Takings::new()),
        Target::Method => policy.judge_method(method),
        Target::Tool(name) => policy.tools.judge(name, Some(&policy.all_tools), policy.listing, context),
        Target::Prompt(name) => policy.prompts.judge(&name, None, policy.listing, context),
        Target::Resource(uri) => policy.judge_resource(&uri, uri::normalize, context),
        Target::Template(uri) => policy.judge_resource(&uri, uri::normalize_template, context),
        Target::Resources(uris) => policy.judge_resources(uris, context),
    }
}

impl Policy {
    fn judge_resource<W: Watch>(
        &self,
        uri: &str,
        normalize: fn(&str) -> Result<String, UriError>,
        context: &Context<'_, '_, W>,
    ) -> Decision<'_> {
        if self.resources.is_unconditional() {
            return self.resources.judge(uri, None, self.listing, context);
        }
        if !context.affords_uri(uri.len().saturating_add(URI_COST)) {
            return Decision::Refuse(Refusal::denied("/resources", None, TOO_MANY_URIS));
        }
        match normalize(uri) {
            Ok(normal) => self.resources.judge(&normal, None, self.listing, context),
            Err(_) => Decision::Refuse(Refusal::denied("/resources", None, "The URI is ambiguous.")),
        }
    }

    /// All of the resources must be allowed. What they take is taken together, once from each limit.
    fn judge_resources<W: Watch>(&self, uris: &[Cow<'_, str>], context: &Context<'_, '_, W>) -> Decision<'_> {
        let mut all = Takings::new();
        let mut approval = None;
        for uri in uris {
            let takings = match self.judge_resource(uri, uri::normalize, context) {
                Decision::Allow(takings) => takings,
                Decision::Approve(refusal, takings) => {
                    approval = approval.or(Some(refusal));
                    takings
                }
                refused @ Decision::Refuse(_) => return refused,
            };
            for taking in takings {
                if !all.iter().any(|taken| core::ptr::eq(taken.limit, taking.limit)) {
                    all.push(taking);
                }
            }
        }
        match approval {
            Some(refusal) => Decision::Approve(refusal, all),
            None => Decision::Allow(all),
        }
    }

    fn judge_method(&self, method: &str) -> Decision<'_> {
        match self.methods.rule(method) {
            // A rule that denies has been looked at.
            Some(_) => Decision::Allow(Takings::new()),
            None if self.default == Default::Allow => Decision::Allow(Takings::new()),
            None => Decision::Refuse(Refusal::denied(DEFAULT_DENY, None, NOT_ALLOWED)),
        }
    }
}

impl Policy {
    /// Every limit of the policy.
    pub fn limits(&self) -> impl Iterator<Item = &Limit> {
        self.rules().flat_map(|rule| &rule.limits)
    }
}

impl Section {
    /// Whether the name is in `hide`, which has no exceptions.
    pub fn hides(&self, name: &str) -> bool {
        self.hidden_by(name).is_some()
    }

    /// The first entry of `hide` that the name is in.
    pub fn hidden_by(&self, name: &str) -> Option<&Glob> {
        self.hide.iter().find(|glob| glob.matches(name))
    }

    /// The rule for a name: the exact name's, else that of the glob with most literal characters.
    pub fn rule(&self, name: &str) -> Option<&Rule> {
        let by_glob = || self.globs.iter().find(|(glob, _)| glob.matches(name)).map(|(_, rule)| rule);
        self.exact.get(name).or_else(by_glob)
    }

    /// Judges a target by its rule, and by a rule that is added to all that are not denied.
    fn judge<'p, W: Watch>(
        &'p self,
        name: &str,
        all: Option<&'p Rule>,
        listing: Listing,
        context: &Context<'_, '_, W>,
    ) -> Decision<'p> {
        context.watch.see(Seen::Target { section: self, name });
        let rule = self.rule(name);
        if let Some(refusal) = self.refuses_outright(name, rule) {
            return Decision::Refuse(match listing {
                Listing::Allowed => Refusal { kind: RefusalKind::Hidden, ..refusal },
                Listing::All => refusal,
            });
        }
        let decision = match (rule, all) {
            (Some(rule), all) => rule.judge(name, all, context),
            (None, Some(all)) => all.judge(name, None, context),
            (None, None) => Decision::Allow(Takings::new()),
        };
        match decision {
            Decision::Refuse(refusal) if !self.lists(name, all, listing, context.lock) => {
                Decision::Refuse(Refusal { kind: RefusalKind::Hidden, ..refusal })
            }
            decision => decision,
        }
    }

    /// Why the target is refused whatever its arguments and whoever asks, if it is.
    fn refuses_outright<'p>(&'p self, name: &str, rule: Option<&'p Rule>) -> Option<Refusal<'p>> {
        if self.hides(name) {
            return Some(Refusal::hidden(HIDDEN));
        }
        match rule {
            Some(Rule { action: Action::Deny { reason }, pointer, .. }) => {
                Some(Refusal::denied(pointer, reason.as_deref(), NOT_ALLOWED))
            }
            Some(Rule { schema: Some(schema), .. }) if schema.is_never() => {
                Some(Refusal::denied(&schema.pointer, None, REQUIREMENT_FAILED))
            }
            Some(rule) => {
                let always = rule.deny_if.iter().find(|predicate| predicate.conditions.is_empty());
                always.map(|predicate| predicate.refusal())
            }
            None if self.default == Default::Deny => Some(Refusal::denied(DEFAULT_DENY, None, NOT_ALLOWED)),
            None => None,
        }
    }

    /// Whether a list shows the target.
    fn lists(&self, name: &str, all: Option<&Rule>, listing: Listing, lock: Option<&Lock>) -> bool {
        match listing {
            Listing::All => !self.hides(name),
            Listing::Allowed => {
                self.refuses_outright(name, self.rule(name)).is_none() && !self.lacks_schema(name, all, lock)
            }
        }
    }

    /// Whether rules go by a schema of the target's that is not pinned, so that they refuse it whatever its arguments.
    fn lacks_schema(&self, name: &str, all: Option<&Rule>, lock: Option<&Lock>) -> bool {
        let mut schemas = self.rule(name).into_iter().chain(all).filter_map(|rule| rule.schema.as_deref());
        schemas.any(|schema| schema.of(name, lock).is_none())
    }

    /// Whether every name is treated alike.
    fn is_unconditional(&self) -> bool {
        self.hide.is_empty() && self.exact.is_empty() && self.globs.is_empty()
    }
}

impl Rule {
    fn judge<'p, W: Watch>(&'p self, name: &str, all: Option<&'p Rule>, context: &Context<'_, '_, W>) -> Decision<'p> {
        let rules = || core::iter::once(self).chain(all);
        if let Action::Deny { reason } = &self.action {
            return Decision::Refuse(Refusal::denied(&self.pointer, reason.as_deref(), NOT_ALLOWED));
        }
        for schema in rules().filter_map(|rule| rule.schema.as_deref()) {
            if (schema.is_never() || context.watch.knows_arguments(schema))
                && let Some(refusal) = schema.refuses(name, context)
            {
                return Decision::Refuse(refusal);
            }
        }
        let required = rules().flat_map(|rule| &rule.require).map(|predicate| (List::Require, predicate));
        let denied = rules().flat_map(|rule| &rule.deny_if).map(|predicate| (List::DenyIf, predicate));
        for (list, predicate) in required.chain(denied) {
            if let Some(refusal) = predicate.refuses(list, context) {
                return Decision::Refuse(refusal);
            }
        }
        let mut takings = Takings::new();
        for limit in rules().flat_map(|rule| &rule.limits) {
            let amount = context.watch.amount(limit, limit.amount(context));
            context.watch.see(Seen::Limit(limit, amount));
            match amount {
                Some(amount) => takings.push(Taking { limit, amount }),
                None => return Decision::Refuse(Refusal::denied(&limit.pointer, None, AMOUNT_UNCLEAR)),
            }
        }
        match &self.action {
            Action::RequireApproval { reason } => {
                let reason = reason.as_deref().unwrap_or(NEEDS_APPROVAL);
                let refusal =
                    Refusal { kind: RefusalKind::ApprovalRequired, rule: &self.pointer, reason: reason.into() };
                Decision::Approve(refusal, takings)
            }
            _ => Decision::Allow(takings),
        }
    }
}

impl ArgumentSchema {
    /// The schema that it stands for where a tool is called; none if none is pinned.
    fn of<'s>(&'s self, tool: &str, lock: Option<&'s Lock>) -> Option<&'s Schema> {
        match &self.source {
            SchemaSource::Inline(schema) => Some(schema),
            SchemaSource::Lock => lock.and_then(|lock| lock.schema(tool)),
        }
    }

    /// Refuses arguments that do not match, before anything else reads them.
    fn refuses<'p, W: Watch>(&'p self, name: &str, context: &Context<'_, '_, W>) -> Option<Refusal<'p>> {
        let reason = match self.of(name, context.lock) {
            Some(schema) => {
                let checked = schema.check_arguments(context.arguments, context.schema_effort());
                checked.err().map(|mismatch| Cow::Owned(mismatch.to_string()))
            }
            None => Some(Cow::Borrowed(NO_SCHEMA)),
        };
        context.watch.see(Seen::Schema { schema: self, refuses: reason.as_deref() });
        reason.map(|reason| Refusal { kind: RefusalKind::Denied, rule: &self.pointer, reason })
    }
}

impl Predicate {
    fn refuses<'p, W: Watch>(&'p self, list: List, context: &Context<'_, '_, W>) -> Option<Refusal<'p>> {
        let truth = self.truth(list, context);
        let refusal = match (list, truth) {
            (List::Require, Ok(Truth::True)) | (List::DenyIf, Ok(Truth::False)) => None,
            (_, Ok(_)) => Some(self.refusal()),
            (_, Err(Unasked::Lookalike)) => Some(Refusal::denied(&self.pointer, None, ARGUMENT_UNCLEAR)),
            (_, Err(Unasked::TooFar)) => Some(Refusal::denied(&self.pointer, None, TOO_MUCH)),
        };
        context.watch.see(Seen::Predicate { predicate: self, list, truth, refuses: refusal.is_some() });
        let refuses = context.watch.refuses(self, list, refusal.is_some());
        refusal.filter(|_| refuses)
    }

    /// False if any condition is false, else wrong if any is wrong, else true.
    fn truth<W: Watch>(&self, list: List, context: &Context<'_, '_, W>) -> Result<Truth, Unasked> {
        let mut sum = Truth::True;
        for condition in &self.conditions {
            // Every condition is walked even if one is false: a look-alike key refuses all the same.
            match walk::condition(condition, list, context)? {
                Truth::False => sum = Truth::False,
                Truth::Wrong if sum == Truth::True => sum = Truth::Wrong,
                _ => {}
            }
        }
        Ok(sum)
    }

    fn refusal(&self) -> Refusal<'_> {
        Refusal::denied(&self.pointer, self.on_deny.as_deref(), REQUIREMENT_FAILED)
    }
}

impl Limit {
    /// What one call takes, in the limit's unit; none if the argument it is read from is not a clear amount.
    fn amount<W: Watch>(&self, context: &Context<'_, '_, W>) -> Option<u64> {
        let Some(path) = &self.increment_from else {
            return Some(1);
        };
        let recalled = context.watch.recall(&Root::Arguments, &path.steps);
        match walk::single(recalled.unwrap_or(context.arguments), &path.steps, context) {
            Ok(Some(Value::Number(number))) => number.to_millionths(),
            _ => None,
        }
    }
}

impl<'p> Refusal<'p> {
    /// Whether it decides in the place of another policy's, that came first: a target that one of them hides does not exist,
    /// whatever the others say of it.
    pub fn overrules(&self, first: &Refusal<'_>) -> bool {
        first.kind != RefusalKind::Hidden && self.kind == RefusalKind::Hidden
    }

    fn denied(rule: &'p str, reason: Option<&'p str>, otherwise: &'p str) -> Self {
        Self { kind: RefusalKind::Denied, rule, reason: reason.unwrap_or(otherwise).into() }
    }

    fn hidden(rule: &'p str) -> Self {
        Self { kind: RefusalKind::Hidden, rule, reason: NOT_ALLOWED.into() }
    }
}

#[cfg(test)]
mod tests;
