//! Values that a schema names, in `const` and `enum`.

use core::fmt::Write;

use super::sorted::Sorted;
use crate::document::fields::{Check, Place};
use crate::document::tree::Kind;

/// A value of a schema.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    String(Box<str>),
    Array(Vec<Json>),
    /// Sorted by name.
    Object(Vec<(Box<str>, Json)>),
}

impl Json {
    /// Reads a value. Numbers that change in a double are noted.
    pub(super) fn read(check: &mut Check, place: &Place<'_>) -> Option<Self> {
        Some(match &place.node.kind {
            Kind::Null => Self::Null,
            Kind::Bool(value) => Self::Bool(*value),
            Kind::Number(_) => Self::Number(check.number(place)?),
            Kind::String(text) => Self::String((**text).into()),
            Kind::Array(_) => {
                Self::Array(check.elements(place)?.iter().map(|place| Self::read(check, place)).collect::<Option<_>>()?)
            }
            Kind::Object(_) => {
                let mut sorted = Sorted::default();
                for (_, name, place) in check.members(place)? {
                    let value = Self::read(check, &place)?;
                    sorted.insert(check, &place, name, value);
                }
                Self::Object(sorted.0)
            }
        })
    }

    /// The value as text for a message; arrays and objects are only named.
    pub(super) fn write(&self, out: &mut String) {
        let _infallible = match self {
            Self::Null => out.write_str("null"),
            Self::Bool(value) => write!(out, "{value}"),
            Self::Number(value) => write!(out, "{value}"),
            Self::String(text) => write!(out, "{text:?}"),
            Self::Array(_) => out.write_str("an array"),
            Self::Object(_) => out.write_str("an object"),
        };
    }
}
