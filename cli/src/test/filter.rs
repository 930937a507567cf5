//! Where the filter's module comes from.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

const MODULE: &str = "mcp_policy.wasm";

/// The module that is given; else what `MCP_POLICY_WASM` names; else what lies beside this program, as it is shipped; else, in a
/// checkout of the project, its own, built if it must be.
///
/// # Errors
/// If there is none.
pub(super) fn module(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let named = given.map(PathBuf::from).or_else(|| env::var_os("MCP_POLICY_WASM").map(PathBuf::from));
    if let Some(path) = named {
        let name = path.display().to_string();
        return if path.is_file() { Ok(path) } else { Err(Failure::new(format!("there is no filter `{name}`"))) };
    }
    let beside = env::current_exe().ok().and_then(|program| Some(program.parent()?.join(MODULE)));
    if let Some(beside) = beside.filter(|path| path.is_file()) {
        return Ok(beside);
    }
    let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin/Cargo.toml");
    if plugin.is_file() {
        return host_test::filter_wasm().map_err(Failure::because("cannot build the filter"));
    }
    Err(Failure::new(format!(
        "there is no filter to test with: put `{MODULE}` beside this program, or name it with `--filter` or MCP_POLICY_WASM"
    )))
}
