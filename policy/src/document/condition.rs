//! One test of one value.

pub use super::cidr::{Cidr, CidrError};
use super::path::Path;

/// One entry of `conditions`.
#[derive(Debug, Clone)]
pub struct Condition {
    /// What is looked at.
    pub path: Path,
    /// What must hold of it.
    pub test: Test,
}

/// The `op` of a condition, with its value.
#[derive(Debug, Clone)]
pub enum Test {
    /// Equals the value, of the same JSON type.
    Eq(Scalar),
    /// Differs from the value, of the same JSON type.
    Neq(Scalar),
    /// Is less.
    Lt(f64),
    /// Is less or equal.
    Lte(f64),
    /// Is greater.
    Gt(f64),
    /// Is greater or equal.
    Gte(f64),
    /// Equals one of the values. Never empty.
    In(Vec<Scalar>),
    /// Equals none of the values. Never empty.
    NotIn(Vec<Scalar>),
    /// Is there and not null.
    Exists,
    /// Holds a match of the expression anywhere.
    Regex(Box<regex_lite::Regex>),
    /// A string that holds the string, or an array that holds the value.
    Contains(Scalar),
    /// A string that starts so.
    StartsWith(Box<str>),
    /// A string that ends so.
    EndsWith(Box<str>),
    /// An address in one of the ranges. Never empty.
    Cidr(Vec<Cidr>),
    /// At most so many characters of a string, or elements of an array.
    LengthLte(u64),
    /// At least so many characters of a string, or elements of an array.
    LengthGte(u64),
}

/// A JSON value without parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number that a double holds exactly as written.
    Number(f64),
    /// A string.
    String(Box<str>),
}
