//! Asking a server that is started for it, over its standard input and output.

use std::{
    io::Read,
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rmcp::ServiceExt;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::net::unix::pipe;

use super::{
    record::{Heard, Record},
    session::{self, Pages, Refused},
};
use crate::failure::Failure;

/// How much of what a server complains of is kept, in bytes.
const KEPT: usize = 2_048;

/// How long a server may take to end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// What the server that a command starts answers to `tools/list`.
pub(super) async fn pages(command: &str) -> Result<Pages, Failure> {
    let mut server = Server::start(command)?;
    let (input, output) = server.pipes()?;
    let record = Record::default();
    let service = match session::client().serve((Heard::new(output, &record), input)).await {
        Ok(service) => service,
        Err(error) => return Err(server.failed(&session::because(&error))),
    };
    let listed = session::list(service.peer(), &record).await;
    // Its standard input closes, by which a server knows that it is done.
    service.cancel().await.ok();
    listed.map_err(|refused| match refused {
        Refused::List(failure) => failure,
        Refused::Service(error) => server.failed(&session::because(&error)),
    })
}

/// A running server. It ends, with all that it has started, when it is dropped.
struct Server {
    command: String,
    child: Child,
    complaints: Arc<Mutex<Vec<u8>>>,
    listener: Option<thread::JoinHandle<()>>,
}

impl Server {
    fn start(command: &str) -> Result<Self, Failure> {
        let words = shlex::split(command).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| Failure::new(format!("`{command}` is no command: a quote is not closed")))?;
        let (program, arguments) = words.split_first().ok_or_else(|| Failure::new("`--stdio` names no command"))?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .spawn();
        let mut child = child.map_err(Failure::because(format!("cannot start `{program}`")))?;
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&complaints);
        let listener = child.stderr.take().map(|stderr| thread::spawn(move || hear(stderr, &heard)));
        Ok(Self { command: command.to_owned(), child, complaints, listener })
    }

    fn pipes(&mut self) -> Result<(pipe::Sender, pipe::Receiver), Failure> {
        let failed = || Failure::because::<std::io::Error>(format!("cannot speak to `{}`", self.command));
        let (Some(input), Some(output)) = (self.child.stdin.take(), self.child.stdout.take()) else {
            return Err(Failure::new(format!("cannot speak to `{}`", self.command)));
        };
        let input = pipe::Sender::from_owned_fd(OwnedFd::from(input)).map_err(failed())?;
        let output = pipe::Receiver::from_owned_fd(OwnedFd::from(output)).map_err(failed())?;
        Ok((input, output))
    }

    /// Why it gave no tools: with how it ended, and what it said last.
    fn failed(&mut self, why: &str) -> Failure {
        let ended = self.end();
        let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        let said = String::from_utf8_lossy(&complaints);
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines.iter().rev().take(5).rev().map(|line| format!("\n  {}", printable(line))).collect::<String>();
        let last = if last.is_empty() { last } else { format!("; it said:{last}") };
        let ended = ended.map(|status| format!(" ({status})")).unwrap_or_default();
        Failure::new(format!("`{}` is no MCP server, as far as it can be told: {why}{ended}{last}", self.command))
    }

    /// Waits a moment for the server to end, then ends it. Gives how it ended by itself.
    fn end(&mut self) -> Option<std::process::ExitStatus> {
        let begin = Instant::now();
        let mut status = None;
        while begin.elapsed() < GRACE {
            status = self.child.try_wait().ok().flatten();
            if status.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // What it has started may outlive it. Nobody is left: that is no failure.
            kill_process_group(group, Signal::KILL).ok();
        }
        self.child.wait().ok();
        if let Some(listener) = self.listener.take() {
            listener.join().ok();
        }
        status
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.listener.is_some() {
            self.end();
        }
    }
}

/// Keeps the last that a server writes to its standard error.
fn hear(mut stderr: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 1_024];
    while let Ok(length @ 1..) = stderr.read(&mut buffer) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(buffer.iter().take(length));
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
}

/// What comes from a server must not steer the terminal.
fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
