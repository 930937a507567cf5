//! Finding an Envoy, and starting it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use fetch::{ENVOY_VERSION, envoy_into};

use super::Options;
use crate::failure::Failure;

/// The file that Envoy writes its administration address into.
pub(super) const ADMIN: &str = "admin";

/// The Envoy that is named, or there, or fetched; `progress` hears of that.
pub(super) fn find(named: Option<&Path>, progress: impl Fn(&str)) -> Result<PathBuf, Failure> {
    if let Some(named) = named.map(Path::to_path_buf).or_else(|| env::var_os("ENVOY_BIN").map(PathBuf::from)) {
        return Ok(named);
    }
    let on_path = env::var_os("PATH")
        .and_then(|path| env::split_paths(&path).map(|folder| folder.join("envoy")).find(|file| file.is_file()));
    if let Some(found) = on_path {
        return Ok(found);
    }
    let folder = cache()?.join(format!("envoy-{ENVOY_VERSION}"));
    if !folder.is_dir() {
        progress(&format!("fetching Envoy {ENVOY_VERSION} into {} …", folder.display()));
    }
    envoy_into(&folder).map_err(|error| {
        Failure::new(format!("cannot fetch Envoy: {error}\ninstall one, and name it with --envoy or in ENVOY_BIN"))
    })
}

/// Where fetched programs are kept: by the XDG base directory specification.
fn cache() -> Result<PathBuf, Failure> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("mcp-policy"))
        .ok_or_else(|| Failure::new("neither XDG_CACHE_HOME nor HOME is set: name an Envoy with --envoy"))
}

/// Starts it. It is in this program's process group, so that what ends this (Ctrl-C in a terminal) ends it as well.
pub(super) fn start(binary: &Path, bootstrap: &Path, folder: &Path, options: &Options) -> Result<Child, Failure> {
    let binary = fs::canonicalize(binary).unwrap_or_else(|_| binary.to_path_buf());
    Command::new(&binary)
        .arg("--config-path")
        .arg(bootstrap)
        .arg("--admin-address-path")
        .arg(folder.join(ADMIN))
        .args(["--concurrency", &options.workers.to_string(), "--log-level", &options.log])
        // Several Envoys on one machine would otherwise fight for one shared memory segment.
        .arg("--disable-hot-restart")
        .stdin(Stdio::null())
        // What this program prints is the URL alone.
        .stdout(Stdio::null())
        .spawn()
        .map_err(Failure::because(format!("cannot start `{}`", binary.display())))
}
