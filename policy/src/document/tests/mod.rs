//! Whole documents.

mod accepted;
mod compatible;
mod refused;
mod robust;

use super::model::Policy;
use super::{Error, load};

/// The policy of a document that is right.
fn policy(text: &str) -> Policy {
    load(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// All that is wrong with a document, as rendered.
fn errors(text: &str) -> Vec<String> {
    load(text.as_bytes()).expect_err(text).iter().map(Error::to_string).collect()
}

/// A document with these members besides the required ones.
fn document(members: &str) -> String {
    format!(r#"{{"version": "1", "default": "deny", {members}}}"#)
}

/// A document with one tool.
fn tool(rule: &str) -> String {
    document(&format!(r#""tools": {{"t": {rule}}}"#))
}
