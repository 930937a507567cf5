//! Finding the filter's module, `mcp_policy.wasm`.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// What it is called.
const NAME: &str = "mcp_policy.wasm";
/// Where a checkout of the project builds it, from cargo's build folder.
const BUILT: &str = "wasm32-unknown-unknown/filter";

/// The module that is named; else the one that the environment variable MCP_POLICY_WASM names, one beside this program, or
/// one that was built in the checkout that this program was built in.
///
/// # Errors
/// If there is none.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named.map(Path::to_path_buf).or_else(|| env::var_os("MCP_POLICY_WASM").map(PathBuf::from)) {
        return if named.is_file() {
            std::path::absolute(&named).map_err(Failure::because("the module's path is unclear"))
        } else {
            Err(Failure::new(format!("there is no filter at `{}`", named.display())))
        };
    }
    let program = env::current_exe().unwrap_or_default();
    // From target/debug, target/release or target/debug/deps.
    let places =
        program.ancestors().skip(1).take(3).flat_map(|folder| [folder.join(NAME), folder.join(BUILT).join(NAME)]);
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
        Failure::new(format!(
            "there is no `{NAME}` beside this program: name it with --module or in MCP_POLICY_WASM (in a checkout, \
             `cargo xtask build` makes it)"
        ))
    })
}
