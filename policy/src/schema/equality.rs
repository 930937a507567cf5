//! Which values are equal: for `const`, `enum` and `uniqueItems`.

use crate::sort::sort_places;
use core::cmp::Ordering;

use super::evaluate::{Evaluator, Result};
use super::instance::{At, Children, Place, View};
use super::json::Json;

/// Bytes of text that are compared in one step.
const COMPARED_BYTES: usize = 8;

impl<'s> Evaluator<'s, '_> {
    /// Whether the instance has this value there.
    pub(super) fn equals(&self, value: &Json, at: At) -> Result<'s, bool> {
        self.pay(1, at)?;
        Ok(match (value, self.instance.view(at)) {
            (Json::Null, View::Null) => true,
            (Json::Bool(one), View::Bool(other)) => *one == other,
            (Json::Number(one), View::Number(_, other)) => *one == self.exact(other, at)?,
            (Json::String(one), View::String(other)) => {
                if one.len() == other.len() {
                    self.pay_text(other, at)?;
                }
                **one == *other
            }
            (Json::Array(one), View::Array(other)) if one.len() == other.count() => {
                self.all_equal(one.iter().zip(self.instance.children(other)))?
            }
            (Json::Object(one), View::Object(other)) if one.len() == other.count() => {
                self.pay(one.len(), at)?;
                let members = self.instance.children(other);
                let same_names =
                    one.iter().zip(members).all(|((name, _), member)| **name == *self.instance.name(*member));
                same_names && self.all_equal(one.iter().map(|(_, value)| value).zip(members))?
            }
            _ => false,
        })
    }

    fn all_equal<'v>(&self, pairs: impl Iterator<Item = (&'v Json, &'v Place)>) -> Result<'s, bool> {
        for (value, place) in pairs {
            if !self.equals(value, At::value(*place))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sorts the elements, so that equal ones are neighbours. Each takes part in a comparison for each time that their number
    /// can be halved, which is paid for before.
    pub(super) fn are_unique(&self, all: Children, at: At) -> Result<'s, bool> {
        let weight = self.weigh(at)?;
        let halvings = usize::try_from(all.count().checked_ilog2().unwrap_or_default()).unwrap_or(64);
        self.pay(weight.saturating_mul(halvings.saturating_add(1)), at)?;
        let mut elements = self.instance.children(all).to_vec();
        sort_places(&mut elements, &|one, other| self.compare(one, other));
        Ok(elements.windows(2).all(|pair| match pair {
            [one, other] => self.compare(*one, *other) != Ordering::Equal,
            _ => true,
        }))
    }

    /// What looking at everything in a value costs.
    fn weigh(&self, at: At) -> Result<'s, usize> {
        self.pay(1, at)?;
        match self.instance.view(at) {
            View::Null | View::Bool(_) => Ok(1),
            View::Number(_, number) => self.exact(number, at).map(|_| 1),
            View::String(text) => Ok((text.len() / COMPARED_BYTES).saturating_add(1)),
            View::Array(all) | View::Object(all) => {
                let mut sum: usize = 1;
                for child in self.instance.children(all) {
                    let name = self.instance.name(*child).len() / COMPARED_BYTES;
                    sum = sum.saturating_add(name).saturating_add(self.weigh(At::value(*child))?);
                }
                Ok(sum)
            }
        }
    }

    /// A total order over values, in which only equal ones are equal. All numbers are exact.
    #[inline(never)]
    fn compare(&self, one: Place, other: Place) -> Ordering {
        let (one, other) = (self.instance.view(At::value(one)), self.instance.view(At::value(other)));
        match (one, other) {
            (View::Bool(one), View::Bool(other)) => one.cmp(&other),
            // Adding 0 makes 0 of -0.
            (View::Number(one, _), View::Number(other, _)) => (one + 0.0).total_cmp(&(other + 0.0)),
            (View::String(one), View::String(other)) => one.cmp(other),
            (View::Array(one), View::Array(other)) | (View::Object(one), View::Object(other)) => {
                let (one, other) = (self.instance.children(one), self.instance.children(other));
                let pairs = one.iter().zip(other).map(|(one, other)| {
                    let names = self.instance.name(*one).cmp(self.instance.name(*other));
                    names.then_with(|| self.compare(*one, *other))
                });
                let different = pairs.into_iter().find(|order| order.is_ne());
                different.unwrap_or_else(|| one.len().cmp(&other.len()))
            }
            (one, other) => rank(one).cmp(&rank(other)),
        }
    }
}

fn rank(view: View<'_>) -> u8 {
    match view {
        View::Null => 0,
        View::Bool(_) => 1,
        View::Number(..) => 2,
        View::String(_) => 3,
        View::Array(_) => 4,
        View::Object(_) => 5,
    }
}
