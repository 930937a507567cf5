//! `mcp-policy pin`: the digests of tools' definitions, as they were reviewed.

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use policy::{
    json::{Reader, SyntaxError, Value},
    pins::Digest,
};
use serde_json::json;

use crate::{
    document::Source,
    failure::{FOUND, Failure, Outcome},
    output,
};

/// As deep as the filter reads.
const MAX_DEPTH: usize = 256;

/// What is pinned.
#[derive(Debug, Args)]
#[command(after_help = "\
Put what is written under `locks` of the configuration, and its name under `lock` of the route to the server.

Examples:
  mcp-policy pin tools.json > lab.lock.json
  mcp-policy pin tools.json --against lab.lock.json")]
pub(crate) struct Options {
    /// A saved answer to tools/list, just as the server sent it: the response, its result or the array; `-` reads standard input
    #[arg(value_name = "TOOLS")]
    tools: PathBuf,
    /// Says instead what is different from this lock; exit status 1 if anything is
    #[arg(long, value_name = "LOCK")]
    against: Option<PathBuf>,
    /// Writes into this file
    #[arg(short, long, value_name = "FILE", conflicts_with = "against")]
    output: Option<PathBuf>,
}

type Pinned = BTreeMap<String, Digest>;

pub(crate) fn run(options: &Options) -> Outcome {
    let listed = listed(&options.tools)?;
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
    let names: std::collections::BTreeSet<&String> = locked.keys().chain(listed.keys()).collect();
    for name in names {
        let what = match (locked.get(name), listed.get(name)) {
            (Some(before), Some(now)) if before == now => continue,
            (Some(_), Some(_)) => "changed: its definition is not the one that is locked, so its calls are denied",
            (Some(_), None) => "gone: it is locked and not listed",
            (None, _) => "new: it is not locked, so it is hidden",
        };
        // Writing to a String cannot fail.
        writeln!(out, "{name:?} {what}").ok();
    }
    out
}

/// The digest of each tool of a list.
fn listed(path: &Path) -> Result<Pinned, Failure> {
    let Source { name, text } = Source::read(path)?;
    let mut pinned = Pinned::new();
    let mut twice = None;
    let mut found = false;
    Reader::new(&text, MAX_DEPTH)
        .and_then(|mut reader| {
            let value = reader.value()?;
            reader.end()?;
            definitions(value, &mut |tool, definition| {
                if pinned.insert(tool.to_owned(), Digest::of_definition(definition)?).is_some() {
                    twice = Some(tool.to_owned());
                }
                Ok(())
            })
            .map(|array| found = array)
        })
        .map_err(Failure::because(format!("`{name}` cannot be read")))?;
    match twice {
        Some(tool) => Err(Failure::new(format!("`{name}` lists {tool:?} twice, so that it is not clear what it is"))),
        None if !found => Err(Failure::new(format!("`{name}` is no list of tools"))),
        None => Ok(pinned),
    }
}

type Each<'f> = dyn FnMut(&str, &[u8]) -> Result<(), SyntaxError> + 'f;

/// Calls `each` with the name and text of every definition. Whether there is a list at all.
fn definitions(value: Value<'_>, each: &mut Each<'_>) -> Result<bool, SyntaxError> {
    let mut found = false;
    match value {
        Value::Array(tools) => {
            found = true;
            tools.reader().array(|reader| {
                let Value::Object(tool) = reader.value()? else { return Ok(()) };
                let mut name = None;
                tool.reader().object(|reader, key| {
                    if let (b"name", Value::String(text)) = (key.as_bytes(), reader.value()?) {
                        name = Some(text.decode().into_owned());
                    }
                    Ok::<(), SyntaxError>(())
                })?;
                name.map_or(Ok(()), |name| each(&name, tool.bytes()))
            })?;
        }
        Value::Object(outer) => outer.reader().object(|reader, key| {
            let value = reader.value()?;
            if matches!(key.as_bytes(), b"result" | b"tools") {
                found |= definitions(value, each)?;
            }
            Ok::<(), SyntaxError>(())
        })?,
        _ => {}
    }
    Ok(found)
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
    let tools = config.locks.first().into_iter().flat_map(|(_, lock)| lock.tools());
    Ok(tools.map(|(tool, digest)| (tool.to_owned(), digest)).collect())
}
