//! `mcp-policy pin`: the digests of tools' definitions, as they were reviewed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use policy::{
    json::SyntaxError,
    pins::{Digest, Lock},
};
use serde_json::json;

use crate::{
    document::Source,
    failure::{FOUND, Failure, Outcome},
    output,
    tools::{From, Listing},
};

/// What is pinned.
#[derive(Debug, Args)]
#[command(after_help = "\
Put what is written under `locks` of the configuration, and its name under `lock` of the route to the server. A digest covers
the whole definition as the server sends it, so a saved list must be just that.

Examples:
  mcp-policy pin --server https://mcp.example.com/mcp --header \"Authorization: Bearer $TOKEN\" -o lab.lock.json
  mcp-policy pin --server https://mcp.example.com/mcp --against lab.lock.json
  mcp-policy pin tools.json > lab.lock.json")]
pub(crate) struct Options {
    #[command(flatten)]
    tools: From,
    /// Says instead what is different from this lock; exit status 1 if anything is
    #[arg(long, value_name = "LOCK")]
    against: Option<PathBuf>,
    /// Writes into this file
    #[arg(short, long, value_name = "FILE", conflicts_with = "against")]
    output: Option<PathBuf>,
}

/// The digests of tools' definitions, by name.
pub(crate) type Pinned = BTreeMap<String, Digest>;

pub(crate) fn run(options: &Options) -> Outcome {
    let listed = listed(&options.tools.read()?)?;
    match &options.against {
        Some(lock) => tell(&differences(&locked(lock)?, &listed)),
        None => output::write(&write(&listed), options.output.as_deref()),
    }
}

fn write(pinned: &Pinned) -> String {
    let tools: serde_json::Map<_, _> =
        pinned.iter().map(|(name, digest)| (name.clone(), json!({ "sha256": digest.to_string() }))).collect();
    format!("{:#}\n", json!({ "version": "1", "tools": tools }))
}

fn tell(differences: &str) -> Outcome {
    output::print(if differences.is_empty() { "nothing is different\n" } else { differences })?;
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
}

/// A line for each tool that is not as it is locked.
fn differences(locked: &Pinned, listed: &Pinned) -> String {
    let mut out = String::new();
    for (name, difference) in compare(locked, listed) {
        let what = match difference {
            Difference::Changed { .. } => {
                "changed: its definition is not the one that is locked, so its calls are denied"
            }
            Difference::Gone => "gone: it is locked and not listed",
            Difference::New => "new: it is not locked, so it is hidden",
        };
        // Writing to a String cannot fail.
        writeln!(out, "{name:?} {what}").ok();
    }
    out
}

/// How a server differs from its lock in one tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Its definition is another one.
    Changed {
        /// The digest of what the server says now.
        now: Digest,
    },
    /// It is locked and not listed.
    Gone,
    /// It is listed and not locked.
    New,
}

/// The tools that are not as they are locked, by name.
pub(crate) fn compare<'p>(locked: &'p Pinned, listed: &'p Pinned) -> Vec<(&'p str, Difference)> {
    let names: BTreeSet<&String> = locked.keys().chain(listed.keys()).collect();
    let difference = |name: &'p String| match (locked.get(name), listed.get(name)) {
        (Some(before), Some(now)) if before == now => None,
        (Some(_), Some(now)) => Some((name.as_str(), Difference::Changed { now: *now })),
        (Some(_), None) => Some((name.as_str(), Difference::Gone)),
        (None, _) => Some((name.as_str(), Difference::New)),
    };
    names.into_iter().filter_map(difference).collect()
}

/// The digest of each tool of a list.
///
/// # Errors
/// If it is no list that the filter could read, or has a tool twice.
pub(crate) fn listed(listing: &Listing) -> Result<Pinned, Failure> {
    let definitions = listing.definitions()?;
    let digested = definitions.into_iter().map(|(tool, definition)| Ok((tool, Digest::of_definition(definition)?)));
    let digested = digested.collect::<Result<_, SyntaxError>>();
    digested.map_err(Failure::because(format!("`{}` cannot be read", listing.name)))
}

/// The digests of a lock, as the filter's configuration would have it.
fn locked(path: &Path) -> Result<Pinned, Failure> {
    let Source { name, text } = Source::read(path)?;
    let lock: serde_json::Value =
        serde_json::from_slice(&text).map_err(Failure::because(format!("`{name}` cannot be read")))?;
    let around = json!({
        "policies": { "policy": { "version": "1", "default": "deny" } },
        "locks": { "lock": lock },
        "routes": [{ "policy": "policy", "lock": "lock" }],
    });
    let config = policy::config::load(around.to_string().as_bytes());
    let config = config.map_err(Failure::because(format!("`{name}` is no lock")))?;
    Ok(config.locks.first().map(|(_, lock)| pinned(lock)).unwrap_or_default())
}

/// The digests of a lock.
pub(crate) fn pinned(lock: &Lock) -> Pinned {
    lock.tools().map(|(tool, digest)| (tool.to_owned(), digest)).collect()
}
