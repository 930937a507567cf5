//! Predicates against predicates.

use std::cmp::Ordering;

use policy::document::{
    condition::{Condition, Scalar, Test},
    model::{Predicate, Rule},
};

use super::{
    mark::{Mark, Order, both, inclusion},
    rule::Told,
    words,
};

/// The list that predicates stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Require,
    DenyIf,
}

impl List {
    fn of(self, rule: &Rule) -> &[Predicate] {
        match self {
            Self::Require => &rule.require,
            Self::DenyIf => &rule.deny_if,
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Require => "requires",
            Self::DenyIf => "refuses",
        }
    }
}

/// Says how a list differs.
pub(super) fn compare(list: List, old: &Rule, new: &Rule, told: &mut Told) {
    let mut removed: Vec<&Predicate> = list.of(old).iter().collect();
    let mut added: Vec<&Predicate> = Vec::new();
    for predicate in list.of(new) {
        match removed.iter().position(|other| same(other, predicate)) {
            Some(index) => drop(removed.remove(index)),
            None => added.push(predicate),
        }
    }
    let verb = list.verb();
    for new_one in added {
        match removed.iter().position(|other| key(other, old) == key(new_one, new)) {
            Some(index) => changed(list, removed.remove(index), new_one, told),
            None => told.say(Mark::Tightened, format!("now {verb} {}", words::predicate(new_one))),
        }
    }
    for gone in removed {
        told.say(Mark::Loosened, format!("no longer {verb} {}", words::predicate(gone)));
    }
}

fn changed(list: List, old: &Predicate, new: &Predicate, told: &mut Told) {
    let verb = list.verb();
    if words_of(&old.conditions) != words_of(&new.conditions) {
        let mark = Mark::of(order(list, &old.conditions, &new.conditions));
        told.say(mark, format!("now {verb} {}, was {}", words::predicate(new), words::predicate(old)));
    }
    if old.on_deny != new.on_deny {
        let now = new.on_deny.as_deref().map_or("the usual words".to_owned(), words::quoted);
        told.say(Mark::Changed, format!("where it {verb} {}, the agent is told {now}", words::predicate(new)));
    }
}

fn same(one: &Predicate, other: &Predicate) -> bool {
    words_of(&one.conditions) == words_of(&other.conditions) && one.on_deny == other.on_deny
}

/// What identifies the meaning of conditions: everything that they hold.
fn words_of(conditions: &[Condition]) -> Vec<String> {
    conditions.iter().map(|condition| format!("{condition:?}")).collect()
}

/// What a predicate is reported by, within its rule.
fn key<'p>(predicate: &'p Predicate, rule: &Rule) -> &'p str {
    predicate.pointer.strip_prefix(&*rule.pointer).unwrap_or(&predicate.pointer)
}

/// How what passes a predicate compares.
fn order(list: List, old: &[Condition], new: &[Condition]) -> Order {
    if old.len() != new.len() {
        return None;
    }
    let mut sum = Some(Ordering::Equal);
    for (old, new) in old.iter().zip(new) {
        if old.path.root != new.path.root || old.path.steps != new.path.steps {
            return None;
        }
        sum = both(sum, meets(list, &old.test, &new.test));
    }
    match list {
        List::Require => sum,
        // It refuses unless false: what is met more often passes less.
        List::DenyIf => sum.map(Ordering::reverse),
    }
}

/// How the values that meet a test compare: `Greater` if more do.
fn meets(list: List, old: &Test, new: &Test) -> Order {
    match (old, new) {
        (Test::Lt(old), Test::Lt(new)) | (Test::Lte(old), Test::Lte(new)) => new.partial_cmp(old),
        (Test::Gt(old), Test::Gt(new)) | (Test::Gte(old), Test::Gte(new)) => old.partial_cmp(new),
        (Test::LengthLte(old), Test::LengthLte(new)) => Some(new.cmp(old)),
        (Test::LengthGte(old), Test::LengthGte(new)) => Some(old.cmp(new)),
        (Test::In(old), Test::In(new)) if list == List::Require || alike(old, new) => inclusion(old, new),
        (Test::NotIn(old), Test::NotIn(new)) if alike(old, new) => inclusion(old, new).map(Ordering::reverse),
        (Test::Cidr(old), Test::Cidr(new)) => inclusion(old, new),
        (Test::StartsWith(old), Test::StartsWith(new)) => part(old.starts_with(&**new), new.starts_with(&**old)),
        (Test::EndsWith(old), Test::EndsWith(new)) => part(old.ends_with(&**new), new.ends_with(&**old)),
        (old, new) => (format!("{old:?}") == format!("{new:?}")).then_some(Ordering::Equal),
    }
}

/// `more`: what met the old one meets the new one; `less`: the reverse.
fn part(more: bool, less: bool) -> Order {
    match (more, less) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Greater),
        (false, true) => Some(Ordering::Less),
        (false, false) => None,
    }
}

/// Whether two lists hold the same JSON types: a value of another type meets neither the test nor its opposite.
fn alike(one: &[Scalar], other: &[Scalar]) -> bool {
    let kinds = |all: &[Scalar]| all.iter().map(std::mem::discriminant).collect::<Vec<_>>();
    inclusion(&kinds(one), &kinds(other)) == Some(Ordering::Equal)
}
