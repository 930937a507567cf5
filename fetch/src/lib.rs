//! Programs that are fetched once into a folder, and used from there until other versions of them are pinned.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod envoy;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

pub use envoy::{ENVOY_VERSION, envoy_into};

/// Why something could not be fetched.
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
    /// A program ran and reported a failure.
    #[error("`{command}` failed ({status}):\n{output}")]
    Command {
        /// The program with its arguments.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// Everything that it wrote.
        output: String,
    },
    /// Nothing for this machine was found under the pinned version.
    #[error("there is no {0} for this machine")]
    Missing(String),
}

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err`: names the file and what was tried on it.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

/// The file that is written last: a folder without it is unfinished, and one with other text is outdated.
const STAMP: &str = "pins.txt";

/// Fills `folder` with `fill` unless that was done before from the same `pins`.
///
/// Processes that want the same folder at the same time wait for the first one. Its work is done in place,
/// because a Python environment does not survive being moved.
///
/// # Errors
/// If the folder cannot be written, or what `fill` says; the next call tries again.
pub fn once(folder: &Path, pins: &str, fill: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join(STAMP);
    let is_current = || fs::read_to_string(&stamp).is_ok_and(|found| found == pins);
    if is_current() {
        return Ok(());
    }
    let _lock = lock(folder)?;
    if is_current() {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Error::file("remove", folder))?;
    }
    fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    fill()?;
    let unfinished = folder.join("pins.txt.new");
    fs::write(&unfinished, pins).map_err(Error::file("write", &unfinished))?;
    fs::rename(&unfinished, &stamp).map_err(Error::file("write", &stamp))
}

/// Holds the lock of `folder` until the file is dropped.
fn lock(folder: &Path) -> Result<File> {
    let mut path = folder.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
    }
    let file = File::create(&path).map_err(Error::file("create", &path))?;
    file.lock().map_err(Error::file("lock", &path))?;
    Ok(file)
}

/// Runs `command` to its end.
///
/// # Errors
/// If it cannot be started, or reports a failure; with all that it wrote.
pub fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|source| Error::Start { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Err(Error::Command { command: format!("{command:?}"), status: output.status, output: text })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_folder_is_filled_again_only_when_its_pins_change() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("thing-1.2.3");
        let fills = Cell::new(0);
        let fill = || {
            fills.set(fills.get() + 1);
            Ok(())
        };
        once(&folder, "a==1", fill).unwrap();
        once(&folder, "a==1", fill).unwrap();
        assert_eq!(fills.get(), 1);
        once(&folder, "a==2", fill).unwrap();
        assert_eq!(fills.get(), 2);
    }

    #[test]
    fn an_unfinished_folder_is_emptied_and_filled_anew() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("thing");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("half"), "").unwrap();
        once(&folder, "a==1", || Ok(())).unwrap();
        assert!(!folder.join("half").exists());
    }

    #[test]
    fn a_failed_fill_is_tried_again() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("thing");
        once(&folder, "a==1", || run(Command::new("false").arg("x"))).unwrap_err();
        let mut filled = false;
        once(&folder, "a==1", || {
            filled = true;
            Ok(())
        })
        .unwrap();
        assert!(filled);
    }
}
