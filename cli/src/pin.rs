//! `mcp-policy pin`: the digests of tools' definitions, and the schemas of their arguments, as they were reviewed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use policy::{
    config::{self, Config, Errors},
    json::{Reader, SyntaxError, Value},
    pins::{Digest, Lock},
    schema::Schema,
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
    /// Leaves out the schemas of arguments, which rules with `"schema": "from_lock"` go by
    #[arg(long, conflicts_with = "against")]
    no_schemas: bool,
}

/// The digests of tools' definitions, by name.
pub(crate) type Pinned = BTreeMap<String, Digest>;

/// What a lock holds, by the tool.
struct Locked {
    digests: Pinned,
    /// The schemas of arguments.
    schemas: BTreeMap<String, String>,
}

/// What is written of a tool.
struct Listed {
    digest: Digest,
    /// Its `inputSchema`, without white space around its parts.
    schema: Option<String>,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let listed = listed(&options.tools.read()?)?;
    match &options.against {
        Some(lock) => {
            let digests = listed.iter().map(|(name, tool)| (name.clone(), tool.digest)).collect();
            let locked = locked(lock)?;
            tell(&(differences(&locked.digests, &digests) + &stale(&locked, &listed)?))
        }
        None => {
            if !options.no_schemas {
                unusable(&listed);
            }
            let lock = write(&listed, !options.no_schemas);
            let refused = "the filter would not take this lock: `--no-schemas` leaves the schemas out";
            load(&lock).map_err(Failure::because(refused))?;
            output::write(&lock, options.output.as_deref())
        }
    }
}

/// Each tool on lines of its own, its schema on one: so differences between locks can be read.
fn write(listed: &BTreeMap<String, Listed>, schemas: bool) -> String {
    let tool = |(name, tool): (&String, &Listed)| {
        let schema = tool.schema.as_deref().filter(|_| schemas);
        let schema = schema.map(|schema| format!(",\n      \"inputSchema\": {schema}")).unwrap_or_default();
        format!("    {}: {{\n      \"sha256\": \"{}\"{schema}\n    }}", json!(name), tool.digest)
    };
    let tools: Vec<String> = listed.iter().map(tool).collect();
    let tools = if tools.is_empty() { String::new() } else { format!("\n{}\n  ", tools.join(",\n")) };
    format!("{{\n  \"version\": \"1\",\n  \"tools\": {{{tools}}}\n}}\n")
}

/// Says which schemas no rule could go by, and why.
fn unusable(listed: &BTreeMap<String, Listed>) {
    for (name, tool) in listed {
        let Some(Err(errors)) = tool.schema.as_deref().map(|schema| Schema::load_of_server(schema.as_bytes())) else {
            continue;
        };
        for error in &errors {
            eprintln!("note: no rule can go by the schema of {name:?}: {}: {}", error.pointer(), error.kind());
        }
    }
}

/// A JSON text without white space around its parts.
fn compact(json: &[u8]) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let kept = json.iter().copied().filter(|byte| {
        let before = in_string;
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ => {}
        }
        before || !byte.is_ascii_whitespace()
    });
    String::from_utf8_lossy(&kept.collect::<Vec<u8>>()).into_owned()
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

/// A line for each tool whose definition is the one that is locked, and the schema beside its digest another one.
fn stale(locked: &Locked, listed: &BTreeMap<String, Listed>) -> Result<String, Failure> {
    let mut out = String::new();
    for (name, tool) in listed.iter().filter(|(name, tool)| locked.digests.get(*name) == Some(&tool.digest)) {
        let Some(beside) = locked.schemas.get(name) else { continue };
        let digest = |schema: &str| {
            // A schema may be a bool, which has no digest of its own.
            let digest = Digest::of_definition(format!(r#"{{"inputSchema":{schema}}}"#).as_bytes());
            digest.map_err(Failure::because(format!("the schema of {name:?} cannot be read")))
        };
        if tool.schema.as_deref().map(digest).transpose()? != Some(digest(beside)?) {
            let what =
                "stale: its `inputSchema` in the lock is not that of its definition, and rules `from_lock` go by it";
            writeln!(out, "{name:?} {what}").ok();
        }
    }
    Ok(out)
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
pub(crate) fn digests(listing: &Listing) -> Result<Pinned, Failure> {
    Ok(listed(listing)?.into_iter().map(|(name, tool)| (name, tool.digest)).collect())
}

fn listed(listing: &Listing) -> Result<BTreeMap<String, Listed>, Failure> {
    let listed = |definition| Ok(Listed { digest: Digest::of_definition(definition)?, schema: schema(definition)? });
    let definitions = listing.definitions()?.into_iter();
    let all: Result<_, SyntaxError> = definitions.map(|(tool, definition)| Ok((tool, listed(definition)?))).collect();
    all.map_err(Failure::because(format!("`{}` cannot be read", listing.name)))
}

/// As deep as the filter reads.
const MAX_DEPTH: usize = 256;

/// The schema of the arguments, if the definition has one.
fn schema(definition: &[u8]) -> Result<Option<String>, SyntaxError> {
    let mut schema = None;
    Reader::new(definition, MAX_DEPTH)?.object(|reader, key| {
        match (key.as_bytes(), reader.value()?) {
            (b"inputSchema", Value::Object(raw)) => schema = Some(compact(raw.bytes())),
            (b"inputSchema", Value::Bool(any)) => schema = Some(any.to_string()),
            _ => {}
        }
        Ok::<(), SyntaxError>(())
    })?;
    Ok(schema)
}

/// The digests of a lock, as the filter's configuration would have it.
fn locked(path: &Path) -> Result<Locked, Failure> {
    let Source { name, text } = Source::read(path)?;
    let lock: serde_json::Value =
        serde_json::from_slice(&text).map_err(Failure::because(format!("`{name}` cannot be read")))?;
    let tools = lock["tools"].as_object().into_iter().flatten();
    let schemas = tools.filter_map(|(name, tool)| Some((name.clone(), tool.get("inputSchema")?.to_string()))).collect();
    let config = load(&String::from_utf8_lossy(&text));
    let config = config.map_err(Failure::because(format!("`{name}` is no lock")))?;
    Ok(Locked { digests: config.locks.first().map(|(_, lock)| pinned(lock)).unwrap_or_default(), schemas })
}

/// Reads a lock as a part of a configuration.
fn load(lock: &str) -> Result<Config, Errors> {
    let policy = r#"{ "version": "1", "default": "deny" }"#;
    let configuration = format!(
        r#"{{ "policies": {{ "p": {policy} }}, "locks": {{ "lock": {lock} }}, "routes": [{{ "policy": "p", "lock": "lock" }}] }}"#
    );
    config::load(configuration.as_bytes())
}

/// The digests of a lock.
pub(crate) fn pinned(lock: &Lock) -> Pinned {
    lock.tools().map(|(tool, digest)| (tool.to_owned(), digest)).collect()
}
