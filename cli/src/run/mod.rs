//! `mcp-policy run`: a gate on this machine, in one command.

mod envoy;
mod ready;
mod signals;

use std::{
    fs,
    io::{IsTerminal, stderr},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;

use crate::{
    deploy::EnvoyConfig,
    failure::{Failure, Outcome},
    module,
    output::print,
};

/// What is run.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    config: EnvoyConfig,
    /// Envoy itself; else the one that the environment variable ENVOY_BIN names, `envoy` on the PATH, or one that is fetched
    #[arg(long, value_name = "FILE")]
    envoy: Option<PathBuf>,
    /// How many threads serve
    #[arg(long, value_name = "THREADS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1024))]
    workers: u32,
    /// How much Envoy logs, to standard error
    #[arg(long, value_name = "LEVEL", default_value = "warning", value_parser = ["trace", "debug", "info", "warning", "error", "off"])]
    log: String,
}

/// Runs until Envoy ends, or is ended.
pub(crate) fn run(options: &Options) -> Outcome {
    let mut config = options.config.clone();
    config.filter = Some(module::find(options.config.filter.as_deref())?);
    config.admin.get_or_insert(SocketAddr::from(([127, 0, 0, 1], 0)));
    let rendered = config.render()?;
    let folder = tempfile::Builder::new()
        .prefix("mcp-policy-")
        .tempdir()
        .map_err(Failure::because("cannot make a folder for Envoy's configuration"))?;
    let bootstrap = folder.path().join("envoy.yaml");
    fs::write(&bootstrap, rendered).map_err(Failure::because(format!("cannot write `{}`", bootstrap.display())))?;
    let binary = envoy::find(options.envoy.as_deref(), |what| {
        if stderr().is_terminal() {
            anstream::eprintln!("{what}");
        }
    })?;
    let mut envoy = envoy::start(&binary, &bootstrap, folder.path(), options)?;
    signals::forward(&envoy)?;
    let address = ready::wait(&mut envoy, folder.path())?;
    print(&format!("http://{address}{}\n", config.upstream.path))?;
    let status = envoy.wait().map_err(Failure::because("cannot wait for Envoy"))?;
    match status.code() {
        // Ended by a signal, or in the way that Envoy ends when it is told to.
        None | Some(0) => Ok(ExitCode::SUCCESS),
        Some(code) => Err(Failure::new(format!("Envoy ended with status {code}"))),
    }
}
