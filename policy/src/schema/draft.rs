//! The editions of JSON Schema.

/// An edition of JSON Schema, the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    D06,
    D07,
    D2019,
    D2020,
}

impl Draft {
    /// What `$schema` names. MCP's own default is 2020-12 (2025-11-25, basic, JSON Schema usage).
    pub(super) fn named(uri: &str) -> Option<Self> {
        let uri = uri.strip_suffix('#').unwrap_or(uri);
        let uri = uri.strip_prefix("https://").or(uri.strip_prefix("http://"))?;
        Some(match uri.strip_prefix("json-schema.org/")? {
            "draft/2020-12/schema" => Self::D2020,
            "draft/2019-09/schema" => Self::D2019,
            "draft-07/schema" => Self::D07,
            "draft-06/schema" => Self::D06,
            _ => return None,
        })
    }

    /// Whether keywords beside `$ref` are ignored.
    pub(super) fn ref_stands_alone(self) -> bool {
        self <= Self::D07
    }

    /// Whether the keyword asks for something, or points somewhere, in this edition.
    pub(super) fn has(self, keyword: &str) -> bool {
        match keyword {
            "type"
            | "const"
            | "enum"
            | "minimum"
            | "maximum"
            | "exclusiveMinimum"
            | "exclusiveMaximum"
            | "multipleOf"
            | "minLength"
            | "maxLength"
            | "pattern"
            | "format"
            | "minItems"
            | "maxItems"
            | "uniqueItems"
            | "minProperties"
            | "maxProperties"
            | "required"
            | "properties"
            | "patternProperties"
            | "additionalProperties"
            | "propertyNames"
            | "items"
            | "contains"
            | "allOf"
            | "anyOf"
            | "oneOf"
            | "not"
            | "$ref"
            | "$id"
            | "$schema"
            | "definitions" => true,
            // Left for older schemas in the later drafts (2020-12 validation, section 9 of the metaschema's own).
            "dependencies" => true,
            "if" | "then" | "else" => self >= Self::D07,
            "additionalItems" => self <= Self::D2019,
            "$defs"
            | "$anchor"
            | "dependentRequired"
            | "dependentSchemas"
            | "minContains"
            | "maxContains"
            | "unevaluatedItems"
            | "unevaluatedProperties" => self >= Self::D2019,
            "$recursiveRef" | "$recursiveAnchor" => self == Self::D2019,
            "prefixItems" | "$dynamicRef" | "$dynamicAnchor" => self == Self::D2020,
            _ => false,
        }
    }
}

/// Every keyword that some edition knows, and those that only tell something.
pub(super) const KNOWN: &[&str] = &[
    "type",
    "const",
    "enum",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "items",
    "contains",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "$ref",
    "$id",
    "$schema",
    "definitions",
    "dependencies",
    "if",
    "then",
    "else",
    "additionalItems",
    "$defs",
    "$anchor",
    "dependentRequired",
    "dependentSchemas",
    "minContains",
    "maxContains",
    "unevaluatedItems",
    "unevaluatedProperties",
    "prefixItems",
    "$dynamicRef",
    "$dynamicAnchor",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "contentMediaType",
    "contentEncoding",
];

/// Keywords that only tell something.
pub(super) fn is_annotation(keyword: &str) -> bool {
    matches!(
        keyword,
        "title"
            | "description"
            | "default"
            | "examples"
            | "deprecated"
            | "readOnly"
            | "writeOnly"
            | "$comment"
            | "contentMediaType"
            | "contentEncoding"
            | "contentSchema"
    )
}
