//! What is told of a policy that is held against tools.

use super::*;

pub(super) const TOOLS: &str = r#"[
    {"name": "get_run", "inputSchema": {"type": "object", "required": ["run_id"], "properties": {
        "run_id": {"type": "string"}, "view": {"anyOf": [{"type": "object"}]},
        "list": {"type": "array", "items": {"type": "object", "properties": {"x": {}}}}}}},
    {"name": "get_runs", "inputSchema": {"type": "object", "additionalProperties": true, "properties": {}}},
    {"name": "delete_run"}, {"name": "dropTable"}, {"name": "odd name"}]"#;

fn assert_told_of_tools(document: &str, expected: &[(&str, &str)]) {
    assert_told_of_list(TOOLS, document, expected);
}

fn assert_told_of_list(tools: &str, document: &str, expected: &[(&str, &str)]) {
    let offered = Offered::of(tools);
    let said = told_with(document, Some(&offered));
    let said: Vec<(&str, &str)> = said.iter().map(|(code, pointer)| (*code, pointer.as_str())).collect();
    assert_eq!(said, expected, "{document}");
}

#[test]
fn names_are_held_against_the_tools_that_there_are() {
    assert_told_of_tools(
        &document(
            r#""hide": ["purge_*", "delete_rum", "d*"], "tools": {"get_rum": {}, "fetch_*": {}, "*": {}, "odd name": {}}"#,
        ),
        &[
            ("idle-hide", "/hide/0"),
            ("unknown-tool", "/hide/1"),
            ("unknown-tool", "/tools/get_rum"),
            ("unknown-tool", "/tools/fetch_*"),
        ],
    );
}

#[test]
fn tools_that_nothing_names_are_told() {
    assert_told_of_tools(&document(r#""tools": {"get_*": {}}"#), &[("denied-by-default", "/default")]);
    let allow = document(r#""tools": {"get_*": {}}"#).replace("\"deny\"", "\"allow\"");
    assert_told_of_tools(&allow, &[("destructive-default", "/default"), ("unnamed-tool", "/default")]);
    let envelope = |other: &str| {
        format!(r#"{{"policies": {{"a": {allow}, "b": {other}}}, "routes": [{{"policy": ["a", "b"]}}]}}"#)
    };
    assert_told_of_tools(&envelope(r#"{"version": "1", "default": "deny"}"#), &[]);
    let both = [("destructive-default", "/policies"), ("unnamed-tool", "/policies")];
    assert_told_of_tools(&envelope(r#"{"version": "1", "default": "allow"}"#), &both);
}

#[test]
fn arguments_are_held_against_input_schemas() {
    let tool = |tool: &str, path: &str| {
        document(&format!(
            r#""hide": ["d*", "odd name"], "tools": {{"{tool}": {{"require": [{{"conditions": [{{"path": "{path}", "op": "exists"}}]}}]}}, "get_*": {{}}}}"#
        ))
    };
    let unknown = |tool: &str| format!("/tools/{tool}/require/0/conditions/0/path");
    for (path, known) in [
        ("args.run_id", true),
        ("args.runid", false),
        ("args.view.anything", true),
        ("args.list[*].x", true),
        ("args.list[*].y", false),
        ("identity.claims.runid", true),
    ] {
        let pointer = unknown("get_run");
        let expected = [("unknown-argument", pointer.as_str())];
        assert_told_of_tools(&tool("get_run", path), if known { &[] } else { &expected });
    }
    // Its schema says that there may be more.
    assert_told_of_tools(&tool("get_runs", "args.runid"), &[]);
    // The schema says that no call lacks it.
    let negation = |path: &str| tool("get_run", path).replace(r#""exists""#, r#""neq", "value": "x""#);
    assert_told_of_tools(&negation("args.run_id"), &[]);
    assert_told_of_tools(&negation("args.view"), &[("unguarded-negation", "/tools/get_run/require/0/conditions/0")]);
}

/// Two tools that take a path, one that takes none, and one that does not say what it takes.
const FILES: &str = r#"[
    {"name": "read_file", "inputSchema": {"type": "object", "properties": {"path": {}}}},
    {"name": "read_part", "inputSchema": {"type": "object", "properties": {"path": {}, "size": {}}}},
    {"name": "read_time", "inputSchema": {"type": "object", "properties": {}}},
    {"name": "read_all", "inputSchema": {"type": "object", "additionalProperties": false}},
    {"name": "read_any", "inputSchema": {"type": "object", "additionalProperties": true}},
    {"name": "read_more", "inputSchema": {"type": "object"}}, {"name": "read_what"}]"#;

#[test]
fn an_argument_that_only_some_tools_of_a_rule_have_is_told() {
    let (refuses, passes) = (Some("refuses-without-argument"), Some("passes-without-argument"));
    let path = |op: &str| format!(r#"{{"path": "args.path", "op": "{op}"}}"#);
    let exists = path("exists");
    let regex = path("regex").replace('}', r#", "value": "^/srv/"}"#);
    let neq = path("neq").replace('}', r#", "value": "/etc"}"#);
    let hour = r#"{"path": "time.hour", "op": "gt", "value": 6}"#;
    for (list, conditions, code) in [
        ("require", regex.clone(), refuses),
        ("require", format!("{hour}, {regex}"), refuses),
        ("deny_if", regex.clone(), passes),
        ("deny_if", format!("{hour}, {regex}"), passes),
        ("deny_if", format!("{exists}, {regex}"), None),
        ("deny_if", exists.clone(), None),
        ("deny_if", format!("{hour}, {exists}, {neq}"), None),
        ("require", hour.to_owned(), None),
    ] {
        let index = conditions
            .split(", {")
            .position(|condition| condition.contains("args.path") && !condition.contains("exists"));
        for (rules, rule) in [
            (r#""tools": {"read_*": RULE}"#, "/tools/read_*"),
            (r#""all_tools": RULE, "tools": {"*": {}}"#, "/all_tools"),
        ] {
            let predicate = format!(r#"{{"{list}": [{{"conditions": [{conditions}]}}]}}"#);
            let at = format!("{rule}/{list}/0/conditions/{}/path", index.unwrap_or_default());
            let expected: Vec<(&str, &str)> = code.iter().map(|code| (*code, at.as_str())).collect();
            assert_told_of_list(FILES, &document(&rules.replace("RULE", &predicate)), &expected);
        }
    }
    let exact = format!(r#""tools": {{"read_file": {{"require": [{{"conditions": [{regex}]}}]}}, "*": {{}}}}"#);
    assert_told_of_list(FILES, &document(&exact), &[]);
    let amount =
        r#""tools": {"*": {"limits": [{"counter": "c", "window": "day", "max": 9, "increment_from": "args.size"}]}}"#;
    let expected = [("refuses-without-argument", "/tools/*/limits/0/increment_from")];
    assert_told_of_list(FILES, &document(amount), &expected);
    // What is denied anyway is not what the rule is for.
    let regex = format!(
        r#""all_tools": {{"require": [{{"conditions": [{regex}]}}]}}, "tools": {{"read_file": {{}}, "read_part": {{}}, "*": {{"action": "deny"}}}}"#
    );
    assert_told_of_list(FILES, &document(&regex), &[]);
}

/// What is told to be refused or unchecked, the filter refuses or passes.
#[test]
fn a_call_without_the_argument_is_judged_as_it_is_told() {
    for (list, judged) in [("require", Outcome::Refused), ("deny_if", Outcome::Passes)] {
        let policy = document(&predicate(list, r#"{"path": "args.path", "op": "regex", "value": "^/srv/"}"#));
        assert_eq!(outcome(&policy, "t", "{}").0, judged, "{list}");
    }
}
