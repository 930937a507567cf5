//! Where tools come from, as the command line says it.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    time::Duration,
};

use clap::{ArgGroup, Args};

use super::{Listing, http, session::Pages, stdio};
use crate::failure::Failure;

/// Where to read tools: a saved list, or a server that is asked.
#[derive(Debug, Clone, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("tools").required(true).multiple(false).args(["file", "server", "stdio"]))]
pub(crate) struct From {
    /// A saved answer to tools/list; `-` reads standard input
    #[arg(value_name = "TOOLS", conflicts_with = "headers")]
    file: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
}

/// A server that is asked for its tools.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub(crate) struct Server {
    /// Asks the MCP server at this URL (Streamable HTTP, or HTTP+SSE where it has only that)
    #[arg(long, value_name = "URL", conflicts_with = "stdio")]
    server: Option<String>,
    /// Starts this MCP server and asks it over its standard input and output
    #[arg(long, value_name = "COMMAND")]
    stdio: Option<String>,
    /// A header for the server, such as `Authorization: Bearer …`; can be given several times
    #[arg(long = "header", value_name = "NAME: VALUE", requires = "server")]
    headers: Vec<String>,
    /// How long to wait for a server
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

impl From {
    /// Reads the list.
    ///
    /// # Errors
    /// If there is none, or the server does not give one in time.
    pub(crate) fn read(&self) -> Result<Listing, Failure> {
        match &self.file {
            Some(file) => Listing::read(file),
            None => self.server.ask()?.ok_or_else(|| Failure::new("no tools are named")),
        }
    }
}

impl Server {
    /// Asks the server for its list. None if no server is named.
    ///
    /// # Errors
    /// If it does not give one in time.
    pub(crate) fn ask(&self) -> Result<Option<Listing>, Failure> {
        let Some(name) = self.server.as_ref().or(self.stdio.as_ref()) else { return Ok(None) };
        // rmcp and the pipes of a server are asynchronous; this command has nothing else to do meanwhile.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Failure::because("cannot start"))?;
        let asked = runtime.block_on(async {
            let asking: Asking<'_> = match &self.server {
                Some(url) => Box::pin(http::pages(url, &self.headers)),
                None => Box::pin(stdio::pages(name)),
            };
            waited(name, Duration::from_secs(self.timeout), asking).await
        });
        // Nothing that is left behind may hold up the command.
        runtime.shutdown_background();
        Ok(Some(Listing { name: name.clone(), pages: asked? }))
    }
}

type Asking<'a> = std::pin::Pin<Box<dyn Future<Output = Result<Pages, Failure>> + 'a>>;

/// Waits, and says so to people after a second.
async fn waited(name: &str, longest: Duration, mut asking: Asking<'_>) -> Result<Pages, Failure> {
    const SLOW: Duration = Duration::from_secs(1);
    let first = SLOW.min(longest);
    if let Ok(pages) = tokio::time::timeout(first, &mut asking).await {
        return pages;
    }
    if io::stderr().is_terminal() {
        anstream::eprintln!("waiting for `{name}` …");
    }
    let rest = longest.saturating_sub(first);
    tokio::time::timeout(rest, asking).await.unwrap_or_else(|_| {
        let seconds = longest.as_secs();
        Err(Failure::new(format!("`{name}` gave no list of tools within {seconds} s; wait longer with `--timeout`")))
    })
}
