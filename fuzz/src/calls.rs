//! What a policy says of a few calls, as text: the same policy must always say the same.

use policy::decision::{Decision, Effort, Facts, Header, RefusalKind, judge};
use policy::document::Policy;
use policy::json::write_string;
use policy::listing::Kind;
use policy::message::{Message, read};

use crate::tree::Tree;

/// A Saturday afternoon, one caller with a few claims and headers.
struct Afternoon;

impl Facts for Afternoon {
    fn grant(&self) -> Option<&str> {
        Some("ci-robot")
    }

    fn claim(&self, name: &str) -> Option<&[u8]> {
        match name {
            "team" => Some(br#""robotics""#),
            "groups" => Some(br#"["a", "b", 3]"#),
            "realm" => Some(br#"{"roles": ["x"], "level": 7}"#),
            _ => None,
        }
    }

    fn header(&self, name: &str) -> Header<'_> {
        match name {
            "x-env" => Header::Once("prod".into()),
            "x" => Header::Unclear,
            _ => Header::Absent,
        }
    }

    fn unix_seconds(&self) -> u64 {
        1_795_271_400
    }
}

const ARGUMENTS: [&str; 4] = [
    "{}",
    r#"{"x":[{"y":"10.0.0.7"},{"y":"10.1.0.7"}],"n":2.5,"amount":101,"id":"abc","on":true,"list":["a","b"]}"#,
    r#"{"x":[],"n":-1,"amount":"101","id":"file:///srv/lab","on":null,"a":{"b":[[1],[2]]},"odd.key":""}"#,
    r#"{"X":[{"y":1}],"N":1e300,"Amount":0.1,"id\u0000":"abc","x":"[]"}"#,
];

/// What becomes of each call to each tool, resource, prompt and method that the document names, and to a few others.
///
/// # Panics
/// If a listing shows what is unknown when it is asked for.
pub(crate) fn outcomes(policy: &Policy, document: &Tree) -> Vec<String> {
    let mut outcomes = Vec::new();
    for name in names(document) {
        let mut quoted = Vec::new();
        write_string(&mut quoted, &name);
        let quoted = String::from_utf8(quoted).expect("UTF-8 from UTF-8");
        for arguments in ARGUMENTS {
            let params = format!(r#"{{"name":{quoted},"arguments":{arguments}}}"#);
            outcomes.extend(outcome(policy, "tools/call", &params, (Kind::Tools, &name)));
        }
        let params = format!(r#"{{"name":{quoted}}}"#);
        outcomes.extend(outcome(policy, "prompts/get", &params, (Kind::Prompts, &name)));
        let params = format!(r#"{{"uri":{quoted}}}"#);
        outcomes.extend(outcome(policy, "resources/read", &params, (Kind::Resources, &name)));
        outcomes.extend(outcome(policy, &name, "{}", (Kind::Tools, "")));
    }
    outcomes
}

/// None if it is no readable message.
fn outcome(policy: &Policy, method: &str, params: &str, (kind, name): (Kind, &str)) -> Option<String> {
    let mut quoted = Vec::new();
    write_string(&mut quoted, method);
    let quoted = String::from_utf8(quoted).ok()?;
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":{quoted},"params":{params}}}"#);
    let Ok(Message::Request { method, params, .. }) = read(body.as_bytes(), 64) else { return None };
    let decision = judge(policy, &method, &params, None, &Afternoon, &Effort::default());
    if let Decision::Refuse(refusal) = &decision
        && refusal.kind == RefusalKind::Hidden
    {
        assert!(!policy.shows(kind, name, None), "{name:?} is listed, and unknown when asked for");
    }
    Some(format!("{body} {decision:?}"))
}

/// The names that the document's rules and wildcards stand for, and some that it may not know.
fn names(document: &Tree) -> Vec<String> {
    let part = |part: &str, rules: &str| {
        let part = document.get(part);
        let keys = part.and_then(|part| part.get(rules)).map(Tree::members).unwrap_or_default();
        let hide = part.and_then(|part| part.get("hide")).map(Tree::elements).unwrap_or_default();
        keys.iter().map(|(key, _)| key.as_str()).chain(hide.iter().filter_map(Tree::as_str)).collect::<Vec<_>>()
    };
    let top = |member: &str| document.get(member).map(Tree::members).unwrap_or_default().iter().map(|(key, _)| &**key);
    let hide = document.get("hide").map(Tree::elements).unwrap_or_default().iter().filter_map(Tree::as_str);
    let rules = top("tools").chain(top("methods")).chain(hide);
    let all = rules.chain(part("resources", "uris")).chain(part("prompts", "names"));
    let named = all.take(16).map(|name| name.replace('*', "x").replace('?', "y").replace('\\', ""));
    named.chain(["get_run", "", "file:///srv/lab/../a"].map(str::to_owned)).collect()
}
