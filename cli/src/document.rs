//! Reading documents, and telling what is wrong with them.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use policy::config::{self, Config};

/// Reads the filter's configuration from a file, or from standard input where it is `-`.
///
/// # Errors
/// What to tell: each error on a line of its own, `FILE:LINE:COLUMN: error: POINTER: what is wrong`, as editors follow it.
pub(crate) fn configuration(path: &Path) -> Result<Config, String> {
    let (name, text) = read(path)?;
    config::load(&text).map_err(|errors| {
        let line = |error: &policy::document::Error| {
            let (line, column) = (error.line(), error.column());
            // The error says the place as well, in words, at its end.
            let said = error.to_string();
            let said = said.strip_suffix(&format!(" (line {line}, column {column})")).unwrap_or(&said);
            format!("{name}:{line}:{column}: error: {said}")
        };
        errors.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}

/// The document, and what it is called in messages.
fn read(path: &Path) -> Result<(String, Vec<u8>), String> {
    if path == Path::new("-") {
        let mut text = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut text)
            .map_err(|error| format!("error: cannot read standard input: {error}"))?;
        return Ok(("<stdin>".to_owned(), text));
    }
    let name = path.display().to_string();
    fs::read(path).map(|text| (name.clone(), text)).map_err(|error| format!("error: cannot read `{name}`: {error}"))
}
