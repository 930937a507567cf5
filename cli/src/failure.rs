//! What went wrong, and the exit status that says so.

use std::{fmt, process::ExitCode};

use anstyle::{AnsiColor, Style};

/// How a command ends: its exit status, or what to tell on standard error (exit status 1).
pub(crate) type Outcome = Result<ExitCode, Failure>;

/// Exit status of a command that did its work, and found what it looks for: a document that does not check, a case that
/// fails. A command line that is wrong has 2, which clap says.
pub(crate) const FOUND: u8 = 1;

/// Why a command could not do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    /// Lower case, without a full stop; what it says of several things, on lines of their own.
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self(message.to_string())
    }

    /// For `map_err`: what could not be done, and why.
    pub(crate) fn because<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |why| Self(format!("{what}: {why}"))
    }

    /// Tells it on standard error.
    pub(crate) fn report(self) -> ExitCode {
        anstream::eprintln!("{ERROR}error{ERROR:#}: {}", self.0);
        ExitCode::from(FOUND)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the word "error" looks on a terminal.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_and_why() {
        assert_eq!(
            Failure::because("cannot read `p.json`")("no such file"),
            Failure::new("cannot read `p.json`: no such file")
        );
    }
}
