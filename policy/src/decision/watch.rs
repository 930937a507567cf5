use super::Unasked;
use super::operand::Operand;
use super::truth::{List, Truth};
use crate::document::condition::Condition;
use crate::document::model::{ArgumentSchema, Limit, Predicate, Section};
use crate::document::path::{Root, Step};
use crate::message::Arguments;

/// Looks on while a request is judged, so that somebody can be told what each step saw. `()` looks away, and costs nothing:
/// the code that the filter runs is the one without.
///
/// Where not all of a call is known, as when recorded traffic is judged anew, a watch also says what to make of that.
pub trait Watch {
    /// Whether every value is to be seen. Otherwise those are not looked at whose condition is known without.
    const LOOKS: bool = true;

    /// What was seen, in the order in which it was looked at.
    fn see(&self, seen: Seen<'_>);

    /// A policy begins to judge a message of a body.
    #[inline(always)]
    fn begin(&self, _policy: &str, _message: usize) {}

    /// Arguments, or claims like arguments, that hold what is known at a path; none where the call's own do.
    #[inline(always)]
    fn recall(&self, _root: &Root, _steps: &[Step]) -> Option<&Arguments<'_>> {
        None
    }

    /// Whether the arguments are all there, to be held against a schema.
    #[inline(always)]
    fn knows_arguments(&self, _schema: &ArgumentSchema) -> bool {
        true
    }

    /// Whether a predicate that has just been looked at refuses.
    #[inline(always)]
    fn refuses(&self, _predicate: &Predicate, _list: List, refuses: bool) -> bool {
        refuses
    }

    /// What a call takes from a limit; none if that is not clear, which refuses.
    #[inline(always)]
    fn amount(&self, _limit: &Limit, amount: Option<u64>) -> Option<u64> {
        amount
    }
}

impl Watch for () {
    const LOOKS: bool = false;

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
    Condition(&'s Condition, Result<Truth, Unasked>),
    /// What a predicate came to, after its conditions.
    Predicate {
        /// Which.
        predicate: &'s Predicate,
        /// Where it stands.
        list: List,
        /// What its conditions make of it.
        truth: Result<Truth, Unasked>,
        /// Whether it refuses the call.
        refuses: bool,
    },
    /// What the call takes from a limit; none if that is not clear, which refuses.
    Limit(&'s Limit, Option<u64>),
}
