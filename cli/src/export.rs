//! `mcp-policy export`.

use std::io::{self, Write};

use policy::global;

use crate::{arguments::Export, document};

/// Writes to standard output.
///
/// # Errors
/// What to tell if there is nothing to write, or nowhere.
pub(crate) fn run(what: &Export) -> Result<(), String> {
    let Export::Limitador { configuration } = what;
    let config = document::configuration(configuration)?;
    let limits = global::limitador_limits(&config).ok_or_else(|| {
        let name = configuration.display();
        format!("error: no limit in `{name}` has `\"store\": \"global\"`, so Limitador has nothing to count")
    })?;
    io::stdout().lock().write_all(limits.as_bytes()).map_err(|error| format!("error: cannot write the limits: {error}"))
}
