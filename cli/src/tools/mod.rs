//! What an MCP server offers: its tools, as `tools/list` has them, from a file or from a server that is asked.

mod from;
mod http;
mod session;
mod sse;
mod stdio;

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use from::From;

use crate::{document::Source, failure::Failure};

/// One tool, as its server defines it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tool {
    /// The name that calls say.
    pub(crate) name: String,
    /// A name for people.
    pub(crate) title: Option<String>,
    /// What it does, in the server's words.
    pub(crate) description: Option<String>,
    /// The JSON Schema of its arguments.
    #[serde(default)]
    pub(crate) input_schema: Map<String, Value>,
    /// What the server says of its risk: hints, which nothing holds it to.
    #[serde(default)]
    pub(crate) annotations: Annotations,
}

/// A server's hints about a tool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Annotations {
    /// Another name for people.
    pub(crate) title: Option<String>,
    /// It changes nothing.
    pub(crate) read_only_hint: Option<bool>,
    /// It may destroy something.
    pub(crate) destructive_hint: Option<bool>,
    /// Calling it twice does what calling it once does.
    pub(crate) idempotent_hint: Option<bool>,
    /// It deals with the outside world.
    pub(crate) open_world_hint: Option<bool>,
}

/// Reads a saved answer to `tools/list`: the whole JSON-RPC response, its result, or the array of tools.
///
/// # Errors
/// If the file cannot be read, or is none of these.
pub(crate) fn read(path: &Path) -> Result<Vec<Tool>, Failure> {
    let Source { name, text } = Source::read(path)?;
    of_json(&text).map_err(Failure::because(format!("`{name}` is no list of tools")))
}

fn of_json(text: &[u8]) -> Result<Vec<Tool>, serde_json::Error> {
    let mut value: Value = serde_json::from_slice(text)?;
    for member in ["result", "tools"] {
        if let Some(inner) = value.get_mut(member) {
            value = inner.take();
        }
    }
    serde_json::from_value(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_its_result_and_the_array_are_the_same_list() {
        let tools = r#"[{"name":"get_run","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]"#;
        let expected = of_json(tools.as_bytes()).unwrap();
        assert_eq!((expected[0].name.as_str(), expected[0].annotations.read_only_hint), ("get_run", Some(true)));
        let result = format!(r#"{{"tools":{tools}}}"#);
        let response = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
        for text in [result, response] {
            assert_eq!(of_json(text.as_bytes()).unwrap(), expected);
        }
        assert!(of_json(b"{}").is_err());
    }
}
