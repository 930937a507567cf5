//! What a compiled schema is made of.

use super::Id;
use super::format::Format;
use super::json::Json;
use super::pattern::Pattern;

/// One schema object: what it asks for, in the order in which that is looked at. The schema `true` asks for nothing.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(super) keywords: Vec<Keyword>,
}

/// One thing that a schema asks for.
#[derive(Debug)]
pub(crate) enum Keyword {
    /// Nothing matches: the schema `false`.
    Never,
    Type(Types),
    Const(Json),
    Enum(Vec<Json>),
    Minimum(f64),
    Maximum(f64),
    ExclusiveMinimum(f64),
    ExclusiveMaximum(f64),
    MultipleOf(f64),
    MinLength(u64),
    MaxLength(u64),
    Pattern(Pattern),
    Format(&'static Format),
    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    MinProperties(u64),
    MaxProperties(u64),
    Required(Vec<Box<str>>),
    DependentRequired(Vec<(Box<str>, Vec<Box<str>>)>),
    Members(Members),
    PropertyNames(Id),
    Items(Items),
    Contains(Contains),
    Ref(Id),
    AllOf(Vec<Id>),
    AnyOf(Vec<Id>),
    OneOf(Vec<Id>),
    Not(Id),
    If(If),
    DependentSchemas(Vec<(Box<str>, Id)>),
    UnevaluatedItems(Id),
    UnevaluatedProperties(Id),
}

/// `properties`, `patternProperties` and `additionalProperties`.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// Sorted by name.
    pub(super) named: Vec<(Box<str>, Id)>,
    /// The names as careless servers compare them, sorted, each with the name itself.
    pub(super) folded: Vec<(Box<str>, Box<str>)>,
    pub(super) patterns: Vec<(Pattern, Id)>,
    pub(super) rest: Option<Id>,
    /// Whether the rest is `false`.
    pub(super) closed: bool,
}

/// `prefixItems` and `items`, or what older drafts call them.
#[derive(Debug)]
pub(crate) struct Items {
    pub(super) first: Vec<Id>,
    pub(super) rest: Option<Id>,
    /// Whether the rest is `false`, and under which keyword.
    pub(super) closed: Option<&'static str>,
}

/// `contains`, `minContains` and `maxContains`.
#[derive(Debug)]
pub(crate) struct Contains {
    pub(super) schema: Id,
    pub(super) least: u64,
    pub(super) most: Option<u64>,
    /// Whether what it matches counts as looked at (2020-12).
    pub(super) marks: bool,
}

/// `if`, `then` and `else`.
#[derive(Debug)]
pub(crate) struct If {
    pub(super) test: Id,
    pub(super) then: Option<Id>,
    pub(super) otherwise: Option<Id>,
}

/// A set of JSON types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Types(u8);

impl Types {
    /// Each type, with its name and with its article.
    pub(super) const ALL: [(&'static str, &'static str, Self); 7] = [
        ("null", "null", Self(1)),
        ("boolean", "a boolean", Self(2)),
        ("object", "an object", Self(4)),
        ("array", "an array", Self(8)),
        ("number", "a number", Self(16)),
        ("string", "a string", Self(32)),
        ("integer", "an integer", Self(64)),
    ];
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const OBJECT: Self = Self(4);
    pub(super) const ARRAY: Self = Self(8);
    pub(super) const NUMBER: Self = Self(16);
    pub(super) const STRING: Self = Self(32);
    pub(super) const INTEGER: Self = Self(64);

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Keyword {
    /// The parts of the schema that look at the same value.
    pub(super) fn in_place(&self) -> Vec<Id> {
        match self {
            Self::Ref(id) | Self::Not(id) => vec![*id],
            Self::AllOf(ids) | Self::AnyOf(ids) | Self::OneOf(ids) => ids.clone(),
            Self::If(all) => [Some(all.test), all.then, all.otherwise].into_iter().flatten().collect(),
            Self::DependentSchemas(all) => all.iter().map(|(_, id)| *id).collect(),
            _ => vec![],
        }
    }
}
