//! `policy.json`: read, checked whole, and compiled.
//!
//! The way of a document: a small tree that remembers places; fields taken from it one by one, while all that is wrong is
//! collected; the [`Policy`] that decisions are made by. An unknown field, a duplicate key, a value that could never
//! hold and a field that could do nothing are errors, each with a JSON Pointer, a line and a column, and the nearest valid word.
//! What is merely unlikely or unreachable (a rule for a hidden tool) loads.
//!
//! # What the format means in its corners
//! - In names a backslash takes the meaning from `*`, `?` or `\` after it. In URIs `?` is no wildcard, as it starts the query.
//! - Two globs of one section that match a common name and have equally many literal characters are an error, even if an exact
//!   rule stands for that name.
//! - A counter is a name and a scope. Rules that share one agree on window, align, store and on whether they count calls
//!   or amounts; where one of them is in `all_tools`, also on the argument that is added. One rule cannot have two limits on
//!   one counter. `rate_limit` counts under the rule's pointer, which no other counter can be named like.
//! - Where predicates or limits of one rule would be reported alike, the later ones are told apart by `#2`, or by their scope.
//! - Whole numbers may be written `10.0`, as control planes do that keep numbers as doubles; beyond 2^53 they are refused, and
//!   so is every number that changes in a double. With `increment_from`, `max` may have six decimal places.
//! - An empty `on_deny` or `reason` is none.
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
mod places;
mod record;
mod rules;
pub(crate) mod tree;
pub(crate) mod windows;

pub use decode::load;
pub use error::{Error, ErrorKind, Errors};
pub use glob::Glob;
pub use model::Policy;
pub use nearest::nearest;
pub use places::{Places, pointer_step};

pub(crate) use decode::decode;

#[cfg(test)]
mod tests;
