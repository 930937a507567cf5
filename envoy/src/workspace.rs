//! Where things lie: the repository, the build folder, the compiled filter.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// The repository's root.
#[must_use]
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Cargo's build folder: the one that the running program was built into, whatever `CARGO_TARGET_DIR` or
/// `--target-dir` said, and wherever it is run from.
#[must_use]
pub fn target_dir() -> PathBuf {
    // Cargo marks every build folder with this file.
    let marked = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
    env::current_exe()
        .ok()
        .and_then(|program| program.ancestors().skip(1).find(marked).map(Path::to_path_buf))
        .unwrap_or_else(|| root().join("target"))
}

/// The compiled filter; the environment variable `MCP_POLICY_WASM` names another one.
///
/// # Errors
/// [`Error::NoFilter`] if it has not been built.
pub fn filter() -> Result<PathBuf> {
    let module = env::var_os("MCP_POLICY_WASM")
        .map_or_else(|| target_dir().join("wasm32-unknown-unknown/filter/mcp_policy.wasm"), PathBuf::from);
    if module.is_file() { Ok(module) } else { Err(Error::NoFilter(module)) }
}
