//! Checks of a tool's arguments, from its input schema.

use serde_json::{Map, Value, json};

use super::{
    layout::Json,
    looks::{self, Refused},
    pattern,
    schema::{Described, Kind},
};

/// How deep arguments are looked into.
const MAX_DEPTH: usize = 4;

/// The most checks of one tool: nobody reviews more.
const MAX_CHECKS: usize = 64;

/// The most values of one check.
const MAX_VALUES: usize = 256;

/// The predicates of `require`, and those of `deny_if`.
pub(super) fn checks(schema: &Map<String, Value>) -> (Vec<Json>, Vec<Json>) {
    let mut checks = Checks { root: schema, require: Vec::new(), deny_if: Vec::new() };
    checks.object(schema, &Way { path: "args".to_owned(), guards: vec![], always: true, lists: 0, in_each: true }, 0);
    let Checks { mut require, mut deny_if, .. } = checks;
    require.retain(|check| loads("require", check));
    deny_if.retain(|check| loads("deny_if", check));
    require.truncate(MAX_CHECKS);
    deny_if.truncate(MAX_CHECKS);
    (require, deny_if)
}

/// Whether a policy takes the predicate: what a server writes into its schema can be anything.
fn loads(list: &str, predicate: &Json) -> bool {
    let text = format!(r#"{{"version":"1","default":"deny","tools":{{"t":{{"{list}":[{}]}}}}}}"#, predicate.line());
    policy::document::load(text.as_bytes()).is_ok()
}

/// The way to a value.
#[derive(Debug, Clone)]
struct Way {
    /// As conditions write it.
    path: String,
    /// What must be there for the value to be: optional arguments on the way, the value included.
    guards: Vec<String>,
    /// The value is in every call.
    always: bool,
    /// How many lists it is in.
    lists: usize,
    /// Each element of the list has it.
    in_each: bool,
}

struct Checks<'s> {
    root: &'s Map<String, Value>,
    require: Vec<Json>,
    deny_if: Vec<Json>,
}

impl<'s> Checks<'s> {
    fn object(&mut self, schema: &'s Map<String, Value>, way: &Way, depth: usize) {
        let Some(Value::Object(properties)) = schema.get("properties") else { return };
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in properties {
            let alike = |other: &String| {
                policy::json::lookalike(other.as_bytes(), name) || policy::json::lookalike(name.as_bytes(), other)
            };
            // A condition on one of two names that some server confuses refuses calls that have both.
            if properties.keys().any(alike) {
                continue;
            }
            let Some(described) = Described::read(property, self.root) else { continue };
            let path = step(&way.path, name);
            let needed = required.contains(&name.as_str()) && !described.nullable;
            let always = way.always && needed;
            let mut guards = way.guards.clone();
            if !always && way.lists == 0 {
                guards.push(path.clone());
            }
            // Null in one element could not be told from null in all.
            if way.lists > 0 && described.nullable {
                continue;
            }
            let in_each = way.in_each && (way.lists == 0 || needed);
            self.value(name, described, &Way { path, guards, always, lists: way.lists, in_each }, depth);
        }
    }

    fn value(&mut self, name: &str, described: Described<'s>, way: &Way, depth: usize) {
        if described.keywords.contains_key("enum") || described.keywords.contains_key("const") {
            return self.choice(name, &described, way);
        }
        match described.kind {
            Kind::Text => {
                self.lengths(name, &described, way, ["minLength", "maxLength"], "characters");
                self.text(name, &described, way);
            }
            Kind::Number => self.bounds(name, &described, way),
            Kind::Flag => {}
            Kind::List => {
                self.lengths(name, &described, way, ["minItems", "maxItems"], "elements");
                let items = described.keywords.get("items").and_then(|items| Described::read(items, self.root));
                if let Some(items) = items.filter(|items| !items.nullable && depth < MAX_DEPTH) {
                    let way = Way {
                        path: format!("{}[*]", way.path),
                        always: false,
                        lists: way.lists.saturating_add(1),
                        in_each: way.in_each,
                        guards: way.guards.clone(),
                    };
                    self.value(name, items, &way, depth.saturating_add(1));
                }
            }
            Kind::Object if depth < MAX_DEPTH => self.object(described.keywords, way, depth.saturating_add(1)),
            Kind::Object => {}
        }
    }

    /// `enum` and `const`.
    fn choice(&mut self, name: &str, described: &Described<'_>, way: &Way) {
        let only = described.keywords.get("const").map(std::slice::from_ref);
        let Some(all) = described.keywords.get("enum").and_then(Value::as_array).map(Vec::as_slice).or(only) else {
            return;
        };
        let mut values: Vec<Value> = Vec::new();
        for value in all {
            let fits = match (value, described.kind) {
                // The guard lets null pass.
                (Value::Null, _) => continue,
                (Value::String(_), Kind::Text) | (Value::Number(_), Kind::Number) | (Value::Bool(_), Kind::Flag) => {
                    true
                }
                _ => false,
            };
            if !fits {
                return;
            }
            let number = |value: &Value| value.as_f64();
            if !values.iter().any(|other| other == value || number(other).is_some() && number(other) == number(value)) {
                values.push(value.clone());
            }
        }
        if values.is_empty() || values.len() > MAX_VALUES {
            return;
        }
        let listed = values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let listed = listed.collect::<Vec<_>>().join(", ");
        let told = if listed.len() > 200 {
            format!("`{name}` is none of its values.")
        } else {
            format!("`{name}` must be one of: {listed}.")
        };
        let values = Json::List(values.into_iter().map(Json::Leaf).collect());
        if way.always {
            self.must(vec![condition(&way.path, "in", values)], &told);
        } else if way.lists == 0 {
            self.must_not(way, "not_in", values, &told);
        } else if way.lists == 1 && way.in_each {
            // To `not_in`, what is missing is none of the values: an empty list, and an element without it.
            let mut guarded = way.clone();
            guarded.guards.push(way.path.clone());
            self.must_not(&guarded, "not_in", values, &told);
        }
    }

    fn bounds(&mut self, name: &str, described: &Described<'_>, way: &Way) {
        let bound = |keyword: &str| described.keywords.get(keyword).filter(|value| value.is_number());
        // In drafts before 6, `exclusiveMinimum` is a flag of `minimum`.
        let strict = |keyword: &str| described.keywords.get(keyword) == Some(&Value::Bool(true));
        let sides = [
            (
                "minimum",
                if strict("exclusiveMinimum") { "gt" } else { "gte" },
                if strict("exclusiveMinimum") { "lte" } else { "lt" },
            ),
            ("exclusiveMinimum", "gt", "lte"),
            (
                "maximum",
                if strict("exclusiveMaximum") { "lt" } else { "lte" },
                if strict("exclusiveMaximum") { "gte" } else { "gt" },
            ),
            ("exclusiveMaximum", "lt", "gte"),
        ];
        let mut conditions = Vec::new();
        let mut words = Vec::new();
        for (keyword, good, bad) in sides {
            let Some(bound) = bound(keyword) else { continue };
            let words_for = match good {
                "gt" => "more than",
                "gte" => "at least",
                "lt" => "less than",
                _ => "at most",
            };
            words.push(format!("{words_for} {bound}"));
            if way.always {
                conditions.push(condition(&way.path, good, Json::Leaf(bound.clone())));
            } else {
                self.must_not(way, bad, Json::Leaf(bound.clone()), &format!("`{name}` must be {words_for} {bound}."));
            }
        }
        if !conditions.is_empty() {
            self.must(conditions, &format!("`{name}` must be {}.", words.join(" and ")));
        }
    }

    fn lengths(&mut self, name: &str, described: &Described<'_>, way: &Way, keywords: [&str; 2], of: &str) {
        let [least, most] = keywords.map(|keyword| described.length(keyword));
        if let Some(most) = most {
            let told = format!("`{name}` must have at most {most} {of}.");
            if way.always {
                self.must(vec![condition(&way.path, "length_lte", Json::Leaf(json!(most)))], &told);
            } else {
                self.must_not(way, "length_gte", Json::Leaf(json!(most.saturating_add(1))), &told);
            }
        }
        if let Some(least) = least.filter(|least| *least > 0) {
            let told = format!("`{name}` must have at least {least} {of}.");
            if way.always {
                self.must(vec![condition(&way.path, "length_gte", Json::Leaf(json!(least)))], &told);
            } else {
                self.must_not(way, "length_lte", Json::Leaf(json!(least.saturating_sub(1))), &told);
            }
        }
    }

    fn text(&mut self, name: &str, described: &Described<'_>, way: &Way) {
        if let Some(pattern) = described.keywords.get("pattern").and_then(Value::as_str) {
            let told = format!("`{name}` must match {pattern}");
            match pattern::against(pattern) {
                _ if told.len() > 300 => {}
                _ if way.always && pattern::same(pattern).is_some() => {
                    self.must(vec![condition(&way.path, "regex", Json::text(pattern))], &told);
                }
                Some(against) => self.must_not(way, "regex", Json::text(against), &told),
                None => {}
            }
        }
        let by_name = looks::by_name(name, described);
        let format = described.keywords.get("format").and_then(Value::as_str);
        let by_format = format.and_then(|format| looks::by_format(name, format));
        // The name's check of an address or URL says more than the format's.
        let about_form = by_name.as_ref().is_some_and(|by_name| by_name.told.contains("must be"));
        for Refused { op, value, told } in by_name.into_iter().chain(by_format.filter(|_| !about_form)) {
            let value = match value {
                Value::Array(values) => Json::List(values.into_iter().map(Json::Leaf).collect()),
                one => Json::Leaf(one),
            };
            self.must_not(way, op, value, &told);
        }
    }

    fn must(&mut self, conditions: Vec<Json>, told: &str) {
        self.require.push(predicate(conditions, told));
    }

    /// Refuses what is there and meets the test.
    fn must_not(&mut self, way: &Way, op: &str, value: Json, told: &str) {
        let exists = |path: &String| Json::object([("path", Json::text(path)), ("op", Json::text("exists"))]);
        let mut conditions = vec![condition(&way.path, op, value)];
        conditions.extend(way.guards.iter().map(exists));
        self.deny_if.push(predicate(conditions, told));
    }
}

fn condition(path: &str, op: &str, value: Json) -> Json {
    Json::object([("path", Json::text(path)), ("op", Json::text(op)), ("value", value)])
}

fn predicate(conditions: Vec<Json>, told: &str) -> Json {
    let told: String = told.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Json::object([("conditions", Json::List(conditions)), ("on_deny", Json::text(told))])
}

/// A path, one step further.
fn step(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain {
        format!("{path}.{name}")
    } else {
        format!("{path}[\"{}\"]", name.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
