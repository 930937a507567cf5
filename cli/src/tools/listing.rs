//! A list of tools as its server sent it, and what can be read in it.

use std::{collections::BTreeMap, path::Path};

use policy::json::{Reader, SyntaxError, Value};

use super::Tool;
use crate::{document::Source, failure::Failure, output::shown};

/// As deep as the filter reads.
const MAX_DEPTH: usize = 256;

/// What a server answered to `tools/list`.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    /// What it is called in messages: a file, the URL of a server, or the command that starts one.
    pub(crate) name: String,
    /// The answers, one for each page. What is saved is one page: the response, its result or the array.
    pub(super) pages: Vec<Vec<u8>>,
}

impl Listing {
    /// Reads a saved answer.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let Source { name, text } = Source::read(path)?;
        Ok(Self { name, pages: vec![text] })
    }

    /// The tools, in the order of the list.
    ///
    /// # Errors
    /// If there is no list.
    pub(crate) fn tools(&self) -> Result<Vec<Tool>, Failure> {
        let mut tools = Vec::new();
        for page in &self.pages {
            let page = of_json(page);
            tools.extend(page.map_err(Failure::because(format!("`{}` is no list of tools", self.name)))?);
        }
        Ok(tools)
    }

    /// The whole definition of each tool, as it stands in the list.
    ///
    /// # Errors
    /// If there is no list, or one that the filter would not read: it would keep it from the client. If it has a tool twice.
    pub(crate) fn definitions(&self) -> Result<BTreeMap<String, &[u8]>, Failure> {
        let name = &self.name;
        let mut definitions = BTreeMap::new();
        for page in &self.pages {
            let mut twice = None;
            let found = Reader::new(page, MAX_DEPTH).map_err(Unreadable::from).and_then(|mut reader| {
                let value = reader.value()?;
                reader.end()?;
                each(value, &mut |tool, definition| {
                    if definitions.insert(tool.clone(), definition).is_some() {
                        twice = Some(tool);
                    }
                })
            });
            if !found.map_err(|Unreadable(why)| Failure::new(format!("`{name}` cannot be read: {why}")))? {
                return Err(Failure::new(format!("`{name}` is no list of tools")));
            }
            if let Some(tool) = twice {
                let why = format!("`{name}` lists `{}` twice, so that it is not clear what it is", shown(&tool));
                return Err(Failure::new(why));
            }
        }
        Ok(definitions)
    }
}

struct Unreadable(String);

impl From<SyntaxError> for Unreadable {
    fn from(error: SyntaxError) -> Self {
        Self(error.to_string())
    }
}

/// Calls `take` with the name and text of every definition. Whether there is a list at all.
fn each<'t>(value: Value<'t>, take: &mut dyn FnMut(String, &'t [u8])) -> Result<bool, Unreadable> {
    let mut found = false;
    match value {
        Value::Array(tools) => {
            found = true;
            let mut index = 0_usize;
            tools.reader().array(|reader| {
                let Value::Object(tool) = reader.value()? else {
                    return Err(Unreadable(format!("entry {index} of the list is no object")));
                };
                let mut name = None;
                tool.reader().object(|reader, key| {
                    if let (b"name", Value::String(text)) = (key.as_bytes(), reader.value()?) {
                        name = Some(text.decode().into_owned());
                    }
                    Ok::<(), SyntaxError>(())
                })?;
                let name = name.ok_or_else(|| Unreadable(format!("entry {index} of the list has no name")))?;
                take(name, tool.bytes());
                index = index.saturating_add(1);
                Ok(())
            })?;
        }
        Value::Object(outer) => outer.reader().object(|reader, key| {
            let value = reader.value()?;
            match (key.as_bytes(), value) {
                // Go servers write an empty list so.
                (b"tools", Value::Null) => found = true,
                (b"result" | b"tools", value) => found |= each(value, take)?,
                _ => {}
            }
            Ok::<(), Unreadable>(())
        })?,
        _ => {}
    }
    Ok(found)
}

fn of_json(text: &[u8]) -> Result<Vec<Tool>, serde_json::Error> {
    let mut value: serde_json::Value = serde_json::from_slice(text)?;
    for member in ["result", "tools"] {
        if let Some(inner) = value.get_mut(member) {
            value = inner.take();
            if member == "tools" && value.is_null() {
                return Ok(vec![]);
            }
        }
    }
    serde_json::from_value(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(pages: &[&str]) -> Listing {
        let pages = pages.iter().map(|page| page.as_bytes().to_vec()).collect();
        Listing { name: "tools.json".to_owned(), pages }
    }

    #[test]
    fn a_response_its_result_and_the_array_are_the_same_list() {
        let tools = r#"[{"name":"get_run","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]"#;
        let expected = of_json(tools.as_bytes()).unwrap();
        assert_eq!((expected[0].name.as_str(), expected[0].annotations.read_only_hint), ("get_run", Some(true)));
        let definition = &tools[1..tools.len() - 1];
        let result = format!(r#"{{"tools":{tools}}}"#);
        let response = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
        for text in [tools, &result, &response] {
            let listing = listing(&[text]);
            assert_eq!(listing.tools().unwrap(), expected);
            let definitions = listing.definitions().unwrap();
            assert_eq!(definitions, BTreeMap::from([("get_run".to_owned(), definition.as_bytes())]));
        }
        assert!(listing(&["{}"]).tools().is_err() && listing(&["{}"]).definitions().is_err());
        let empty = listing(&[r#"{"tools":null}"#]);
        assert!(empty.tools().unwrap().is_empty() && empty.definitions().unwrap().is_empty());
    }

    #[test]
    fn a_list_that_the_filter_would_not_read_has_no_definitions() {
        for (pages, why) in [
            (&[r#"[{"name":"a"},7]"#][..], "entry 1 of the list is no object"),
            (&[r#"[{"title":"a"}]"#], "entry 0 of the list has no name"),
            (&[r#"[{"name":"a","name":"b"}]"#], "cannot be read"),
            (&[r#"[{"name":"a"}]"#, r#"[{"name":"\u0061"}]"#], "lists `a` twice"),
            (&[r#"[{"name":"a"}]"#, "{}"], "is no list of tools"),
        ] {
            let said = listing(pages).definitions().unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }
}
