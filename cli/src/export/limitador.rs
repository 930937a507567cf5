//! The limits file of Limitador.

use std::path::PathBuf;

use clap::Args;
use policy::global;

use crate::{document, failure::Failure};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The filter's configuration, as Envoy hands it over; `-` reads standard input
    #[arg(value_name = "CONFIGURATION")]
    configuration: PathBuf,
}

impl Options {
    pub(super) fn render(&self) -> Result<String, Failure> {
        let config = document::configuration(&self.configuration)?;
        global::limitador_limits(&config).ok_or_else(|| {
            let name = self.configuration.display();
            Failure::new(format!("no limit in `{name}` has `\"store\": \"global\"`, so Limitador has nothing to count"))
        })
    }
}
