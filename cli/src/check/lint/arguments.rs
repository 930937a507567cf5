//! Arguments that no tool has, going by the tools' input schemas.

use policy::document::{
    model::{Action, Default, Rule},
    nearest,
    path::{Root, Step},
};
use serde_json::{Map, Value};

use super::{List, Subject};
use crate::{
    check::{code::UNKNOWN_ARGUMENT, finding::Findings},
    output::shown,
    tools::Tool,
};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for rule in subject.rules() {
        let tools = tools(subject, rule);
        if tools.is_empty() {
            continue;
        }
        for list in [List::Require, List::DenyIf] {
            for (number, predicate) in list.of(rule).iter().enumerate() {
                for (index, condition) in predicate.conditions.iter().enumerate() {
                    if condition.path.root == Root::Arguments {
                        let at = format!("{}/{}/{number}/conditions/{index}/path", subject.rule(rule), list.name());
                        tell(&tools, &condition.path.steps, &condition.path.source, at, findings);
                    }
                }
            }
        }
        for limit in &rule.limits {
            if let Some(path) = &limit.increment_from {
                let at = format!("{}/increment_from", subject.limit(rule, limit));
                tell(&tools, &path.steps, &path.source, at, findings);
            }
        }
    }
}

/// Says it if every tool's schema says that it has no such argument.
fn tell(tools: &[&Tool], steps: &[Step], source: &str, at: String, findings: &mut Findings<'_>) {
    let mut nearby = None;
    for tool in tools {
        match look(&tool.input_schema, steps) {
            Look::Nothing { nearest } => nearby = nearby.or(nearest),
            Look::Unknown => return,
        }
    }
    let message = match tools {
        [tool] => format!("`{}` has no argument `{}`", shown(&tool.name), shown(source)),
        _ => format!("none of the {} tools that this is for has an argument `{}`", tools.len(), shown(source)),
    };
    let help = nearby.map(|name| format!("did you mean `{}`?", shown(&name)));
    findings.of_value(&UNKNOWN_ARGUMENT, at, message, help);
}

/// The tools of the lists that a rule is for.
pub(super) fn tools<'a>(subject: &Subject<'a>, rule: &Rule) -> Vec<&'a Tool> {
    let section = &subject.policy.tools;
    let all = rule.pointer.as_ref() == "/all_tools";
    let own = |tool: &&Tool| {
        let decides = match section.rule(&tool.name) {
            // `all_tools` adds to what is not denied already.
            Some(own) if all => !matches!(own.action, Action::Deny { .. }),
            Some(own) => std::ptr::eq(own, rule),
            None => all && section.default == Default::Allow,
        };
        decides && !section.hides(&tool.name)
    };
    subject.tools.unwrap_or_default().iter().filter(own).collect()
}

/// Whether every tool that a rule is for says that a call must have the argument.
pub(super) fn always_there(subject: &Subject<'_>, rule: &Rule, name: &str) -> bool {
    let tools = tools(subject, rule);
    let needs = |tool: &&Tool| {
        let required = tool.input_schema.get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|field| field == name))
    };
    !tools.is_empty() && tools.iter().all(needs)
}

/// What a schema says of a path.
pub(super) enum Look {
    /// That there is nothing, or nothing that it has a word for.
    Nothing { nearest: Option<String> },
    /// There is something, or it leaves that open.
    Unknown,
}

/// Keywords beside which `properties` and `items` are not all that a schema says.
const OPEN: [&str; 11] = [
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "not",
    "patternProperties",
    "dependentSchemas",
    "prefixItems",
    "propertyNames",
];

pub(super) fn look(schema: &Map<String, Value>, steps: &[Step]) -> Look {
    let [step, rest @ ..] = steps else { return Look::Unknown };
    // `additionalProperties` that is said says that there may be more; left out, it mostly was not thought of.
    let more = schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
    if more || OPEN.iter().any(|keyword| schema.contains_key(*keyword)) {
        return Look::Unknown;
    }
    let inner = match step {
        Step::Key(name) => {
            let properties = match schema.get("properties") {
                Some(Value::Object(properties)) => properties,
                // A tool that says so takes no arguments.
                None if schema.contains_key("additionalProperties") => return Look::Nothing { nearest: None },
                _ => return Look::Unknown,
            };
            match properties.get(&**name) {
                Some(inner) => inner,
                None => {
                    let nearest = nearest(name, properties.keys().map(String::as_str)).map(str::to_owned);
                    return Look::Nothing { nearest };
                }
            }
        }
        Step::Index(_) | Step::Every => match schema.get("items") {
            Some(items) => items,
            None => return Look::Unknown,
        },
    };
    inner.as_object().map_or(Look::Unknown, |inner| look(inner, rest))
}
