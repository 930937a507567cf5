//! Reading documents, and telling what is wrong with them.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use policy::config::{self, Config};

use crate::failure::Failure;

/// A document as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// What it is called in messages: its path as it was given, or `<stdin>`.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) text: Vec<u8>,
}

impl Source {
    /// Reads a file, or standard input where it is `-`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        if path == Path::new("-") {
            let mut text = Vec::new();
            io::stdin().lock().read_to_end(&mut text).map_err(Failure::because("cannot read standard input"))?;
            return Ok(Self { name: "<stdin>".to_owned(), text });
        }
        let name = path.display().to_string();
        let text = fs::read(path).map_err(Failure::because(format!("cannot read `{name}`")))?;
        Ok(Self { name, text })
    }
}

/// Reads the filter's configuration, or a bare policy, from a file, or from standard input where it is `-`.
///
/// # Errors
/// As [`check`].
pub(crate) fn configuration(path: &Path) -> Result<Config, Failure> {
    check(&Source::read(path)?)
}

/// Reads the filter's configuration, or a bare policy.
///
/// # Errors
/// What to tell: each error on a line of its own, `FILE:LINE:COLUMN: POINTER: what is wrong`, as editors follow it.
pub(crate) fn check(Source { name, text }: &Source) -> Result<Config, Failure> {
    config::load(text).map_err(|errors| {
        let line = |error: &policy::document::Error| {
            let (line, column) = (error.line(), error.column());
            // The error says the place as well, in words, at its end.
            let said = error.to_string();
            let said = said.strip_suffix(&format!(" (line {line}, column {column})")).unwrap_or(&said);
            format!("\n{name}:{line}:{column}: {said}")
        };
        Failure::new(format!("`{name}` does not check:{}", errors.iter().map(line).collect::<String>()))
    })
}
