//! What can be wrong with a scenario file.

use std::fmt;
use std::path::PathBuf;

use crate::error::{HostError, StartError};

/// A scenario cannot be read, or cannot be run.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file or folder cannot be read.
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a scenario file.
    Text {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<serde_saphyr::Error>,
    },
    /// A scenario contradicts itself.
    Nonsense {
        /// File, line and name of the scenario, and the step if it is one.
        place: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A policy or configuration that a file names cannot be read.
    Document {
        /// File, line and name of the scenario, or the file alone.
        place: String,
        /// What it names.
        path: PathBuf,
        /// What is wrong with that.
        why: String,
    },
    /// The module cannot be built or read.
    Module(HostError),
    /// The filter does not take the configuration.
    Start {
        /// File, line and name of the scenario.
        place: String,
        /// What the filter says.
        source: Box<StartError>,
    },
}

impl ScenarioError {
    /// Line and column in the scenario file, counted from 1, where its text is not a scenario's.
    #[must_use]
    pub fn location(&self) -> Option<(u64, u64)> {
        let ScenarioError::Text { source, .. } = self else { return None };
        source.location().map(|location| (location.line(), location.column()))
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScenarioError::Io { path, .. } => write!(f, "cannot read `{}`", path.display()),
            ScenarioError::Text { path, source } => write!(f, "`{}`: {source}", path.display()),
            ScenarioError::Nonsense { place, problem } => write!(f, "{place}: {problem}"),
            ScenarioError::Document { place, path, why } => {
                write!(f, "{place}: cannot read `{}`: {why}", path.display())
            }
            ScenarioError::Module(_) => write!(f, "there is no filter to run"),
            ScenarioError::Start { place, source } => write!(f, "{place}: {source}"),
        }
    }
}

impl std::error::Error for ScenarioError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ScenarioError::Io { source, .. } => Some(source),
            ScenarioError::Module(source) => Some(source),
            // Theirs is part of our own text.
            ScenarioError::Text { .. }
            | ScenarioError::Start { .. }
            | ScenarioError::Nonsense { .. }
            | ScenarioError::Document { .. } => None,
        }
    }
}
