//! What serde_json reads, with nothing lost: the model that the filter's own reader is held against.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value. Objects keep all of their members in the order they stand in, duplicates included.
#[derive(Debug, Clone)]
pub enum Tree {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as the nearest double.
    Number(f64),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Tree>),
    /// An object.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads a text that is nothing but one value; none if serde_json refuses it.
    pub fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// Whether no object has two members of one name, and nothing is nested deeper than `max_depth` levels.
    pub fn is_strict(&self, max_depth: usize) -> bool {
        let room = || max_depth.checked_sub(1);
        match self {
            Self::Array(elements) => room().is_some_and(|room| elements.iter().all(|element| element.is_strict(room))),
            Self::Object(members) => {
                let mut names = BTreeSet::new();
                members.iter().all(|(name, _)| names.insert(name))
                    && room().is_some_and(|room| members.iter().all(|(_, value)| value.is_strict(room)))
            }
            _ => true,
        }
    }

    /// The first member of that name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.members().iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The members of an object; of anything else, none.
    pub fn members(&self) -> &[(String, Self)] {
        if let Self::Object(members) = self { members } else { &[] }
    }

    /// The elements of an array; of anything else, none.
    pub fn elements(&self) -> &[Self] {
        if let Self::Array(elements) = self { elements } else { &[] }
    }

    /// Whether serde_json's quick way of reading numbers leaves no doubt of their values: few digits, small exponents.
    pub fn is_written_alike(&self) -> bool {
        match self {
            Self::Number(number) => {
                let written = format!("{number:e}");
                let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
                digits.len() <= 15 && exponent.len() <= 2
            }
            Self::Array(elements) => elements.iter().all(Self::is_written_alike),
            Self::Object(members) => members.iter().all(|(_, value)| value.is_written_alike()),
            _ => true,
        }
    }

    /// The same as JSON, with the members of each object in the other order.
    pub fn reversed(&self) -> String {
        let quoted = |text: &String| serde_json::Value::from(text.as_str()).to_string();
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::String(text) => quoted(text),
            Self::Array(elements) => {
                format!("[{}]", elements.iter().map(Self::reversed).collect::<Vec<_>>().join(","))
            }
            Self::Object(members) => {
                let member = |(key, value): &(String, Self)| format!("{}:{}", quoted(key), value.reversed());
                format!("{{{}}}", members.iter().rev().map(member).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }
}

/// What a reader that folds case and drops NULs takes a key for. Go's `encoding/json` folds two more characters to ASCII.
pub(crate) fn folded(key: &str) -> String {
    key.replace('\0', "").replace('\u{17f}', "s").replace('\u{212a}', "k").to_lowercase()
}

impl PartialEq for Tree {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            // serde_json's quick way of reading fractions may be off by a few units in the last place.
            (Self::Number(a), Self::Number(b)) => a == b || (a - b).abs() <= a.abs().max(b.abs()) * 1e-14 + 1e-320,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "rounds to the nearest double, as servers do")]
    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "rounds to the nearest double, as servers do")]
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Tree, A::Error> {
        let mut tree = Vec::new();
        while let Some(element) = elements.next_element()? {
            tree.push(element);
        }
        Ok(Tree::Array(tree))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let mut tree = Vec::new();
        while let Some(member) = members.next_entry()? {
            tree.push(member);
        }
        Ok(Tree::Object(tree))
    }
}
