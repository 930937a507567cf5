use std::net::IpAddr;

use super::context::{Context, ITEM};
use super::operand::{Operand, count, elements};
use crate::document::condition::{Cidr, Scalar, Test};
use crate::json::Value;

/// What a condition or predicate comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// The value is not of a kind that the condition can be asked of. Servers coerce such values, each in its own
    /// way, so neither `require` nor `deny_if` lets the call pass.
    Wrong,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// Which list a predicate stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// `require`: refuses unless true.
    Require,
    /// `deny_if`: refuses unless false.
    DenyIf,
}

impl List {
    /// What a test says of a value that is not there.
    pub(super) fn missing(self, test: &Test) -> Truth {
        match test {
            Test::Neq(_) | Test::NotIn(_) => Truth::from(self == Self::DenyIf),
            _ => Truth::False,
        }
    }

    /// What `[*]` comes to: every element under `require`, any under `deny_if`.
    pub(super) fn combine(self, truths: impl Iterator<Item = Truth>) -> Truth {
        let decisive = if self == Self::Require { Truth::False } else { Truth::True };
        let mut sum = if self == Self::Require { Truth::True } else { Truth::False };
        for truth in truths {
            if truth == decisive {
                return decisive;
            }
            if truth == Truth::Wrong {
                sum = Truth::Wrong;
            }
        }
        sum
    }
}

/// A text is searched in this fraction of the time that it takes to walk over so many bytes; with escapes to decode, in that.
const TEXT_SHARE: usize = 8;
const ESCAPED_SHARE: usize = 2;

/// What it takes to tell whether a double holds a number of more than fifteen digits or with an exponent, in bytes walked over.
const LONG_NUMBER: usize = 128;

/// To hold a text against one more of a list takes a fraction of that again.
const LIST_SHARE: usize = 32;

impl Test {
    /// What it takes to ask it of a value, in bytes walked over.
    pub(super) fn cost(&self, value: &Value<'_>) -> usize {
        match (self, value) {
            (Self::Exists, _) => 0,
            (Self::LengthLte(_) | Self::LengthGte(_), Value::Array(raw)) => raw.bytes().len().saturating_mul(2),
            (Self::Contains(_), Value::Array(raw)) => raw.bytes().len(),
            _ => cost(value).saturating_add(self.entries().saturating_mul(match value {
                Value::String(text) => (text.raw().len() / LIST_SHARE).saturating_add(1),
                _ => 1,
            })),
        }
    }

    /// How many a value is held against.
    fn entries(&self) -> usize {
        match self {
            Self::In(list) | Self::NotIn(list) => list.len(),
            Self::Cidr(networks) => networks.len().saturating_add(ITEM),
            _ => 0,
        }
    }
}

/// What it takes to read a value for a comparison, in bytes walked over.
fn cost(value: &Value<'_>) -> usize {
    match value {
        Value::String(text) if text.is_escaped() => text.raw().len() / ESCAPED_SHARE,
        Value::String(text) => text.raw().len() / TEXT_SHARE,
        Value::Number(number) if number.is_short() => 0,
        Value::Number(number) => number.as_str().len().saturating_add(LONG_NUMBER),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => 0,
    }
}

/// Asks `test` of a value that is there.
pub(super) fn ask<W>(test: &Test, operand: &Operand<'_>, context: &Context<'_, '_, W>) -> Truth {
    if let Operand::Null = operand {
        return match test {
            Test::Exists => Truth::False,
            Test::Eq(Scalar::Null) => Truth::True,
            Test::In(list) if list.contains(&Scalar::Null) => Truth::True,
            _ => Truth::Wrong,
        };
    }
    match test {
        Test::Exists => Truth::True,
        Test::Eq(scalar) => equal(operand, scalar),
        Test::Neq(scalar) => not(equal(operand, scalar)),
        Test::In(list) => among(operand, list),
        Test::NotIn(list) => not(among(operand, list)),
        Test::Lt(bound) => compare(operand, |value| value < *bound),
        Test::Lte(bound) => compare(operand, |value| value <= *bound),
        Test::Gt(bound) => compare(operand, |value| value > *bound),
        Test::Gte(bound) => compare(operand, |value| value >= *bound),
        Test::Regex(regex) => {
            string(
                operand,
                |text| {
                    if context.affords_regex(text.len()) { regex.is_match(text).into() } else { Truth::Wrong }
                },
            )
        }
        Test::StartsWith(start) => string(operand, |text| text.starts_with(&**start).into()),
        Test::EndsWith(end) => string(operand, |text| text.ends_with(&**end).into()),
        Test::Cidr(networks) => string(operand, |text| within(text, networks)),
        Test::Contains(scalar) => contains(operand, scalar, context),
        Test::LengthLte(bound) => length(operand).map_or(Truth::Wrong, |length| (length <= *bound).into()),
        Test::LengthGte(bound) => length(operand).map_or(Truth::Wrong, |length| (length >= *bound).into()),
    }
}

fn not(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Wrong => Truth::Wrong,
    }
}

/// Wrong unless both are of one JSON type.
fn equal(operand: &Operand<'_>, scalar: &Scalar) -> Truth {
    match (operand, scalar) {
        (Operand::Null, Scalar::Null) => Truth::True,
        (Operand::Bool(a), Scalar::Bool(b)) => (a == b).into(),
        (Operand::Number(Some(a)), Scalar::Number(b)) => (a == b).into(),
        (Operand::String(a), Scalar::String(b)) => (**a == **b).into(),
        _ => Truth::Wrong,
    }
}

/// Wrong unless some of the list are of the operand's type.
fn among(operand: &Operand<'_>, list: &[Scalar]) -> Truth {
    let mut sum = Truth::Wrong;
    for scalar in list {
        match equal(operand, scalar) {
            Truth::True => return Truth::True,
            Truth::False => sum = Truth::False,
            Truth::Wrong => {}
        }
    }
    sum
}

fn compare(operand: &Operand<'_>, holds: impl FnOnce(f64) -> bool) -> Truth {
    match operand {
        Operand::Number(Some(value)) => holds(*value).into(),
        _ => Truth::Wrong,
    }
}

fn string(operand: &Operand<'_>, holds: impl FnOnce(&str) -> Truth) -> Truth {
    match operand {
        Operand::String(text) => holds(text),
        _ => Truth::Wrong,
    }
}

fn within(text: &str, networks: &[Cidr]) -> Truth {
    match canonical_address(text) {
        Some(address) => networks.iter().any(|network| network.contains(address)).into(),
        None => Truth::Wrong,
    }
}

/// The address, if it is written in the one way that every resolver reads alike: dotted decimal without leading zeros,
/// or RFC 5952. An IPv4-mapped address is its IPv4 address.
fn canonical_address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    (address.to_string() == text).then(|| address.to_canonical())
}

/// An element of another type than the one looked for could be coerced to it, so it makes a miss wrong.
fn contains<W>(operand: &Operand<'_>, scalar: &Scalar, context: &Context<'_, '_, W>) -> Truth {
    match (operand, scalar) {
        (Operand::String(text), Scalar::String(part)) => {
            memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some().into()
        }
        (Operand::Array(array), scalar) => {
            let mut truths = vec![];
            elements(*array, |element| {
                let affords = context.affords_walk(cost(&element).saturating_add(ITEM));
                truths.push(if affords { equal(&element.into(), scalar) } else { Truth::Wrong });
            });
            List::DenyIf.combine(truths.into_iter())
        }
        _ => Truth::Wrong,
    }
}

/// Characters (Unicode scalar values) of a string, elements of an array.
fn length(operand: &Operand<'_>) -> Option<u64> {
    let length = match operand {
        Operand::String(text) => text.chars().count(),
        Operand::Array(array) => count(*array),
        _ => return None,
    };
    u64::try_from(length).ok()
}
