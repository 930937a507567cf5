//! Finding the filter's module, `mcp_policy.wasm`.

use std::{
    env,
    path::{Path, PathBuf, absolute},
};

use crate::failure::Failure;

/// What it is called.
const NAME: &str = "mcp_policy.wasm";

/// The module that is named; else the one that the environment variable MCP_POLICY_WASM names; else one beside this
/// program, as it is shipped; else, in a checkout of the project, its own, built if it must be.
///
/// # Errors
/// If there is none.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named.map(Path::to_path_buf).or_else(|| env::var_os("MCP_POLICY_WASM").map(PathBuf::from)) {
        return if named.is_file() {
            absolute(&named).map_err(Failure::because("the filter's path is unclear"))
        } else {
            Err(Failure::new(format!("there is no filter at `{}`", named.display())))
        };
    }
    let beside = env::current_exe().ok().and_then(|program| Some(program.parent()?.join(NAME)));
    if let Some(beside) = beside.filter(|path| path.is_file()) {
        return Ok(beside);
    }
    if Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugin/Cargo.toml").is_file() {
        return host_test::filter_wasm().map_err(Failure::because("cannot build the filter"));
    }
    Err(Failure::new(format!("there is no `{NAME}` beside this program: name one with --filter or in MCP_POLICY_WASM")))
}
