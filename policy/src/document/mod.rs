//! `policy.json`: read, checked whole, and compiled.
//!
//! The way of a document: a small tree that remembers places; fields taken from it one by one, while all that is wrong is
//! collected; the [`Policy`] that decisions are made by. An unknown field, a duplicate key, a value that could never
//! hold and a field that could do nothing are errors, each with a JSON Pointer, a line and a column, and the nearest valid word.
//! What is merely unlikely or unreachable (a rule for a hidden tool) loads.
//!
//! ```
//! let error = policy::document::load(br#"{"version": "1", "default": "deny", "tols": {}}"#).unwrap_err();
//! assert_eq!(error.to_string(), "/tols: unknown field `tols`, did you mean `tools`? (line 1, column 37)");
//! ```

mod cidr;
pub mod condition;
mod conditions;
mod counters;
mod decode;
mod error;
pub(crate) mod fields;
pub mod glob;
mod limits;
pub mod model;
mod nearest;
pub mod path;
mod rules;
pub(crate) mod tree;
pub(crate) mod windows;

pub use decode::load;
pub use error::{Error, ErrorKind, Errors};
pub use glob::Glob;
pub use model::Policy;

pub(crate) use decode::decode;

#[cfg(test)]
mod tests;
