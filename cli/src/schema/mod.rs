//! `mcp-policy schema`: the JSON Schemas that editors complete and check documents by.
//!
//! The loader decides what is right; the schemas say as much of it as a schema can. That they name the same fields, words
//! and defaults is held by tests, which ask the loader.

mod configuration;
mod limit;

mod rule;
mod top;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::{failure::Outcome, output};

/// The command line.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What the schema is of
    #[arg(value_enum, default_value_t)]
    of: Document,
}

/// A kind of document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Document {
    /// A policy.json
    #[default]
    Policy,
    /// The configuration around policies
    Configuration,
}

/// Writes the schema to standard output.
pub(crate) fn run(options: &Options) -> Outcome {
    output::print(&format!("{:#}\n", schema(options.of)))
}

/// The schema (JSON Schema 2020-12) of a kind of document.
fn schema(of: Document) -> Value {
    let mut definitions = rule::definitions();
    let mut schema = match of {
        Document::Policy => top::policy(),
        Document::Configuration => {
            definitions.insert("policy".to_owned(), top::policy());
            configuration::configuration(&mut definitions)
        }
    };
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$defs"] = Value::Object(definitions);
    schema
}

/// A reference to one of the definitions.
fn defined(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// The same with a description of its own.
fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

/// One of some words, the first of which is the default.
fn words(words: &[&str], description: &str) -> Value {
    json!({ "enum": words, "default": words.first(), "description": description })
}

/// A text for the readers of a document.
fn remark() -> Value {
    json!({ "type": "string", "description": "For readers only." })
}

/// What the agent is told.
fn told(description: &str) -> Value {
    json!({ "type": "string", "maxLength": 4096, "description": description })
}

#[cfg(test)]
mod tests;
