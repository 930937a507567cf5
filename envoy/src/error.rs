//! What can go wrong around an Envoy.

use std::{io, path::PathBuf, time::Duration};

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a server could not be fetched, started, asked or called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read, written or removed.
    #[error("cannot {action} `{}`: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A program could not be started at all.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// The program, as it was named.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A program could not be fetched.
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
    /// The filter has not been compiled yet.
    #[error("there is no filter at `{}`: run `cargo xtask build` first", .0.display())]
    NoFilter(PathBuf),
    /// A server ended before it was ready.
    #[error("{name} ended before it was ready:\n{log}")]
    Ended {
        /// Which server.
        name: &'static str,
        /// What it wrote.
        log: String,
    },
    /// A server, or a change to it, took too long.
    #[error("{what} did not happen within {within:?}:\n{log}")]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        within: Duration,
        /// What the server wrote meanwhile.
        log: String,
    },
    /// A socket could not be opened.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[source] io::Error),
    /// A connection could not be opened.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// An HTTP exchange failed.
    #[error("HTTP: {0}")]
    Http(#[from] reqwest::Error),
    /// An MCP exchange failed below the level of a tool's own answer.
    #[error("MCP: {0}")]
    Mcp(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Instructions are only counted where that was asked for, and where valgrind says how many they were.
    #[error("no instructions of this Envoy were counted")]
    Uncounted,
    /// An answer was not of the form that its sender documents.
    #[error("{from} answered unexpectedly: {answer}")]
    Unexpected {
        /// Who answered.
        from: &'static str,
        /// What.
        answer: String,
    },
}

impl Error {
    /// For `map_err`: names the file and what was tried on it.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
