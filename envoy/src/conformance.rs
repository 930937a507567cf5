//! The official conformance suite in its server mode: a client that visits a server and notes how it behaves.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::time::sleep;

use crate::{
    Error, Result,
    child::Child,
    fetch::{NodeEnvironment, node_environment},
};

/// How long one visit may take; the longest takes a few seconds on a machine that has nothing else to do.
const PATIENCE: Duration = Duration::from_secs(180);

/// One selection of scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// Everything in the release, which speaks 2025-11-25 and earlier revisions.
    Release,
    /// What the pre-release asks of 2025-11-25.
    Sessions,
    /// What the pre-release asks of 2026-07-28.
    Stateless,
}

impl Suite {
    /// The installed package, and how it is told what to run.
    fn arguments(self) -> (&'static str, [&'static str; 2]) {
        match self {
            Self::Release => ("conformance-0.1", ["--suite", "all"]),
            Self::Sessions => ("conformance-0.2", ["--requirements", "2025-11-25"]),
            Self::Stateless => ("conformance-0.2", ["--requirements", "2026-07-28"]),
        }
    }
}

/// What the suite found at one point of a scenario. Two are equal if they are the same finding, whatever it says in
/// detail: sessions, ports and times differ from one visit to the next.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Check {
    /// Which requirement it is about.
    pub id: String,
    /// `SUCCESS`, `FAILURE`, `WARNING`, `SKIPPED`, or `INFO` for what is only noted.
    pub status: String,
    /// Why it is not a success.
    pub error: Option<String>,
}

impl Check {
    fn read(check: &Value) -> Option<Self> {
        let text = |field: &str| Some(check.get(field)?.as_str()?.to_owned());
        Some(Self { id: text("id")?, status: text("status")?, error: text("errorMessage") })
    }
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, &self.status) == (&other.id, &other.status)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.id, self.status)?;
        self.error.as_ref().map_or(Ok(()), |error| write!(formatter, ": {error}"))
    }
}

/// The checks of each scenario, in the order in which they were made.
pub type Findings = BTreeMap<String, Vec<Check>>;

/// Visits the server at `url`.
///
/// # Errors
/// If the suite cannot be fetched, does not come to an end, or leaves no findings.
pub async fn visit(suite: Suite, url: &str) -> Result<Findings> {
    let folder = tempfile::tempdir().map_err(Error::file("create a folder in", std::env::temp_dir()))?;
    let findings = folder.path().join("findings");
    let (package, selection) = suite.arguments();
    let mut command = node_environment(NodeEnvironment::Conformance)?.package(&format!("{package}/dist/index.js"));
    command.args(["server", "--url", url, "--output-dir"]).arg(&findings).args(selection);
    let mut child = Child::start(command.current_dir(folder.path()), &folder.path().join("log"))?;
    let deadline = Instant::now() + PATIENCE;
    // It ends with a failure if any check is one, and leaves its findings all the same.
    while child.ended().is_none() {
        if Instant::now() > deadline {
            return Err(Error::Late { what: format!("the end of {package}"), within: PATIENCE, log: child.log() });
        }
        sleep(Duration::from_millis(50)).await;
    }
    if findings.is_dir() {
        read(&findings)
    } else {
        Err(Error::Unexpected { from: "the conformance suite", answer: child.log() })
    }
}

/// Reads `server-SCENARIO-TIME/checks.json` for each scenario.
fn read(folder: &Path) -> Result<Findings> {
    let mut found = Findings::new();
    for entry in fs::read_dir(folder).map_err(Error::file("list", folder))? {
        let path = entry.map_err(Error::file("list", folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = path.join("checks.json");
        let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
        let unexpected = |answer| Error::Unexpected { from: "the conformance suite", answer };
        let scenario = scenario(&name).ok_or_else(|| unexpected(name.clone()))?.to_owned();
        let checks = serde_json::from_str::<Vec<Value>>(&text).ok();
        let checks = checks.and_then(|checks| checks.iter().map(Check::read).collect());
        found.insert(scenario, checks.ok_or_else(|| unexpected(text))?);
    }
    Ok(found)
}

/// The scenario of a folder such as `server-tools-list-2026-11-21T09-11-20-956Z`.
fn scenario(folder: &str) -> Option<&str> {
    const TIME: usize = "-2026-11-21T09-11-20-956Z".len();
    folder.strip_prefix("server-")?.get(..folder.len().checked_sub("server-".len() + TIME)?)
}
