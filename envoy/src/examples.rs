//! The policies of `examples/`, for tests and the demonstration.

use std::fs;

use serde_json::Value;

use crate::{Error, Result, workspace};

/// One of the policies that people start from, for example `opentrons/catalogue`.
///
/// # Errors
/// If there is no such file, or it is not JSON.
pub fn policy(name: &str) -> Result<Value> {
    let path = workspace::root().join("examples").join(name).with_extension("json");
    let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::Unexpected { from: "examples", answer: format!("{}: {error}", path.display()) })
}
