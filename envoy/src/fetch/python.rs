//! Python programs: MCP servers that people really run, and the official client.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result, workspace};
use fetch::{once, run};

/// One virtual environment. They are separate because the servers need different majors of the SDK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// The first major of the official Python SDK, for its client and for servers.
    Client,
    /// The second major of the SDK, for servers.
    Sdk2,
    /// `labmcp-opentrons`: a robot's MCP server with a simulator built in.
    Opentrons,
    /// `mlflow-mcp`, MLflow itself, and `mcp-proxy`, which puts a stdio server behind HTTP.
    Mlflow,
}

impl Environment {
    /// Every environment, smallest first.
    pub const ALL: [Self; 4] = [Self::Client, Self::Sdk2, Self::Opentrons, Self::Mlflow];

    /// Its folder under `target/python/`, and the name of its pins under `envoy/python/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Sdk2 => "sdk2",
            Self::Opentrons => "opentrons",
            Self::Mlflow => "mlflow",
        }
    }
}

/// The `bin` folder of `environment`, installed on first use.
///
/// # Errors
/// If there is no `python3` with venv, or PyPI cannot be reached.
pub fn python_environment(environment: Environment) -> Result<PathBuf> {
    let folder = workspace::target_dir().join("python").join(environment.name());
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("python/{}.txt", environment.name()));
    let pins = fs::read_to_string(&requirements).map_err(Error::file("read", &requirements))?;
    once(&folder, &pins, || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(&requirements))
    })?;
    Ok(folder.join("bin"))
}
