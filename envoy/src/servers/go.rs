//! Servers that people run, written in Go. None of them can be told to listen on 127.0.0.1 only.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use axum::http::{Method, Uri};

use super::{Executed, Kind, Running, backend::Backend, notes::Notes};
use crate::{
    Error, Result,
    fetch::{NodeEnvironment, node_environment},
    real::{RealServer, folder},
};

/// Asks a Prometheus: each tool has its own path there.
pub(super) async fn prometheus() -> Result<Running> {
    let backend = Backend::start(|_, uri| match uri.path() {
        "/api/v1/query" => executed("query", queried(uri)?),
        "/api/v1/query_range" => executed("queryRange", queried(uri)?),
        _ => None,
    })
    .await?;
    let mut command = program("mcp-prometheus-linux-amd64/bin/mcp-prometheus-linux-amd64")?;
    command.arg("--url").arg(backend.url()).arg("--port");
    Ok(Running::Asking { server: RealServer::start(Kind::Prometheus.name(), command, folder()?).await?, backend })
}

/// The parameter `query`. The words of the tests have no characters that would be escaped.
fn queried(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("query="))
}

/// Asks a Nomad: reading and stopping a job differ by the HTTP method.
pub(super) async fn nomad() -> Result<Running> {
    let backend = Backend::start(|method, uri| {
        let job = uri.path().strip_prefix("/v1/job/")?;
        executed(if *method == Method::DELETE { "stop_job" } else { "get_job" }, job)
    })
    .await?;
    let mut command = program("@kocierik/mcp-nomad-linux-x64/bin/mcp-nomad")?;
    command.env("NOMAD_ADDR", backend.url()).args(["-transport", "streamable-http", "-port"]);
    Ok(Running::Asking { server: RealServer::start(Kind::Nomad.name(), command, folder()?).await?, backend })
}

/// Runs the program `podman`, which is a script here that notes its arguments.
pub(super) async fn podman() -> Result<Running> {
    let folder = folder()?;
    let notes = folder.path().join("notes");
    let podman = folder.path().join("podman");
    let script = format!("#!/bin/sh\necho \"$*\" >> '{}'\necho '{{}}'\n", notes.display());
    fs::write(&podman, script).map_err(Error::file("write", &podman))?;
    fs::set_permissions(&podman, fs::Permissions::from_mode(0o755)).map_err(Error::file("make executable", &podman))?;
    let server = program("podman-mcp-server-linux-amd64/bin/podman-mcp-server-linux-amd64")?;
    // It ends with its standard input, and a pipe that it holds open itself has no end.
    let mut command = Command::new("sh");
    let start = r#"mkfifo input && exec "$0" --podman-impl cli --port "$1" <>input"#;
    command.args(["-c", start]).arg(server.get_program());
    command.env("PATH", first_in_path(folder.path())?);
    let notes = Notes::new(notes, |line| {
        let inspected = line.strip_prefix("inspect ").map(|name| ("container_inspect", name));
        let removed = || line.strip_prefix("container rm ").map(|name| ("container_remove", name));
        inspected.or_else(removed).and_then(|(tool, name)| executed(tool, name))
    });
    Ok(Running::Noting { server: RealServer::start(Kind::Podman.name(), command, folder).await?, notes })
}

fn executed(tool: &str, word: &str) -> Option<Executed> {
    Some(Executed { tool: tool.to_owned(), word: word.to_owned() })
}

fn program(file: &str) -> Result<Command> {
    let program = node_environment(NodeEnvironment::Go)?.folder().join("node_modules").join(file);
    if program.is_file() {
        Ok(Command::new(program))
    } else {
        Err(Error::Unexpected { from: "npm", answer: format!("no {} for this machine", program.display()) })
    }
}

/// The search path with `folder` before everything else.
fn first_in_path(folder: &Path) -> Result<std::ffi::OsString> {
    let others = env::var_os("PATH").unwrap_or_default();
    let folders = [PathBuf::from(folder)].into_iter().chain(env::split_paths(&others));
    env::join_paths(folders).map_err(|error| Error::Unexpected { from: "PATH", answer: error.to_string() })
}
