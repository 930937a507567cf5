//! MCP servers that people really run, and the official Python client.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{net::TcpStream, time::Instant, time::sleep};

use crate::{
    Error, Result,
    child::Child,
    fetch::{Environment, NodeEnvironment, node_environment, python_environment},
};

/// How long a server may take to import its world, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// A real MCP server on a free port of 127.0.0.1. Its endpoint is `/mcp` unless it says otherwise.
#[derive(Debug)]
pub struct RealServer {
    address: SocketAddr,
    _child: Child,
    _folder: TempDir,
}

impl RealServer {
    /// `labmcp-opentrons`, with the robot simulator that it brings along.
    ///
    /// # Errors
    /// If it cannot be fetched or does not come up.
    pub async fn opentrons() -> Result<Self> {
        let folder = folder()?;
        let mut command = Command::new(python_environment(Environment::Opentrons)?.join("labmcp-opentrons"));
        command.args(["--simulate", "--transport", "http", "--host", "127.0.0.1", "--port"]);
        Self::start("labmcp-opentrons", command, folder).await
    }

    /// `mlflow-mcp` behind `mcp-proxy`, on an empty MLflow in which one run was recorded; also that run's id.
    ///
    /// # Errors
    /// If it cannot be fetched or does not come up.
    pub async fn mlflow() -> Result<(Self, String)> {
        let folder = folder()?;
        let programs = python_environment(Environment::Mlflow)?;
        let tracking = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
        let mut seed = Command::new(programs.join("python"));
        seed.arg(script("seed_mlflow.py")).env("MLFLOW_TRACKING_URI", &tracking).current_dir(folder.path());
        let run_id = output(seed).await?.trim().to_owned();
        // mcp-proxy takes its own options first, then the program that it puts behind HTTP.
        let start = r#"exec "$0" --host 127.0.0.1 --pass-environment --port "$2" "$1""#;
        let mut command = Command::new("sh");
        command.args(["-c", start]).arg(programs.join("mcp-proxy")).arg(programs.join("mlflow-mcp"));
        command.env("MLFLOW_TRACKING_URI", &tracking);
        Ok((Self::start("mlflow-mcp", command, folder).await?, run_id))
    }

    /// The server of ours that the conformance suite is run against, on the TypeScript SDK. It speaks every revision.
    ///
    /// # Errors
    /// If what it needs cannot be fetched, or it does not come up.
    pub async fn conformance() -> Result<Self> {
        let command = node_environment(NodeEnvironment::Servers)?.script("conformance/main.mjs");
        Self::start("the conformance server", command, folder()?).await
    }

    /// `server-everything` over Streamable HTTP.
    ///
    /// # Errors
    /// If it cannot be fetched or does not come up.
    pub async fn everything_streamable() -> Result<Self> {
        Self::everything("streamableHttp").await
    }

    /// `server-everything` over the transport of 2024-11-05: event streams at `/sse`, which name `/message` as their
    /// endpoint.
    ///
    /// # Errors
    /// If it cannot be fetched or does not come up.
    pub async fn everything_sse() -> Result<Self> {
        Self::everything("sse").await
    }

    /// A server of ours on the official Python SDK 1.x, over the transport of 2024-11-05: event streams at `/sse`, which
    /// name `/messages/` as their endpoint.
    ///
    /// # Errors
    /// If the SDK cannot be fetched, or it does not come up.
    pub async fn python_sse() -> Result<Self> {
        let mut command = Command::new(python_environment(Environment::Client)?.join("python"));
        command.arg(script("sse_server.py"));
        Self::start("the Python SSE server", command, folder()?).await
    }

    async fn everything(transport: &str) -> Result<Self> {
        let mut command = node_environment(NodeEnvironment::Servers)?.script("everything.mjs");
        command.arg(transport);
        Self::start("server-everything", command, folder()?).await
    }

    /// Starts `command` with a free port as its last argument and waits until it accepts connections.
    pub(crate) async fn start(name: &'static str, mut command: Command, folder: TempDir) -> Result<Self> {
        let port = free_port()?;
        // Whatever they keep under the user's home stays in the folder as well.
        command.arg(port.to_string()).current_dir(folder.path()).env("HOME", folder.path());
        let mut child = Child::start(&mut command, &folder.path().join("log"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).await.is_err() {
            if child.ended().is_some() {
                return Err(Error::Ended { name, log: child.log() });
            }
            if Instant::now() > deadline {
                return Err(Error::Late { what: format!("the start of {name}"), within: PATIENCE, log: child.log() });
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(Self { address, _child: child, _folder: folder })
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// What the official Python SDK's client sees in one session at `url`: `server`, `tools`, and for each of `calls`
/// either `text`, `is_error` and `meta`, or an `error` with its `code` and `message`.
///
/// # Errors
/// If the client cannot be fetched, or its session breaks.
pub async fn python_client(url: &str, calls: &[(&str, Value)]) -> Result<Value> {
    let mut command = Command::new(python_environment(Environment::Client)?.join("python"));
    command.arg(script("client.py")).arg(url);
    for (tool, arguments) in calls {
        command.arg(tool).arg(arguments.to_string());
    }
    let answer = output(command).await?;
    serde_json::from_str(&answer).map_err(|_| Error::Unexpected { from: "client.py", answer })
}

/// What `command` writes to its standard output; it must succeed.
pub(crate) async fn output(mut command: Command) -> Result<String> {
    let run = move || {
        let program = command.get_program().to_string_lossy().into_owned();
        let output = command.stdin(Stdio::null()).output().map_err(|source| Error::Start { program, source })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(fetch::Error::Command { command: format!("{command:?}"), status: output.status, output: text }.into())
    };
    match tokio::task::spawn_blocking(run).await {
        Ok(answer) => answer,
        Err(stopped) => Err(Error::Mcp(Box::new(stopped))),
    }
}

/// A port that was free a moment ago: these servers cannot be told to take any and say which.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::Listen)?;
    Ok(listener.local_addr().map_err(Error::Listen)?.port())
}

pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name)
}

pub(crate) fn folder() -> Result<TempDir> {
    tempfile::tempdir().map_err(Error::file("create a folder in", std::env::temp_dir()))
}
