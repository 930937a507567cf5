//! Limits of different rules that share a counter must mean the same thing by it.

use super::error::ErrorKind;
use super::fields::{Check, Place};
use super::model::{Limit, Store};
use crate::quota::Window;
use crate::sort::sort_by;

/// A limit, where it stands, and whose calls it counts.
pub(crate) struct Shared<'t> {
    pub(crate) place: Place<'t>,
    pub(crate) limit: Limit,
    pub(crate) reach: Reach,
}

/// Which calls meet a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of every tool: the limit is one of `all_tools`.
    EveryTool,
    /// Those of the tools of one rule.
    SomeTools,
    /// Those of resources or prompts.
    Others,
}

/// Notes each limit that does not agree with an earlier one on the same counter.
///
/// A counter is a name, a scope and what it counts: `charges` per grant and `charges` per session are two, and so are
/// those within a time and those that run. Limits on one counter need the same window, unit and store; each has its own
/// `max`, unless the counter is global: Limitador keeps one `max` for a counter, and the step in which amounts are counted
/// follows from it. Where one call can meet both, because one of them is in `all_tools`,
/// they must also add the same argument, as a call adds to a counter once.
pub(crate) fn agree(check: &mut Check, limits: &[Shared<'_>]) {
    let counter =
        |shared: &Shared<'_>| (shared.limit.counter.clone(), shared.limit.scope.to_string(), runs(&shared.limit));
    let named = limits.iter().map(|shared| (counter(shared), shared));
    // Stable: those of one counter stay in the order of the document.
    let sorted = sort_by(named.collect(), |(one, _), (other, _)| one.cmp(other));
    for shares in sorted.chunk_by(|(one, _), (other, _)| one == other) {
        let [(_, first), others @ ..] = shares else { continue };
        for (_, other) in others {
            if let Some(aspect) = difference(&first.limit, &other.limit) {
                mismatch(check, first, other, aspect);
            }
        }
        // No more than one: a rule cannot have two limits on one counter.
        let shares = || shares.iter().map(|(_, shared)| *shared);
        let Some(common) = shares().find(|shared| shared.reach == Reach::EveryTool) else { continue };
        for other in shares().filter(|shared| shared.reach == Reach::SomeTools) {
            let steps = |shared: &Shared<'_>| shared.limit.increment_from.as_ref().map(|path| path.steps.clone());
            if steps(common) != steps(other) && difference(&common.limit, &other.limit).is_none() {
                mismatch(check, common, other, "increment_from");
            }
        }
    }
}

fn runs(limit: &Limit) -> bool {
    limit.window == Window::Running
}

fn difference(one: &Limit, other: &Limit) -> Option<&'static str> {
    if one.window != other.window {
        Some("window and align")
    } else if one.unit != other.unit {
        Some("unit, so all or none must have increment_from")
    } else if one.store != other.store {
        Some("store")
    } else if one.linger_ms != other.linger_ms {
        Some("linger")
    } else if one.store == Store::Global && one.max != other.max {
        Some("max, as a rate-limit service has one for each counter")
    } else {
        None
    }
}

fn mismatch(check: &mut Check, first: &Shared<'_>, other: &Shared<'_>, aspect: &'static str) {
    let kind = ErrorKind::CounterMismatch {
        counter: other.limit.counter.clone(),
        aspect,
        other: first.place.pointer().into(),
    };
    check.wrong(&other.place, kind);
}
