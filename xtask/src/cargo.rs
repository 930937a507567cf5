//! Running cargo and its friends.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// The build folder that this program was built into, whatever `CARGO_TARGET_DIR` or the configuration say.
pub(crate) fn target_dir() -> PathBuf {
    // Cargo marks every build folder with this file.
    let marked = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
    env::current_exe()
        .ok()
        .and_then(|program| program.ancestors().skip(1).find(marked).map(Path::to_path_buf))
        .unwrap_or_else(|| root().join("target"))
}

/// The cargo that runs us, at the repository's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // A relative `CARGO_TARGET_DIR` would mean another folder here than where we were started.
    command.current_dir(root()).env("CARGO_TARGET_DIR", target_dir());
    command
}

/// Runs `command`, which must succeed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs `command` and passes its exit code on.
pub(crate) fn exit_code(command: &mut Command) -> Result<ExitCode> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    format!("`{}`", words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
}
