//! The project's own module: built on demand, so that a test never runs against yesterday's filter.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::error::HostError;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "filter";

/// The file that Envoy loads, `mcp_policy.wasm`.
///
/// The first call in a process runs `cargo build` for it, which does nothing if it is up to date. The
/// environment variable `MCP_POLICY_WASM` names another file instead, which is then taken as it is.
///
/// # Errors
/// If cargo cannot be started, or the build fails (what it prints stands in the test's output).
pub fn filter_wasm() -> Result<PathBuf, HostError> {
    if let Some(given) = std::env::var_os("MCP_POLICY_WASM") {
        return Ok(given.into());
    }
    static BUILT: OnceLock<Result<(), Option<i32>>> = OnceLock::new();
    let target = target_folder();
    let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let mut failed_to_start = None;
    let built = BUILT.get_or_init(|| {
        let status = Command::new(&cargo)
            .args(["build", "--quiet", "--package", "plugin", "--target", TARGET, "--profile", PROFILE])
            .current_dir(workspace())
            .env("CARGO_TARGET_DIR", &target)
            .status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(status.code()),
            Err(error) => {
                failed_to_start = Some(error);
                Err(None)
            }
        }
    });
    if let Some(source) = failed_to_start {
        return Err(HostError::Io { path: cargo, source });
    }
    built.map_err(|code| HostError::FilterBuild { code })?;
    Ok(target.join(TARGET).join(PROFILE).join("mcp_policy.wasm"))
}

fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Cargo's target folder, as the cargo that runs the tests has it.
pub(crate) fn target_folder() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    // A relative one is meant from the workspace; tests run in their package's folder.
    workspace().join(folder)
}
