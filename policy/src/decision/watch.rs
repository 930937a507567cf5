use super::LookalikeArgument;
use super::operand::Operand;
use super::truth::{List, Truth};
use crate::document::condition::Condition;
use crate::document::model::{ArgumentSchema, Limit, Predicate, Section};

/// Looks on while a request is judged, so that somebody can be told what each step saw. `()` looks away, and costs nothing:
/// the code that the filter runs is the one without.
pub trait Watch {
    /// What was seen, in the order in which it was looked at.
    fn see(&self, seen: Seen<'_>);
}

impl Watch for () {
    #[inline(always)]
    fn see(&self, _: Seen<'_>) {}
}

/// One step on the way to a decision.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'s> {
    /// The section that a target is judged by, and the name that its rules are looked up by.
    Target {
        /// Its rules.
        section: &'s Section,
        /// The target, a URI in normal form.
        name: &'s str,
    },
    /// The arguments were held against a schema.
    Schema {
        /// Which.
        schema: &'s ArgumentSchema,
        /// Why it refuses the call, if it does.
        refuses: Option<&'s str>,
    },
    /// A value that the condition looked at was there.
    Value(&'s Operand<'s>),
    /// It was not.
    Missing,
    /// The way to it was blocked: by something that has no inside, or a header or claim that is not clear.
    Blocked,
    /// What a condition came to, after what it saw.
    Condition(&'s Condition, Result<Truth, LookalikeArgument>),
    /// What a predicate came to, after its conditions.
    Predicate {
        /// Which.
        predicate: &'s Predicate,
        /// Where it stands.
        list: List,
        /// What its conditions make of it.
        truth: Result<Truth, LookalikeArgument>,
        /// Whether it refuses the call.
        refuses: bool,
    },
    /// What the call takes from a limit; none if that is not clear, which refuses.
    Limit(&'s Limit, Option<u64>),
}
