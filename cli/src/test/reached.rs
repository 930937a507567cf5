//! What a policy has for a request that passed, for a hidden target, and for a server's answer: looked up, not judged.

use policy::{
    decision::Target,
    document::model::{Policy, Section},
    uri,
};
use serde_json::Value;

/// The entries of `hide` that a target is in.
pub(super) fn hidden(policy: &Policy, target: &Target<'_>) -> Vec<String> {
    match target {
        Target::Tool(name) => hiding("/hide", &policy.tools, name),
        Target::Prompt(name) => hiding("/prompts/hide", &policy.prompts, name),
        Target::Resource(uri) => hiding("/resources/hide", &policy.resources, &normal(uri)),
        Target::Template(uri) => hiding("/resources/hide", &policy.resources, &normal_template(uri)),
        Target::Resources(uris) => {
            uris.iter().flat_map(|uri| hiding("/resources/hide", &policy.resources, &normal(uri))).collect()
        }
        Target::Passes | Target::Method => vec![],
    }
}

fn hiding(place: &str, section: &Section, name: &str) -> Vec<String> {
    let hiding = section.hide.iter().filter(|glob| glob.matches(name));
    hiding.map(|glob| format!("{place}/{}", glob.source())).collect()
}

/// The rules by which a request passes.
pub(super) fn rule(policy: &Policy, method: &str, target: &Target<'_>) -> Vec<String> {
    let in_section = |section: &Section, name: &str| section.rule(name).map(|rule| rule.pointer.to_string());
    let mut rules: Vec<String> = in_section(&policy.methods, method).into_iter().collect();
    match target {
        Target::Tool(name) => rules.extend(in_section(&policy.tools, name)),
        Target::Prompt(name) => rules.extend(in_section(&policy.prompts, name)),
        Target::Resource(uri) => rules.extend(in_section(&policy.resources, &normal(uri))),
        Target::Template(uri) => rules.extend(in_section(&policy.resources, &normal_template(uri))),
        Target::Resources(uris) => {
            rules.extend(uris.iter().filter_map(|uri| in_section(&policy.resources, &normal(uri))));
        }
        Target::Passes | Target::Method => {}
    }
    rules
}

/// As rules see it.
fn normal(uri: &str) -> String {
    uri::normalize(uri).unwrap_or_default()
}

fn normal_template(uri: &str) -> String {
    uri::normalize_template(uri).unwrap_or_default()
}

/// What a server's answer meets: entries of `hide` for what it lists, and rules that deny what it asks of its client.
pub(super) fn by_answer(policy: &Policy, answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(answer);
    let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let messages = events.chain([&*text]).filter_map(|text| serde_json::from_str::<Value>(text).ok());
    let mut met = Vec::new();
    messages.for_each(|message| meet(policy, &message, &mut met));
    met
}

/// Messages stand alone, in batches, and among `inputRequests`.
fn meet(policy: &Policy, value: &Value, met: &mut Vec<String>) {
    let Value::Object(members) = value else {
        return value.as_array().into_iter().flatten().for_each(|value| meet(policy, value, met));
    };
    if let Some(refusal) = members.get("method").and_then(Value::as_str).and_then(|it| policy.denies_of_server(it)) {
        met.push(refusal.rule.to_owned());
    }
    let listed = |list: &str, name: &str| -> Vec<String> {
        let entries = members.get(list).and_then(Value::as_array).into_iter().flatten();
        entries.filter_map(|entry| entry.get(name)?.as_str().map(str::to_owned)).collect()
    };
    let tools = listed("tools", "name").into_iter().flat_map(|name| hiding("/hide", &policy.tools, &name));
    met.extend(tools);
    let prompts = listed("prompts", "name").into_iter();
    met.extend(prompts.flat_map(|name| hiding("/prompts/hide", &policy.prompts, &name)));
    let resources = listed("resources", "uri").into_iter().map(|uri| normal(&uri));
    let templates = listed("resourceTemplates", "uriTemplate").into_iter().map(|uri| normal_template(&uri));
    met.extend(resources.chain(templates).flat_map(|uri| hiding("/resources/hide", &policy.resources, &uri)));
    members.values().for_each(|value| meet(policy, value, met));
}
