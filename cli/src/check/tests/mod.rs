//! What a check says of whole documents, and what it does not say.

mod robust;
mod tools;

use proptest::prelude::*;

use super::*;
use crate::testing::{Outcome, outcome, shipped};

/// What a document is told: code and pointer of each.
fn told(text: &str) -> Vec<(&'static str, String)> {
    told_with(text, None)
}

fn told_with(text: &str, tools: Option<&Offered>) -> Vec<(&'static str, String)> {
    let text = Text::new(Source { name: "p.json".to_owned(), text: text.as_bytes().to_vec() });
    findings(&text, tools).into_iter().map(|finding| (finding.code, finding.pointer)).collect()
}

/// A policy with these members beside the required ones.
fn document(members: &str) -> String {
    format!(r#"{{"version": "1", "default": "deny", {members}}}"#)
}

/// Holds that a policy with these members is told exactly this.
fn assert_told(members: &str, expected: &[(&str, &str)]) {
    let document = document(members);
    let said = told(&document);
    let said: Vec<(&str, &str)> = said.iter().map(|(code, pointer)| (*code, pointer.as_str())).collect();
    assert_eq!(said, expected, "{document}");
}

/// A policy whose tool `t` has one predicate of these conditions.
fn predicate(list: &str, conditions: &str) -> String {
    format!(r#""tools": {{"t": {{"{list}": [{{"conditions": [{conditions}]}}]}}}}"#)
}

fn limits(limits: &str) -> String {
    format!(r#""tools": {{"t": {{"limits": [{limits}]}}}}"#)
}

#[test]
fn a_name_that_no_tool_can_have_is_told() {
    let name = "unmatchable-name";
    assert_told(r#""tools": {"get run": {}, "größe_*": {}}"#, &[(name, "/tools/get run"), (name, "/tools/größe_*")]);
    assert_told(r#""hide": ["delete/*", "x\\*"]"#, &[(name, "/hide/0"), (name, "/hide/1")]);
    assert_told(&format!(r#""hide": ["*{}"]"#, "?".repeat(129)), &[(name, "/hide/0")]);
    assert_told(&format!(r#""hide": ["*{}"], "tools": {{"a.b-C_9": {{}}, "*": {{}}}}"#, "?".repeat(128)), &[]);
    // Prompts are named as their servers like.
    assert_told(r#""prompts": {"names": {"summarize this": {}}}"#, &[]);
}

#[test]
fn a_rule_that_is_hidden_is_told() {
    let rule = "unreachable-rule";
    assert_told(r#""hide": ["delete_*"], "tools": {"delete_run": {}}"#, &[(rule, "/tools/delete_run")]);
    assert_told(r#""hide": ["delete_*"], "tools": {"delete_r*": {}}"#, &[(rule, "/tools/delete_r*")]);
    assert_told(
        r#""resources": {"hide": ["file:///srv/*"], "uris": {"FILE:///srv/lab/*": {}}}"#,
        &[(rule, "/resources/uris/FILE:~1~1~1srv~1lab~1*")],
    );
    assert_told(r#""hide": ["delete_*"], "tools": {"*_run": {}, "*": {}}"#, &[]);
}

#[test]
fn what_stands_behind_an_unconditional_refusal_is_told() {
    let check = "unreachable-check";
    assert_told(
        r#""tools": {"t": {"action": "require_approval", "require": [{"conditions": [{"path": "args.x", "op": "exists"}]}],
            "deny_if": [{"conditions": []}], "rate_limit": "1/minute"}}"#,
        &[(check, "/tools/t/action"), (check, "/tools/t/require/0"), (check, "/tools/t/rate_limit")],
    );
    assert_told(r#""tools": {"t": {"deny_if": [{"on_deny": "Ask a human."}]}}"#, &[]);
    // What all tools require is asked before, and decides what the agent is told.
    let all = r#""all_tools": {"require": [{"conditions": [{"path": "args.x", "op": "exists"}]}], "deny_if": [{}],
        "concurrency": {"max": 1}}"#;
    assert_told(all, &[(check, "/all_tools/concurrency")]);
}

#[test]
fn a_limit_that_another_one_always_comes_before_is_told() {
    let limit = |name: &str, max: u64, more: &str| format!(r#"{{"counter": "{name}", "max": {max}, {more}}}"#);
    let (minute, hour) = (r#""window": "minute""#, r#""window": "hour""#);
    let idle = |one: String, other: String, expected: &[&str]| {
        let expected: Vec<_> = expected.iter().map(|pointer| ("idle-limit", *pointer)).collect();
        assert_told(&limits(&format!("{one}, {other}")), &expected);
    };
    // An hour and a fifteenth of it are 64 minutes.
    idle(limit("a", 10, minute), limit("b", 1000, hour), &["/tools/t/limits/1"]);
    idle(limit("a", 10, minute), limit("b", 640, hour), &["/tools/t/limits/1"]);
    idle(limit("a", 10, minute), limit("b", 639, hour), &[]);
    idle(limit("b", 5, hour), limit("a", 10, minute), &["/tools/t/limits/1"]);
    idle(limit("a", 10, minute), limit("b", 10, minute), &["/tools/t/limits/1"]);
    idle(limit("a", 10, minute), limit("b", 11, minute), &["/tools/t/limits/1"]);
    // What they count differs, or whose.
    idle(limit("a", 10, minute), limit("b", 1000, &format!(r#"{hour}, "scope": "global""#)), &[]);
    idle(limit("a", 10, &format!(r#"{minute}, "scope": "global""#)), limit("b", 1000, hour), &["/tools/t/limits/1"]);
    idle(limit("a", 10, minute), limit("b", 1000, &format!(r#"{hour}, "increment_from": "args.n""#)), &[]);
    idle(limit("a", 10, &format!(r#"{minute}, "refund": "unsent""#)), limit("b", 1000, hour), &[]);
    idle(limit("a", 10, minute), limit("b", 1000, &format!(r#"{hour}, "align": "calendar""#)), &[]);
    let calendar = |window: &str| format!(r#""window": "{window}", "align": "calendar""#);
    idle(limit("a", 10, &calendar("hour")), limit("b", 240, &calendar("day")), &["/tools/t/limits/1"]);
    idle(limit("a", 10, &calendar("hour")), limit("b", 239, &calendar("day")), &[]);
}

#[test]
fn a_counter_that_other_rules_add_to_is_not_idle() {
    let one = r#"{"counter": "a", "window": "minute", "max": 10}, {"counter": "b", "window": "hour", "max": 1000}"#;
    let other = r#"{"counter": "b", "window": "hour", "max": 1000}"#;
    assert_told(&format!(r#""tools": {{"t": {{"limits": [{one}]}}, "u": {{"limits": [{other}]}}}}"#), &[]);
    let all = r#""all_tools": {"limits": [{"counter": "all", "window": "minute", "max": 10}]}"#;
    assert_told(
        &format!(r#"{all}, "tools": {{"u": {{"limits": [{other}], "concurrency": {{"max": 1}}}}}}"#),
        &[("idle-limit", "/tools/u/limits/0")],
    );
    // Prompts do not meet what is added to tools.
    assert_told(&format!(r#"{all}, "prompts": {{"names": {{"u": {{"limits": [{other}]}}}}}}"#), &[]);
}

#[test]
fn more_at_once_than_all_tools_together_may_run_is_idle() {
    let document = |own: &str, all: &str| {
        format!(r#""all_tools": {{"concurrency": {{{all}}}}}, "tools": {{"t": {{"concurrency": {{{own}}}}}}}"#)
    };
    assert_told(&document(r#""max": 3"#, r#""max": 2"#), &[("idle-limit", "/tools/t/concurrency")]);
    assert_told(&document(r#""max": 1"#, r#""max": 2"#), &[]);
    assert_told(&document(r#""max": 3, "linger": "2m""#, r#""max": 2"#), &[]);
}

#[test]
fn conditions_that_cannot_hold_together_are_told() {
    let both = r#"{"path": "args.n", "op": "gt", "value": 5}, {"path": "args[\"n\"]", "op": "lt", "value": 3}"#;
    for list in ["require", "deny_if"] {
        let pointer = format!("/tools/t/{list}/0/conditions/1");
        assert_told(&predicate(list, both), &[("contradiction", &pointer)]);
    }
    let night = r#"{"path": "time.hour", "op": "gt", "value": 21}, {"path": "time.hour", "op": "lt", "value": 6}"#;
    assert_told(&predicate("deny_if", night), &[("contradiction", "/tools/t/deny_if/0/conditions/1")]);
    // One each: at night and in the morning.
    let (late, early) = night.split_once(", {").unwrap();
    let apart =
        format!(r#""tools": {{"t": {{"deny_if": [{{"conditions": [{late}]}}, {{"conditions": [{{{early}]}}]}}}}"#);
    assert_told(&apart, &[]);
    let required = apart.replace("deny_if", "require");
    assert_told(&required, &[("contradiction", "/tools/t/require/1/conditions/0")]);
    assert_told(
        r#""all_tools": {"require": [{"conditions": [{"path": "args.n", "op": "lt", "value": 3}]}]},
           "tools": {"t": {"require": [{"conditions": [{"path": "args.n", "op": "gt", "value": 5}]}]}}"#,
        &[("contradiction", "/tools/t/require/0/conditions/0")],
    );
    // Of several elements one may be large, and another one small.
    let elements = both.replace("[\\\"n\\\"]", ".n").replace("args.n", "args.n[*]");
    assert_told(&predicate("deny_if", &elements), &[]);
    assert_told(&predicate("require", &elements), &[("contradiction", "/tools/t/require/0/conditions/1")]);
}

#[test]
fn a_negation_of_what_may_be_missing_is_told() {
    let negation = r#"{"path": "args.stage", "op": "neq", "value": "Production"}"#;
    let exists = r#"{"path": "args.stage", "op": "exists"}"#;
    let told = |pointer: &'static str| [("unguarded-negation", pointer)];
    assert_told(&predicate("require", negation), &told("/tools/t/require/0/conditions/0"));
    assert_told(&predicate("deny_if", negation), &told("/tools/t/deny_if/0/conditions/0"));
    for list in ["require", "deny_if"] {
        assert_told(&predicate(list, &format!("{negation}, {exists}")), &[]);
    }
    let required = format!(
        r#""tools": {{"t": {{"require": [{{"conditions": [{exists}]}}], "deny_if": [{{"conditions": [{negation}]}}]}}}}"#
    );
    assert_told(&required, &[]);
    // Who is not of the team is to be refused, and so is who is of none.
    let team = r#"{"path": "identity.claims.team", "op": "neq", "value": "lab"}"#;
    assert_told(&predicate("deny_if", team), &[]);
    assert_told(&predicate("require", team), &told("/tools/t/require/0/conditions/0"));
    assert_told(&predicate("deny_if", r#"{"path": "time.hour", "op": "not_in", "value": [9, 10]}"#), &[]);
}

#[test]
fn an_expression_that_reads_like_a_whole_value_and_is_not_is_told() {
    for (regex, open) in [
        ("[a-z0-9-]+", true),
        (r"\\d{4}", true),
        ("^[a-z]+", true),
        ("[^/]*$", true),
        ("^prod|staging$", true),
        ("^[a-z]+$", false),
        ("^(prod|staging)$", false),
        ("^prod$|^staging$", false),
        ("TICKET-[0-9]+", false),
        ("^/srv/", false),
        ("[0-9]", false),
        ("prod|staging", false),
        (r"^(runs|models):/[A-Za-z0-9]", false),
    ] {
        let condition = format!(r#"{{"path": "args.x", "op": "regex", "value": "{regex}"}}"#);
        let expected = [("open-regex", "/tools/t/require/0/conditions/0/value")];
        assert_told(&predicate("require", &condition), if open { &expected } else { &[] });
        assert_told(&predicate("deny_if", &condition), &[]);
    }
}

#[test]
fn a_policy_of_a_configuration_is_told_by_its_place_there() {
    let policy = document(r#""hide": ["a"], "tools": {"a": {}}"#);
    let text = format!(r#"{{"policies": {{"lab": {policy}}}, "routes": [{{"policy": "lab"}}]}}"#);
    assert_eq!(told(&text), [("unreachable-rule", "/policies/lab/tools/a".to_owned())]);
}

#[test]
fn what_is_shipped_raises_no_doubt() {
    let mut held = 0;
    for (path, text) in shipped() {
        held += 1;
        let expected: &[(&str, &str)] = match path.file_name().and_then(|name| name.to_str()) {
            // It shows that `hide` has no exceptions.
            Some("resources.yaml") => &[("unreachable-rule", "/resources/uris/file:~1~1~1srv~1secret~1*")],
            _ => &[],
        };
        let said = told(&text);
        let said: Vec<(&str, &str)> = said.iter().map(|(code, pointer)| (*code, pointer.as_str())).collect();
        assert!(said.is_empty() || said == expected, "{}: {said:?}\n{text}", path.display());
    }
    assert!(held >= 20, "{held}");
}

/// One condition on `args.x`.
fn condition() -> impl Strategy<Value = String> {
    let numbers = prop::sample::select(&["lt", "lte", "gt", "gte", "eq", "neq"][..]);
    let numbers = (numbers, 0..4_u8).prop_map(|(op, n)| (op, n.to_string()));
    let texts = prop::sample::select(&["eq", "neq", "starts_with", "ends_with", "contains", "regex"][..]);
    let texts = (texts, "[ab]{1,2}").prop_map(|(op, text)| (op, format!("{text:?}")));
    let lists = prop::sample::select(&["in", "not_in"][..]);
    let values = prop::sample::subsequence(vec!["0", "1", "2", r#""a""#, r#""ab""#, "true"], 1..4);
    let lists = (lists, values).prop_map(|(op, values)| (op, format!("[{}]", values.join(","))));
    let lengths = prop::sample::select(&["length_lte", "length_gte"][..]);
    let lengths = (lengths, 0..3_u8).prop_map(|(op, n)| (op, n.to_string()));
    let exists = Just(("exists", "true".to_owned()));
    let null = Just(("eq", "null".to_owned()));
    prop_oneof![numbers, texts, lists, lengths, exists, null]
        .prop_map(|(op, value)| format!(r#"{{"path": "args.x", "op": "{op}", "value": {value}}}"#))
}

proptest! {
    /// What is told to refuse every call, the filter refuses.
    #[test]
    fn no_call_passes_a_contradiction(one in condition(), other in condition()) {
        let policy = document(&predicate("require", &format!("{one}, {other}")));
        if told(&policy).iter().any(|(code, _)| *code == "contradiction") {
            let values = ["null", "true", "0", "0.5", "1", "2", "3", "9", r#""a""#, r#""b""#, r#""ab""#, r#""ba""#, r#""aab""#, "[]", r#"["a"]"#, r#"["a","b"]"#, "[1]", "{}"];
            for value in values {
                prop_assert_eq!(outcome(&policy, "t", &format!(r#"{{"x":{value}}}"#)).0, Outcome::Refused, "{} {}", value, policy);
            }
        }
    }

    /// What is told to refuse calls that lack the value, does so; and what is guarded is not told.
    #[test]
    fn an_unguarded_negation_refuses_what_is_missing(list in prop::sample::select(&["require", "deny_if"][..]), one in condition(), other in condition()) {
        let policy = document(&predicate(list, &format!("{one}, {other}")));
        if told(&policy).iter().any(|(code, _)| *code == "unguarded-negation") {
            prop_assert_eq!(outcome(&policy, "t", "{}").0, Outcome::Refused, "{}", policy);
        }
    }
}

#[test]
fn a_record_that_nothing_is_recorded_of_is_told() {
    let policy = r#"{"version": "1", "default": "deny", "tools": {"t": {"record": ["args.a"]}}, "all_tools": {"record": ["args.b"]}}"#;
    let with =
        |members: &str| told(&format!(r#"{{"policies": {{"p": {policy}}}, "routes": [{{"policy": "p"}}]{members}}}"#));
    let at = |pointer: &str| ("idle-record", pointer.to_owned());
    assert_eq!(with(""), [at("/policies/p/tools/t/record"), at("/policies/p/all_tools/record")]);
    assert_eq!(with(r#", "audit": {"digest_key": "0123456789abcdef0123456789abcdef"}"#), []);
    // A policy does not know where it will stand.
    assert_eq!(told(policy), []);
}

#[test]
fn the_documentation_says_what_every_warning_means() {
    let documentation = include_str!("../../../../docs/cli.md");
    for code in code::ALL {
        let line = format!("| `{}` | {} |", code.name, code.about);
        assert!(documentation.contains(&line), "{line}");
    }
}
