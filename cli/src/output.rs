//! Writing results: to standard output, or to a file.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    path::Path,
    process::ExitCode,
};

use crate::failure::{Failure, Outcome};

/// Writes a result to standard output. That its reader has seen enough (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Outcome {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(failed("standard output", &error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Writes a result into a file; to standard output where that is none, or `-`.
pub(crate) fn write(text: &str, file: Option<&Path>) -> Outcome {
    match file {
        Some(file) if file != Path::new("-") => {
            fs::write(file, text).map_err(|error| failed(&format!("`{}`", file.display()), &error))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => print(text),
    }
}

fn failed(what: &str, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write {what}: {error}"))
}

/// A name without control characters and not all too long.
pub(crate) fn shown(name: &str) -> String {
    let mut shown: String = name.chars().take(80).flat_map(escaped).collect();
    if name.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

fn escaped(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}
