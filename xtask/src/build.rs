//! `cargo xtask build`: the filter as Envoy loads it.

use std::{fs, path::Path, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::cargo::{cargo, root, run, target_dir};

const TARGET: &str = "wasm32-unknown-unknown";

/// The size that the module must not outgrow: it is compiled anew for every worker of every proxy.
const MOST_BYTES: u64 = 1 << 20;

/// Compiles the filter, says how large it is, and returns where it lies.
pub(crate) fn filter() -> Result<PathBuf> {
    add_target()?;
    run(cargo().args(["build", "--quiet", "--package", "plugin", "--target", TARGET, "--profile", "filter"]))?;
    let module = target_dir().join(TARGET).join("filter/mcp_policy.wasm");
    let bytes = fs::metadata(&module).with_context(|| format!("no {}", module.display()))?.len();
    eprintln!("{} ({} KiB)", module.display(), bytes.div_ceil(1024));
    if bytes > MOST_BYTES {
        bail!("the filter has {bytes} bytes; at most {MOST_BYTES} are allowed");
    }
    Ok(module)
}

/// Asks rustup for the standard library of the target, unless it is there. A toolchain file alone does not do:
/// some machines switch the automatic installation off.
fn add_target() -> Result<()> {
    let output = Command::new("rustc")
        .current_dir(root())
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("cannot start rustc")?;
    if Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir() {
        return Ok(());
    }
    run(Command::new("rustup").current_dir(root()).args(["target", "add", TARGET]))
}
