//! Fetches what the tests run against, so that no test waits for a download.

use anyhow::Result;
use envoy::fetch::{Environment, NodeEnvironment, envoy_binary, node_environment, python_environment};

fn main() -> Result<()> {
    eprintln!("{}", envoy_binary()?.display());
    for environment in Environment::ALL {
        eprintln!("{}", python_environment(environment)?.display());
    }
    for environment in NodeEnvironment::ALL {
        eprintln!("{}", node_environment(environment)?.folder().display());
    }
    Ok(())
}
