//! The file in which a server notes what it executes.

use std::{fs, io, path::PathBuf};

use super::Executed;
use crate::{Error, Result};

/// How a line of the file is read.
type Line = fn(&str) -> Option<Executed>;

/// A file that a server adds one line to for each call.
#[derive(Debug)]
pub(super) struct Notes {
    path: PathBuf,
    line: Line,
}

impl Notes {
    pub(super) fn new(path: PathBuf, line: Line) -> Self {
        Self { path, line }
    }

    /// The calls so far.
    pub(super) fn read(&self) -> Result<Vec<Executed>> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Ok(text.lines().filter_map(self.line).collect()),
            // It is made with the first line.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(vec![]),
            Err(error) => Err(Error::file("read", &self.path)(error)),
        }
    }
}
