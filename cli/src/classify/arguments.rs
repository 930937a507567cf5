//! What a tool's arguments say: a switch that deletes, a choice of actions, a text that is run.

use serde_json::Value;

use super::{
    Class, Evidence, Place,
    lexicon::{self, Kind},
    words::{Form, split},
};
use crate::tools::Tool;

/// What the arguments speak for, given what the tool is taken for without them.
pub(super) fn evidence(tool: &Tool, so_far: Class) -> Vec<Evidence> {
    let Some(Value::Object(properties)) = tool.input_schema.get("properties") else { return Vec::new() };
    let mut found = Vec::new();
    for (name, schema) in properties {
        let words = split(name);
        let claim = |class: Class, quote: String| Evidence { class, place: Place::Argument(name.clone()), quote };
        if let Some(class) = switch(&words, schema) {
            found.push(claim(class, name.clone()));
        }
        if let Some((class, choice)) = choice(&words, schema) {
            found.push(claim(class, format!("{name}: {choice}")));
        }
        if runs(tool, &words, schema, so_far) {
            found.push(claim(Class::Execute, name.clone()));
        }
    }
    let has = |names: &[&str]| properties.keys().find(|key| names.contains(&split(key).join(" ").as_str()));
    let any_request = has(&["method", "http method", "verb"]).zip(has(&["body", "headers", "payload", "data", "json"]));
    if let (Some((method, _)), Some(_)) = (any_request, has(&["url", "uri", "endpoint", "path", "href"])) {
        found.push(Evidence { class: Class::Execute, place: Place::Argument(method.clone()), quote: method.clone() });
    }
    let sum = has(&["amount", "total", "sum"]).zip(has(&[
        "currency",
        "recipient",
        "payee",
        "iban",
        "wallet",
        "to account",
        "destination account",
        "card",
    ]));
    let commits = split(&tool.name).iter().any(|word| lexicon::commits(word));
    if let Some((amount, _)) = sum.filter(|_| so_far == Class::Execute || so_far == Class::Write && commits) {
        found.push(Evidence { class: Class::Financial, place: Place::Argument(amount.clone()), quote: amount.clone() });
    }
    found
}

/// A yes or no that changes what a tool does.
fn switch(words: &[String], schema: &Value) -> Option<Class> {
    let typed = |name: &str| schema.get("type").and_then(Value::as_str) == Some(name);
    let any = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let verb = words.first().and_then(|word| lexicon::verb(word)).filter(|verb| verb.form == Form::Base);
    // `delete_after`, `purge`: not `deleted`, nor an `order` that sorts.
    let grave = verb.as_ref().filter(|verb| verb.class == Class::Destructive);
    if let Some(verb) = grave
        && (typed("boolean") || verb.kind == Kind::Pure && !any(&["by", "id", "ids"]))
    {
        return Some(Class::Destructive);
    }
    let changes = any(&["force", "overwrite", "confirm", "confirmed"]) || words.join(" ") == "dry run";
    const MAKES: &str = "create update write save replace insert append send notify publish upsert set apply fix execute run \
                         install enable disable merge sync commit push";
    let makes = typed("boolean") && verb.is_some_and(|verb| MAKES.split_whitespace().any(|known| known == verb.base));
    (changes || makes).then_some(Class::Write)
}

/// The gravest of the actions that an argument chooses from.
fn choice(words: &[String], schema: &Value) -> Option<(Class, String)> {
    const CHOOSES: [&str; 9] =
        ["action", "operation", "op", "command", "subcommand", "verb", "task", "actions", "operations"];
    if !CHOOSES.contains(&words.last()?.as_str()) {
        return None;
    }
    let nested = ["anyOf", "oneOf", "items"].into_iter().filter_map(|key| schema.get(key));
    let alternatives = nested.flat_map(|inner| match inner {
        Value::Array(all) => all.iter().collect::<Vec<_>>(),
        one => vec![one],
    });
    let values = std::iter::once(schema)
        .chain(alternatives)
        .flat_map(|schema| {
            let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
            listed.chain(schema.get("const"))
        })
        .filter_map(Value::as_str);
    let graded = values.filter_map(|value| {
        let words = split(value);
        let all = words.iter().filter_map(|word| lexicon::verb(word)).filter(|verb| verb.form == Form::Base);
        all.map(|verb| verb.class).max_by_key(|class| class.severity()).map(|class| (class, value.to_owned()))
    });
    let mut gravest: Option<(Class, String)> = None;
    for (class, value) in graded {
        if gravest.as_ref().is_none_or(|(worst, _)| class.severity() > worst.severity()) {
            gravest = Some((class, value));
        }
    }
    gravest
}

/// Whether an argument is a text in a language that can say anything.
fn runs(tool: &Tool, words: &[String], schema: &Value, so_far: Class) -> bool {
    if schema.get("enum").is_some()
        || !matches!(schema.get("type").and_then(Value::as_str), None | Some("string" | "array"))
    {
        return false;
    }
    let named = |known: &[&str]| words.last().is_some_and(|word| known.contains(&word.as_str()));
    let text = |schema: &Value| schema.get("description").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    let about = format!("{} {}", text(schema), tool.description.as_deref().unwrap_or_default().to_lowercase());
    let mentions = |known: &[&str]| {
        about.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_').any(|word| known.contains(&word))
    };
    if words.len() == 1
        && named(&["sql", "command", "cmd", "script", "shell", "javascript", "cypher", "sparql", "graphql", "mutation"])
        || words.len() > 1 && named(&["sql", "script", "cmd", "command"])
    {
        return true;
    }
    if named(&["code", "expression", "program", "function"]) {
        return mentions(&[
            "run",
            "execute",
            "executes",
            "evaluate",
            "snippet",
            "javascript",
            "python",
            "eval",
            "runs",
        ]);
    }
    if named(&["query", "statement", "queries", "statements"]) {
        let language =
            mentions(&["sql", "cypher", "sparql", "graphql", "statement", "statements", "select", "mutation", "mql"]);
        return language || so_far != Class::Read && words.len() == 1 && named(&["statement"]);
    }
    false
}
