//! Properties: what `proxy_get_property` reads, by path.

use std::collections::BTreeMap;

use crate::pairs;
use crate::status::Status;

/// The value of a property, as Envoy's expression language sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Cannot be read by a guest: `SerializationFailure`.
    Null,
    /// One byte, 0 or 1.
    Bool(bool),
    /// Eight bytes, little-endian.
    Int(i64),
    /// Eight bytes, little-endian; ports and sizes are of this kind or of `Int`.
    Uint(u64),
    /// Eight bytes, little-endian; every number in dynamic metadata is one.
    Double(f64),
    /// The bytes themselves. Strings are this too.
    Bytes(Vec<u8>),
    /// Serialised as pairs whose values are empty.
    List(Vec<Value>),
    /// Serialised as pairs; a path may also go into it.
    Map(BTreeMap<String, Value>),
}

impl Value {
    fn serialise(&self) -> Result<Vec<u8>, Status> {
        Ok(match self {
            Value::Null => return Err(Status::SerializationFailure),
            Value::Bool(flag) => vec![u8::from(*flag)],
            Value::Int(number) => number.to_le_bytes().to_vec(),
            Value::Uint(number) => number.to_le_bytes().to_vec(),
            Value::Double(number) => number.to_le_bytes().to_vec(),
            Value::Bytes(bytes) => bytes.clone(),
            Value::List(items) => {
                let items: Result<Vec<_>, Status> =
                    items.iter().map(|item| Ok((item.serialise()?, Vec::new()))).collect();
                pairs::write(&items?)
            }
            Value::Map(entries) => {
                let entries: Result<Vec<_>, Status> =
                    entries.iter().map(|(key, value)| Ok((key.clone().into_bytes(), value.serialise()?))).collect();
                pairs::write(&entries?)
            }
        })
    }

    fn step(&self, segment: &str) -> Option<&Value> {
        match self {
            Value::Map(entries) => entries.get(segment),
            Value::List(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Bytes(text.as_bytes().to_vec())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Bytes(text.into_bytes())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Value::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Value::Bytes(bytes.to_vec())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Value::Uint(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Double(number)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[(&str, T); N]> for Value {
    fn from(entries: [(&str, T); N]) -> Self {
        Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect())
    }
}

/// A tree of values whose first level is the top-level name (`source`, `metadata`, …).
#[derive(Debug, Clone, Default)]
pub(crate) struct Properties {
    tree: BTreeMap<String, Value>,
}

impl Properties {
    /// Puts a value at a path, making the maps on the way and replacing whatever stood in it.
    pub(crate) fn set(&mut self, path: &[&str], value: Value) {
        let Some((first, rest)) = path.split_first() else { return };
        let mut place = self.tree.entry((*first).to_owned()).or_insert(Value::Null);
        for segment in rest {
            if !matches!(place, Value::Map(_)) {
                *place = Value::Map(BTreeMap::new());
            }
            let Value::Map(entries) = place else { return };
            place = entries.entry((*segment).to_owned()).or_insert(Value::Null);
        }
        *place = value;
    }

    /// The serialised value at a path.
    pub(crate) fn get(&self, path: &[&str]) -> Result<Vec<u8>, Status> {
        let Some((first, rest)) = path.split_first() else { return Err(Status::SerializationFailure) };
        let mut value = self.tree.get(*first).ok_or(Status::NotFound)?;
        for segment in rest {
            value = value.step(segment).ok_or(Status::NotFound)?;
        }
        value.serialise()
    }
}

/// Splits the ABI's path: segments with NUL between them, and perhaps one at the end.
pub(crate) fn split_path(path: &[u8]) -> Vec<String> {
    let path = path.strip_suffix(&[0]).unwrap_or(path);
    if path.is_empty() {
        return Vec::new();
    }
    path.split(|byte| *byte == 0).map(|segment| String::from_utf8_lossy(segment).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_into_maps_and_lists() {
        let mut properties = Properties::default();
        properties.set(&["metadata", "filter_metadata", "jwt"], Value::from([("groups", vec!["a", "b"])]));
        let read = |path: &[&str]| properties.get(path);
        assert_eq!(read(&["metadata", "filter_metadata", "jwt", "groups", "1"]), Ok(b"b".to_vec()));
        assert_eq!(read(&["metadata", "filter_metadata", "jwt", "sub"]), Err(Status::NotFound));
        assert_eq!(read(&["metadata", "filter_metadata", "jwt", "groups", "2"]), Err(Status::NotFound));
    }

    #[test]
    fn numbers_are_eight_bytes_and_lists_are_pairs_without_values() {
        let mut properties = Properties::default();
        properties.set(&["source", "port"], Value::Int(258));
        properties.set(&["groups"], Value::from(vec!["a"]));
        assert_eq!(properties.get(&["source", "port"]), Ok(vec![2, 1, 0, 0, 0, 0, 0, 0]));
        assert_eq!(properties.get(&["groups"]), Ok(pairs::write(&[(b"a".to_vec(), Vec::new())])));
    }
}
