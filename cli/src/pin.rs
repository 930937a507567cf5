//! `mcp-policy pin`: the digests of tools' definitions, and the schemas of their arguments, as they were reviewed.

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
    schema::Schema,
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
    /// Leaves out the schemas of arguments, which rules with `"schema": "from_lock"` go by
    #[arg(long, conflicts_with = "against")]
    no_schemas: bool,
}

type Pinned = BTreeMap<String, Digest>;

/// What is written of a tool.
struct Listed {
    digest: Digest,
    /// Its `inputSchema`, without white space around its parts.
    schema: Option<String>,
}

pub(crate) fn run(options: &Options) -> Outcome {
    let listed = listed(&options.tools)?;
    match &options.against {
        Some(lock) => {
            let digests = listed.into_iter().map(|(name, tool)| (name, tool.digest)).collect();
            tell(&differences(&locked(lock)?, &digests))
        }
        None => {
            if !options.no_schemas {
                unusable(&listed);
            }
            output::write(&write(&listed, !options.no_schemas), options.output.as_deref())
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

/// Each tool of a list.
fn listed(path: &Path) -> Result<BTreeMap<String, Listed>, Failure> {
    let Source { name, text } = Source::read(path)?;
    let mut pinned = BTreeMap::new();
    let mut twice = None;
    let mut found = false;
    Reader::new(&text, MAX_DEPTH)
        .and_then(|mut reader| {
            let value = reader.value()?;
            reader.end()?;
            definitions(value, &mut |tool, schema, definition| {
                let listed = Listed { digest: Digest::of_definition(definition)?, schema: schema.map(compact) };
                if pinned.insert(tool.to_owned(), listed).is_some() {
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

type Each<'f> = dyn FnMut(&str, Option<&[u8]>, &[u8]) -> Result<(), SyntaxError> + 'f;

/// Calls `each` with the name, the schema of the arguments, and the text of every definition. Whether there is a list at all.
fn definitions(value: Value<'_>, each: &mut Each<'_>) -> Result<bool, SyntaxError> {
    let mut found = false;
    match value {
        Value::Array(tools) => {
            found = true;
            tools.reader().array(|reader| {
                let Value::Object(tool) = reader.value()? else { return Ok(()) };
                let (mut name, mut schema) = (None, None);
                tool.reader().object(|reader, key| {
                    match (key.as_bytes(), reader.value()?) {
                        (b"name", Value::String(text)) => name = Some(text.decode().into_owned()),
                        (b"inputSchema", Value::Object(raw)) => schema = Some(raw.bytes()),
                        (b"inputSchema", Value::Bool(any)) => schema = Some(if any { b"true" } else { b"false" }),
                        _ => {}
                    }
                    Ok::<(), SyntaxError>(())
                })?;
                name.map_or(Ok(()), |name| each(&name, schema, tool.bytes()))
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
