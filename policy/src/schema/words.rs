//! What the agent is told: where, what must hold there, and by which keyword. All words are the schema's or ours.

use core::fmt::Write;

use super::evaluate::{Detail, Stop, Why};
use super::instance::{At, Instance, Step};
use super::json::Json;
use super::keyword::{Keyword, Members, Types};
use super::{Mismatch, Schema};

/// The longest path that is told, in characters.
const MAX_PATH: usize = 200;
/// The longest value or list of a schema that is told, in characters.
const MAX_VALUE: usize = 120;

pub(super) fn mismatch(schema: &Schema, instance: &Instance<'_>, stop: Stop<'_>) -> Mismatch {
    match stop {
        Stop::Failed { at, keyword, detail } => {
            let (keyword, wanted) = wanted(keyword, detail);
            let wanted = if at.is_name { format!("the name of a member {wanted}") } else { wanted };
            Mismatch { path: path(schema, instance, at), wanted, keyword: Some(keyword) }
        }
        Stop::GaveUp { at, why } => Mismatch::given_up(path(schema, instance, at), gave_up(why)),
    }
}

fn gave_up(why: Why<'_>) -> String {
    match why {
        Why::Inexact => "is a number that servers read differently, as it does not fit a double".to_owned(),
        Why::Lookalike(name) => format!("a member's name could be mistaken for `{}`", short(name)),
        Why::Effort => "takes too long to hold against the schema".to_owned(),
        Why::PatternEffort => "is too much text to hold against the schema's patterns".to_owned(),
        Why::Deep => "is nested too deep to be held against the schema".to_owned(),
    }
}

/// The keyword, and what it wants.
fn wanted(keyword: &Keyword, detail: Detail<'_>) -> (&'static str, String) {
    match keyword {
        Keyword::Never => ("false", "is not allowed".to_owned()),
        Keyword::Type(types) => ("type", format!("must be {}", types_with_articles(*types))),
        Keyword::Const(value) => ("const", format!("must be {}", list(core::slice::from_ref(value)))),
        Keyword::Enum(values) => ("enum", format!("must be one of {}", list(values))),
        Keyword::Minimum(bound) => ("minimum", format!("must be at least {bound}")),
        Keyword::Maximum(bound) => ("maximum", format!("must be at most {bound}")),
        Keyword::ExclusiveMinimum(bound) => ("exclusiveMinimum", format!("must be more than {bound}")),
        Keyword::ExclusiveMaximum(bound) => ("exclusiveMaximum", format!("must be less than {bound}")),
        Keyword::MultipleOf(of) => ("multipleOf", format!("must be a multiple of {of}")),
        Keyword::MinLength(bound) => ("minLength", format!("must be at least {bound} characters long")),
        Keyword::MaxLength(bound) => ("maxLength", format!("must be at most {bound} characters long")),
        Keyword::Pattern(pattern) => ("pattern", format!("must match the pattern `{}`", short(&pattern.source))),
        Keyword::Format(format) => ("format", format!("must be of the format `{}`", format.name)),
        Keyword::MinItems(bound) => ("minItems", format!("must have at least {bound} elements")),
        Keyword::MaxItems(bound) => ("maxItems", format!("must have at most {bound} elements")),
        Keyword::UniqueItems => ("uniqueItems", "must have no two equal elements".to_owned()),
        Keyword::MinProperties(bound) => ("minProperties", format!("must have at least {bound} members")),
        Keyword::MaxProperties(bound) => ("maxProperties", format!("must have at most {bound} members")),
        Keyword::Required(_) => ("required", missing(detail)),
        Keyword::DependentRequired(_) => ("dependentRequired", missing(detail)),
        Keyword::Members(members) => ("additionalProperties", closed(members)),
        Keyword::PropertyNames(_) => ("propertyNames", "has a member with a name that is not allowed".to_owned()),
        Keyword::Items(items) => {
            (items.closed.unwrap_or("items"), format!("must have at most {} elements", items.first.len()))
        }
        Keyword::Contains(contains) => match detail {
            Detail::TooMany => {
                let most = contains.most.unwrap_or_default();
                ("maxContains", format!("must have at most {most} elements that match `contains`"))
            }
            _ if contains.least == 1 => ("contains", "must have an element that matches `contains`".to_owned()),
            _ => ("minContains", format!("must have at least {} elements that match `contains`", contains.least)),
        },
        Keyword::Ref(_) => ("$ref", "must match the schema that is referred to".to_owned()),
        Keyword::AllOf(_) => ("allOf", "must match all schemas".to_owned()),
        Keyword::AnyOf(ids) => ("anyOf", format!("must match one of {} schemas or more", ids.len())),
        Keyword::OneOf(ids) => match detail {
            Detail::TooMany => ("oneOf", format!("must match only one of {} schemas, and matches more", ids.len())),
            _ => ("oneOf", format!("must match one of {} schemas", ids.len())),
        },
        Keyword::Not(_) => ("not", "must not match the schema".to_owned()),
        Keyword::If(_) => ("if", "must match the schema of its condition".to_owned()),
        Keyword::DependentSchemas(_) => ("dependentSchemas", "must match the schema of a member's name".to_owned()),
        Keyword::UnevaluatedItems(_) => ("unevaluatedItems", "has an element that is not allowed".to_owned()),
        Keyword::UnevaluatedProperties(_) => ("unevaluatedProperties", "has a member that is not allowed".to_owned()),
    }
}

fn missing(detail: Detail<'_>) -> String {
    match detail {
        Detail::Missing(name) => format!("`{}` is missing", short(name)),
        _ => "a member is missing".to_owned(),
    }
}

fn closed(members: &Members) -> String {
    if members.named.is_empty() {
        return "has a member that is not allowed".to_owned();
    }
    let names: Vec<String> = members.named.iter().map(|(name, _)| format!("`{}`", short(name))).collect();
    format!("has a member that is none of {}", cut(&names.join(", "), MAX_VALUE))
}

/// `a string`, `a string or null`
fn types_with_articles(types: Types) -> String {
    let names: Vec<&str> =
        Types::ALL.iter().filter(|(_, _, of)| types.has(*of)).map(|(_, with_article, _)| *with_article).rev().collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "of no type".to_owned(),
    }
}

fn list(values: &[Json]) -> String {
    let mut text = String::new();
    for (index, value) in values.iter().enumerate() {
        if text.len() > MAX_VALUE {
            break;
        }
        if index > 0 {
            text.push_str(", ");
        }
        value.write(&mut text);
    }
    cut(&text, MAX_VALUE)
}

/// A part of a schema in a sentence.
fn short(text: &str) -> String {
    let text: String = text.chars().take(MAX_VALUE).flat_map(escaped).collect();
    cut(&text, 60)
}

fn escaped(character: char) -> impl Iterator<Item = char> {
    let escape = character.is_control().then(|| character.escape_default());
    let plain = escape.is_none().then_some(character);
    escape.into_iter().flatten().chain(plain)
}

fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Where a value stands. Names are told only if the schema has them: others are the caller's own.
fn path(schema: &Schema, instance: &Instance<'_>, at: At) -> String {
    let mut steps = Vec::new();
    let mut place = at.place;
    let mut is_name = at.is_name;
    while let Some(entry) = instance.entry(place) {
        match &entry.step {
            Step::Root => break,
            // A name is told of at the object that it stands in.
            _ if is_name => is_name = false,
            step => steps.push(step),
        }
        place = entry.parent;
    }
    let mut path = "args".to_owned();
    for step in steps.iter().rev() {
        if path.len() > MAX_PATH {
            break;
        }
        let _infallible = match step {
            Step::Index(index) => write!(path, "[{index}]"),
            Step::Key(name) if !schema.names(name) => path.write_str("[\"…\"]"),
            Step::Key(name) if is_plain(name) => write!(path, ".{}", short(name)),
            Step::Key(name) => write!(path, "[\"{}\"]", short(name)),
            Step::Root => Ok(()),
        };
    }
    cut(&path, MAX_PATH)
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

impl Schema {
    /// Whether some part of the schema names a member so.
    fn names(&self, name: &str) -> bool {
        self.nodes.iter().flat_map(|node| &node.keywords).any(|keyword| match keyword {
            Keyword::Members(members) => members.named.binary_search_by(|(known, _)| (**known).cmp(name)).is_ok(),
            Keyword::Required(names) => names.iter().any(|known| **known == *name),
            _ => false,
        })
    }
}
