//! What a change does to what passes.

use std::cmp::Ordering;

use anstyle::{AnsiColor, Style};

/// What a change does, all else being equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// All that passed passes still, and more may.
    Loosened,
    /// Nothing passes that did not, and less may.
    Tightened,
    /// Neither is sure, or it is not about what passes.
    Changed,
}

/// One thing that is different.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) mark: Mark,
    /// What it is about: a tool, a resource, what no rule names.
    pub(super) about: String,
    /// What is different, in words.
    pub(super) what: String,
}

/// How what passes now compares with what passed: `Greater` is more. None if neither holds the other.
pub(super) type Order = Option<Ordering>;

impl Mark {
    pub(super) fn of(order: Order) -> Self {
        match order {
            Some(Ordering::Greater) => Self::Loosened,
            Some(Ordering::Less) => Self::Tightened,
            Some(Ordering::Equal) | None => Self::Changed,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Loosened => "loosened",
            Self::Tightened => "tightened",
            Self::Changed => "changed",
        }
    }

    pub(super) fn style(self) -> Style {
        match self {
            Self::Loosened => AnsiColor::Red.on_default().bold(),
            Self::Tightened => AnsiColor::Green.on_default(),
            Self::Changed => AnsiColor::Yellow.on_default(),
        }
    }
}

/// What two changes at once come to.
pub(super) fn both(one: Order, other: Order) -> Order {
    match (one?, other?) {
        (Ordering::Equal, order) | (order, Ordering::Equal) => Some(order),
        (one, other) => (one == other).then_some(one),
    }
}

/// How two sets compare.
pub(super) fn inclusion<T: PartialEq>(old: &[T], new: &[T]) -> Order {
    let within = |some: &[T], all: &[T]| some.iter().all(|one| all.contains(one));
    match (within(old, new), within(new, old)) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Greater),
        (false, true) => Some(Ordering::Less),
        (false, false) => None,
    }
}
