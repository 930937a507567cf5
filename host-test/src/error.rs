//! What can go wrong between a test and the host.
//!
//! Misbehaviour of the guest is never one of these: it is a [`Fault`], because Envoy carries on too.

use std::fmt;
use std::path::PathBuf;

use crate::logs::Level;

/// The host could not do what a test asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostError {
    /// `cargo build` of the filter ended with an error; what it printed stands in the test's output.
    FilterBuild {
        /// The exit code, if there was one.
        code: Option<i32>,
    },
    /// A file could not be read, or a command not started.
    Io {
        /// The file or command.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are not a WebAssembly module.
    Module(wasmtime::Error),
    /// That callout is not under way: it was answered, cancelled, or its root context is gone.
    UnknownCallout,
    /// A gRPC answer for an HTTP callout, or the other way round.
    WrongAnswer,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostError::FilterBuild { code } => write!(f, "`cargo build` of the filter failed (exit code {code:?})"),
            HostError::Io { path, .. } => write!(f, "cannot use `{}`", path.display()),
            HostError::Module(_) => write!(f, "not a usable WebAssembly module"),
            HostError::UnknownCallout => write!(f, "no such callout is under way"),
            HostError::WrongAnswer => write!(f, "the answer does not fit the kind of the callout"),
        }
    }
}

impl std::error::Error for HostError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            HostError::Io { source, .. } => Some(source),
            HostError::Module(source) => Some(source.as_ref()),
            _ => None,
        }
    }
}

/// Envoy would not take the module or its configuration.
#[derive(Debug)]
pub struct StartError {
    cause: StartCause,
    logs: Vec<(Level, String)>,
}

/// Why a module or a configuration was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartCause {
    /// The module imports something that the host does not have, or with another signature.
    Link(String),
    /// The module exports no `proxy_abi_version_0_2_1`.
    UnknownAbi,
    /// An export that the host calls is missing or has another signature.
    BadExport(String),
    /// The guest trapped.
    Trap(String),
    /// `proxy_on_vm_start` answered false.
    VmStartRefused,
    /// `proxy_on_configure` answered false.
    ConfigureRefused,
}

impl StartError {
    pub(crate) fn new(cause: StartCause, logs: Vec<(Level, String)>) -> Self {
        StartError { cause, logs }
    }

    /// Why.
    pub fn cause(&self) -> &StartCause {
        &self.cause
    }

    /// Everything logged until then; the guest's own reason is usually the last line.
    pub fn logs(&self) -> &[(Level, String)] {
        &self.logs
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            StartCause::Link(why) => write!(f, "the module does not link: {why}")?,
            StartCause::UnknownAbi => write!(f, "the module exports no `proxy_abi_version_0_2_1`")?,
            StartCause::BadExport(why) => write!(f, "an export does not fit: {why}")?,
            StartCause::Trap(why) => write!(f, "the guest trapped while starting: {why}")?,
            StartCause::VmStartRefused => write!(f, "`proxy_on_vm_start` answered false")?,
            StartCause::ConfigureRefused => write!(f, "`proxy_on_configure` refused the configuration")?,
        }
        for (level, line) in &self.logs {
            write!(f, "\n  {level:?}: {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for StartError {}

/// Something that a filter must never do, and that Envoy answers with a failed virtual machine, a hung
/// client or silence.
///
/// The host imitates Envoy and writes the fault down. A [`crate::Host`] that is dropped with faults that no
/// test took (see [`crate::Host::take_faults`]) panics, so that none passes unseen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The guest trapped, ran out of fuel, or called what is not allowed yet. Its virtual machine has failed.
    Trap {
        /// The export that was running.
        callback: &'static str,
        /// The trap, with its causes.
        message: String,
    },
    /// A second local reply on one stream. Clients have hung on it. Envoy 1.40 ignores it, sends it in the place of
    /// the first, or resets the stream, by how far the first has come; so does this host.
    SecondReply {
        /// The stream's context id.
        context: u32,
    },
    /// A local reply after the response headers had gone out: the client sees a reset.
    ReplyAfterHeaders {
        /// The stream's context id.
        context: u32,
    },
    /// A local reply, resume or close on a context without a stream. Envoy answers OK and does nothing.
    NoStream {
        /// The root context's id.
        context: u32,
        /// The host function.
        call: &'static str,
    },
    /// A resume from within the headers callback that decides about them: the headers go on, and what the
    /// callback then returns stops the stream for good.
    ResumeInHeaders {
        /// The stream's context id.
        context: u32,
    },
    /// Envoy itself would have crashed here (seen in 1.40); this host goes on as if nothing had been asked.
    Crash {
        /// The stream's context id.
        context: u32,
        /// What the guest did.
        what: &'static str,
    },
    /// A worker refused, or trapped on, a configuration that the main thread's canary took. Envoy then leaves the
    /// filter out of every stream of that worker, whatever the failure policy.
    Unfiltered,
    /// A message went out with a `content-length` that its body does not have: the peer reads on into the next
    /// message, or waits for what never comes. A filter that may change a body removes the header first.
    WrongLength {
        /// The stream's context id.
        context: u32,
        /// What the header says, in bytes.
        announced: usize,
        /// What was sent, in bytes.
        sent: usize,
    },
    /// A header name or value with CR, LF or NUL in it, which would forge another header. Envoy 1.40 answers such a
    /// request with 503.
    InvalidHeader {
        /// The name as the guest gave it.
        name: String,
    },
}
