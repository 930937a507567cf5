//! One running Envoy.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{Config, Error, Result, admin::Admin, callgrind::Callgrind, child::Child, fetch, filters::PolicyFilter};

/// How long Envoy may take to start or to take an update, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same under valgrind.
const CALLGRIND_PATIENCE: Duration = Duration::from_mins(5);

/// How often it is looked at meanwhile.
const INTERVAL: Duration = Duration::from_millis(10);

/// A real Envoy that serves on a free port of 127.0.0.1 until the value is dropped.
#[derive(Debug)]
pub struct Envoy {
    child: Child,
    callgrind: Option<Callgrind>,
    admin: Admin,
    listener: SocketAddr,
    extension: PathBuf,
    updates: u64,
    _folder: TempDir,
}

/// What became of a new configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// It is in force.
    Taken,
    /// Envoy refused it and goes on with the one before.
    Refused,
}

impl Envoy {
    /// Starts Envoy with `config` and waits until it serves.
    ///
    /// # Errors
    /// [`Error::Ended`] with the log if Envoy refuses the configuration, [`Error::Late`] if it does not come up.
    pub async fn start(config: &Config) -> Result<Self> {
        let folder = temporary_folder()?;
        let extension = folder.path().join("mcp_policy.json");
        if let (true, Some(filter)) = (config.live, &config.policy) {
            replace(&extension, &Config::extension(filter, 0).to_string())?;
        }
        let bootstrap = folder.path().join("envoy.json");
        replace(&bootstrap, &config.bootstrap(&extension).to_string())?;
        Self::launch(folder, &bootstrap, extension, config).await
    }

    /// Starts Envoy with a configuration written by hand, whose listener is called `mcp`.
    ///
    /// # Errors
    /// As [`Envoy::start`].
    pub async fn start_with_yaml(yaml: &str) -> Result<Self> {
        let folder = temporary_folder()?;
        let bootstrap = folder.path().join("envoy.yaml");
        replace(&bootstrap, yaml)?;
        let extension = folder.path().join("unused");
        let defaults = Config::new(SocketAddr::from(([127, 0, 0, 1], 0)));
        Self::launch(folder, &bootstrap, extension, &defaults).await
    }

    async fn launch(folder: TempDir, bootstrap: &Path, extension: PathBuf, config: &Config) -> Result<Self> {
        let admin_address = folder.path().join("admin");
        let callgrind = config.callgrind.then(|| Callgrind::new(folder.path()));
        let binary = fetch::envoy_binary()?;
        let mut command = callgrind.as_ref().map_or_else(|| Command::new(&binary), |it| it.command(&binary));
        command
            .arg("--config-path")
            .arg(bootstrap)
            .arg("--admin-address-path")
            .arg(&admin_address)
            .args(["--concurrency", &config.workers.to_string()])
            // Several Envoys on one machine would otherwise fight for one shared memory segment.
            .arg("--disable-hot-restart")
            .args(["--log-level", "warning"]);
        if !config.access_logs.is_empty() {
            command.args(["--file-flush-interval-msec", "10"]);
        }
        if let Some(levels) = config.log {
            command.args(["--component-log-level", levels]);
        }
        let log = folder.path().join("log");
        let mut child = match config.core {
            Some(core) => Child::start_on_core(&mut command, &log, core)?,
            None => Child::start(&mut command, &log)?,
        };
        let patience = if config.callgrind { CALLGRIND_PATIENCE } else { PATIENCE };
        let deadline = Instant::now() + patience;
        let mut admin = None;
        loop {
            if child.ended().is_some() {
                return Err(Error::Ended { name: "Envoy", log: child.log() });
            }
            if admin.is_none() {
                admin = fs::read_to_string(&admin_address).ok().and_then(|text| text.parse().ok()).map(Admin::new);
            }
            if let Some(admin) = &admin
                && admin.is_ready().await
            {
                break;
            }
            if Instant::now() > deadline {
                return Err(late("Envoy's start", &child));
            }
            sleep(INTERVAL).await;
        }
        let Some(admin) = admin else {
            return Err(late("Envoy's admin page", &child));
        };
        let listener = match admin.listener("mcp").await {
            Ok(address) => address,
            Err(_) => {
                return Err(Error::Ended { name: "Envoy's listener", log: child.log() });
            }
        };
        Ok(Self { child, callgrind, admin, listener, extension, updates: 0, _folder: folder })
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listener
    }

    /// The URL of `path` through this Envoy.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listener)
    }

    /// Its admin page.
    #[must_use]
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Everything that it logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.child.log()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// The CPU time of the whole process.
    ///
    /// # Errors
    /// If Envoy has ended.
    pub fn cpu_time(&self) -> Result<Duration> {
        self.child.cpu_time()
    }

    /// How many instructions the whole process runs while `work` does. Only for a [`Config::callgrind`].
    ///
    /// # Errors
    /// Those of `work`, and if valgrind's tools do not answer.
    pub fn instructions<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
        let callgrind = self.callgrind.as_ref().ok_or(Error::Uncounted)?;
        callgrind.count(self.pid(), work)
    }

    /// Hands over another policy filter while requests run, and waits for what becomes of it.
    /// Only for a [`Config::live_policy`].
    ///
    /// Envoy tells its workers after it counted the update, so a request that follows at once may still be
    /// judged by the configuration before.
    ///
    /// # Errors
    /// [`Error::Late`] if Envoy does not react.
    pub async fn update(&mut self, filter: &PolicyFilter) -> Result<Update> {
        let before = self.discovery().await?;
        self.updates += 1;
        replace(&self.extension, &Config::extension(filter, self.updates).to_string())?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.discovery().await?;
            if now.0 > before.0 {
                return Ok(Update::Taken);
            }
            if now.1 > before.1 {
                return Ok(Update::Refused);
            }
            if Instant::now() > deadline {
                return Err(late("the update", &self.child));
            }
            sleep(INTERVAL).await;
        }
    }

    /// How many configurations of the policy filter were taken and refused so far.
    async fn discovery(&self) -> Result<(u64, u64)> {
        let stats = self.admin.stats("extension_config_discovery").await?;
        let sum = |ending: &str| stats.iter().filter(|(name, _)| name.ends_with(ending)).map(|(_, value)| value).sum();
        Ok((sum(".update_success"), sum(".update_rejected")))
    }
}

fn late(what: &str, child: &Child) -> Error {
    Error::Late { what: what.into(), within: PATIENCE, log: child.log() }
}

fn temporary_folder() -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("mcp-policy-")
        .tempdir()
        .map_err(Error::file("create a folder in", std::env::temp_dir()))
}

/// Replaces `path` in one step: Envoy watches for a file that is moved over it, and never sees half of one.
fn replace(path: &Path, text: &str) -> Result<()> {
    let next = path.with_extension("next");
    fs::write(&next, text).map_err(Error::file("write", &next))?;
    fs::rename(&next, path).map_err(Error::file("replace", path))
}
