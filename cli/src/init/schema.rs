//! Reading JSON Schema as far as checks are drawn from it. What is not plain is left alone: a check that a schema does not
//! give reason for would refuse sane calls.

use serde_json::{Map, Value};

/// The type of a value, where the schema leaves one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Flag,
    List,
    Object,
}

/// One value that a schema describes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Described<'s> {
    pub(super) kind: Kind,
    /// Its keywords.
    pub(super) keywords: &'s Map<String, Value>,
    /// Where its title, description and default stand.
    pub(super) outer: &'s Map<String, Value>,
    /// null is allowed as well.
    pub(super) nullable: bool,
}

impl<'s> Described<'s> {
    /// Reads a schema, with references into `root`.
    pub(super) fn read(schema: &'s Value, root: &'s Map<String, Value>) -> Option<Self> {
        let outer = schema.as_object()?;
        let (keywords, nullable) = plain(outer, root, 8)?;
        let kind = kind(keywords)?;
        Some(Self { kind: kind.0, keywords, outer, nullable: nullable || kind.1 })
    }

    /// A keyword that is a whole number of 0 or more.
    pub(super) fn length(&self, keyword: &str) -> Option<u64> {
        let value = self.keywords.get(keyword)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, positive and small")]
        let whole = |float: f64| (float.fract() == 0.0 && (0.0..1e15).contains(&float)).then_some(float as u64);
        value.as_u64().or_else(|| value.as_f64().and_then(whole)).filter(|length| *length < 1 << 50)
    }

    pub(super) fn text(&self, keyword: &str) -> Option<&'s str> {
        self.keywords.get(keyword).or_else(|| self.outer.get(keyword)).and_then(Value::as_str)
    }

    /// Values that the schema itself brings: a check that refuses one of them misunderstands the argument.
    pub(super) fn own_values(&self) -> impl Iterator<Item = &'s Value> {
        let both = [self.keywords, self.outer];
        both.into_iter().flat_map(|keywords| {
            let one = ["default", "const", "example"].into_iter().filter_map(|key| keywords.get(key));
            let many = ["examples", "enum"].into_iter().filter_map(|key| keywords.get(key)?.as_array()).flatten();
            one.chain(many)
        })
    }
}

/// The keywords that say what the value is, behind references and choices with one alternative beside null.
fn plain<'s>(
    schema: &'s Map<String, Value>,
    root: &'s Map<String, Value>,
    steps: usize,
) -> Option<(&'s Map<String, Value>, bool)> {
    let deeper = |schema: &'s Value| plain(schema.as_object()?, root, steps.checked_sub(1)?);
    if let Some(reference) = schema.get("$ref") {
        return deeper(target(reference.as_str()?, root)?);
    }
    for choice in ["anyOf", "oneOf"] {
        let Some(Value::Array(alternatives)) = schema.get(choice) else { continue };
        if schema.contains_key("type") || schema.contains_key("enum") {
            // The choice only narrows what stands beside it.
            break;
        }
        let null = |schema: &&Value| schema.get("type").and_then(Value::as_str) == Some("null");
        let nullable = alternatives.iter().any(|schema| null(&schema));
        let mut others = alternatives.iter().filter(|schema| !null(schema));
        let (Some(only), None) = (others.next(), others.next()) else { return None };
        return deeper(only).map(|(keywords, inner)| (keywords, inner || nullable));
    }
    match schema.get("allOf") {
        Some(Value::Array(all)) if !schema.contains_key("type") => match all.as_slice() {
            [only] => deeper(only),
            _ => None,
        },
        _ => Some((schema, schema.get("nullable") == Some(&Value::Bool(true)))),
    }
}

/// What `#/$defs/Name` refers to.
fn target<'s>(reference: &str, root: &'s Map<String, Value>) -> Option<&'s Value> {
    let mut steps = reference.strip_prefix("#/")?.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
    let first = root.get(&steps.next()?)?;
    steps.try_fold(first, |value, step| match value {
        Value::Object(members) => members.get(&step),
        Value::Array(elements) => elements.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The one type, and whether null is another.
fn kind(schema: &Map<String, Value>) -> Option<(Kind, bool)> {
    let named = |name: &str| {
        Some(match name {
            "string" => Kind::Text,
            "integer" | "number" => Kind::Number,
            "boolean" => Kind::Flag,
            "array" => Kind::List,
            "object" => Kind::Object,
            _ => return None,
        })
    };
    match schema.get("type") {
        Some(Value::String(name)) => Some((named(name)?, false)),
        Some(Value::Array(names)) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            let mut others = names.iter().filter(|name| **name != "null");
            let (Some(only), None) = (others.next(), others.next()) else { return None };
            Some((named(only)?, names.contains(&"null")))
        }
        Some(_) => None,
        None => {
            let values = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
            let values = values.or_else(|| schema.get("const").map(std::slice::from_ref))?;
            let nullable = values.contains(&Value::Null);
            let mut kinds = values.iter().filter_map(|value| match value {
                Value::String(_) => Some(Kind::Text),
                Value::Number(_) => Some(Kind::Number),
                Value::Bool(_) => Some(Kind::Flag),
                _ => None,
            });
            let first = kinds.next()?;
            let scalars = values.iter().all(|value| !value.is_array() && !value.is_object());
            (scalars && kinds.all(|kind| kind == first)).then_some((first, nullable))
        }
    }
}
