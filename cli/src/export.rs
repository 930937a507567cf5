//! `mcp-policy export`.

use std::path::Path;

use policy::global;

use crate::{
    arguments::Export,
    document,
    failure::{Failure, Outcome},
    output,
};

/// Writes to standard output.
pub(crate) fn run(what: &Export) -> Outcome {
    match what {
        Export::Limitador { configuration } => limitador(configuration),
    }
}

fn limitador(configuration: &Path) -> Outcome {
    let config = document::configuration(configuration)?;
    let limits = global::limitador_limits(&config).ok_or_else(|| {
        let name = configuration.display();
        Failure::new(format!("no limit in `{name}` has `\"store\": \"global\"`, so Limitador has nothing to count"))
    })?;
    output::print(&limits)
}
