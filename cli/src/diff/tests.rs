//! What is said of two policies.

use proptest::prelude::*;

use super::*;
use crate::testing::outcome;

fn changes(old: &str, new: &str) -> Vec<Change> {
    let load = |text: &str| policy::config::load(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    configuration::compare(&load(old), &load(new))
}

fn document(members: &str) -> String {
    format!(r#"{{"version": "1", "default": "deny", {members}}}"#)
}

fn lines(old: &str, new: &str) -> Vec<String> {
    let line = |change: Change| format!("{} {}: {}", change.mark.word(), change.about, change.what);
    changes(old, new).into_iter().map(line).collect()
}

/// Holds what is said of the members of two policies, and that the reverse is said the other way round.
fn assert_said(old: &str, new: &str, expected: &[&str]) {
    let (old, new) = (document(old), document(new));
    assert_eq!(lines(&old, &new), expected, "{old}\n{new}");
    assert_eq!(swapped(&changes(&old, &new)), marks(&changes(&new, &old)), "{old}\n{new}");
}

#[test]
fn what_is_recorded_is_told_and_changes_nothing_of_what_passes() {
    assert_said(
        r#""tools": {"t": {"record": ["args.a", "args.b"]}}, "all_tools": {}"#,
        r#""tools": {"t": {"record": ["args[\"b\"]", "args.c"]}}, "all_tools": {"record": ["identity.claims.team"]}"#,
        &[
            "changed tool `t`: records `args.c`, did not",
            "changed tool `t`: does not record `args.a` any more",
            "changed all tools: records `identity.claims.team`, did not",
        ],
    );
    let policy = document(r#""tools": {}"#);
    let with = |members: &str| format!(r#"{{"policies": {{"p": {policy}}}, "routes": [{{"policy": "p"}}]{members}}}"#);
    let audit = with(r#", "audit": {"digest_key": "0123456789abcdef0123456789abcdef"}"#);
    assert_eq!(lines(&with(""), &audit), ["changed audit: is set otherwise"]);
}

fn marks(changes: &[Change]) -> Vec<(String, &'static str)> {
    let mut marks: Vec<_> = changes.iter().map(|change| (change.about.clone(), change.mark.word())).collect();
    marks.sort();
    marks
}

fn swapped(changes: &[Change]) -> Vec<(String, &'static str)> {
    let swap = |mark: &'static str| match mark {
        "loosened" => "tightened",
        "tightened" => "loosened",
        other => other,
    };
    let mut marks: Vec<_> = marks(changes).into_iter().map(|(about, mark)| (about, swap(mark))).collect();
    marks.sort();
    marks
}

fn tool(rule: &str) -> String {
    format!(r#""tools": {{"t": {rule}}}"#)
}

fn conditions(list: &str, conditions: &str) -> String {
    tool(&format!(r#"{{"{list}": [{{"conditions": [{conditions}]}}]}}"#))
}

#[test]
fn a_tool_that_is_named_newly_is_loosened_under_default_deny() {
    assert_said(r#""tools": {}"#, &tool("{}"), &["loosened tool `t`: allowed, was denied by default"]);
    assert_said(
        r#""tools": {}"#,
        &tool(r#"{"rate_limit": "10/minute"}"#),
        &["loosened tool `t`: allowed, with 10 per minute for each grant, was denied by default"],
    );
    assert_said(r#""tools": {}"#, &tool(r#"{"action": "deny"}"#), &["changed tool `t`: denied, was denied by default"]);
}

#[test]
fn hiding_is_tightening_only_where_something_passed() {
    assert_said(&tool("{}"), r#""hide": ["t"]"#, &["tightened tool `t`: hidden, was allowed"]);
    assert_said(r#""hide": []"#, r#""hide": ["t*"]"#, &["changed tools `t*`: hidden, was denied by default"]);
    assert_said(
        &tool("{}"),
        r#""hide": ["t*"]"#,
        &["tightened tool `t`: hidden, was allowed", "changed tools `t*`: hidden, was denied by default"],
    );
}

#[test]
fn limits_are_compared_where_one_is_surely_stricter() {
    let limit = |text: &str| tool(&format!(r#"{{"limits": [{{"counter": "c", {text}}}]}}"#));
    let ten = limit(r#""window": "minute", "max": 10"#);
    for (other, mark) in [
        (r#""window": "minute", "max": 5"#, "tightened"),
        (r#""window": "hour", "max": 10"#, "tightened"),
        (r#""window": "second", "max": 20"#, "loosened"),
        (r#""window": "hour", "max": 20"#, "changed"),
        (r#""window": "minute", "max": 10, "scope": "global""#, "tightened"),
        (r#""window": "minute", "max": 10, "scope": "session""#, "changed"),
        (r#""window": "minute", "max": 10, "refund": "unsent""#, "loosened"),
        (r#""window": "minute", "max": 10, "align": "calendar""#, "changed"),
        (r#""window": "minute", "max": 5, "increment_from": "args.n""#, "changed"),
        (r#""window": "minute", "max": 10, "on_deny": "Wait.""#, "changed"),
    ] {
        let said = lines(&document(&ten), &document(&limit(other)));
        assert!(matches!(said.as_slice(), [line] if line.starts_with(mark)), "{other}: {said:?}");
        assert_said(&ten, &limit(other), &said.iter().map(String::as_str).collect::<Vec<_>>());
    }
    assert_said(&ten, &tool("{}"), &["loosened tool `t`: no limit `c` any more: it was 10 per minute for each grant"]);
}

#[test]
fn conditions_are_compared_by_what_meets_them() {
    let condition = |op: &str, value: &str| format!(r#"{{"path": "args.x", "op": "{op}", "value": {value}}}"#);
    for (op, old, new, require, deny_if) in [
        ("lt", "5", "6", "loosened", "tightened"),
        ("gt", "5", "6", "tightened", "loosened"),
        ("in", r#"["a"]"#, r#"["a", "b"]"#, "loosened", "tightened"),
        ("in", r#"["a"]"#, r#"["a", 1]"#, "loosened", "changed"),
        ("not_in", r#"["a"]"#, r#"["a", "b"]"#, "tightened", "loosened"),
        ("not_in", r#"["a"]"#, r#"["a", 1]"#, "changed", "changed"),
        ("cidr", r#""10.0.0.0/8""#, r#"["10.0.0.0/8", "192.168.0.0/16"]"#, "loosened", "tightened"),
        ("starts_with", r#""/srv/""#, r#""/srv/lab/""#, "tightened", "loosened"),
        ("length_lte", "5", "6", "loosened", "tightened"),
        ("regex", r#""^a$""#, r#""^b$""#, "changed", "changed"),
        ("eq", "1", "2", "changed", "changed"),
    ] {
        for (list, mark) in [("require", require), ("deny_if", deny_if)] {
            let (old, new) = (conditions(list, &condition(op, old)), conditions(list, &condition(op, new)));
            let said = lines(&document(&old), &document(&new));
            assert!(matches!(said.as_slice(), [line] if line.starts_with(mark)), "{list} {op}: {said:?}");
            assert_said(&old, &new, &said.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
    let said = "tightened tool `t`: now requires `args.x lt 5`";
    assert_said(&tool("{}"), &conditions("require", &condition("lt", "5")), &[said]);
}

#[test]
fn what_is_said_to_be_looser_lets_through_what_passed() {
    assert_said(
        &tool("{}"),
        &tool(r#"{"action": "require_approval"}"#),
        &["tightened tool `t`: needs approval, did not"],
    );
    assert_said(
        r#""tools": {"*": {"rate_limit": "1/minute"}}"#,
        r#""tools": {"*": {"rate_limit": "1/minute"}, "t": {}}"#,
        &["loosened tool `t`: no limit `rate_limit` any more: it was 1 per minute for each grant"],
    );
    assert_said(
        r#""listing": "all""#,
        r#""listing": "allowed""#,
        &[
            "changed listing: lists leave out what would be denied, and a call to it is answered like one to a hidden tool",
        ],
    );
    assert_said(
        r#""methods": {"elicitation/create": {"action": "deny"}}"#,
        r#""methods": {}"#,
        &["changed method `elicitation/create`: without a rule, was denied"],
    );
}

#[test]
fn a_schema_is_told_by_whether_it_is_there_and_whether_it_is_the_same() {
    let (one, other) = (r#"{"schema": {"maxProperties": 1}}"#, r#"{"schema": {"maxProperties": 2}}"#);
    let same = r#"{"schema": {"title": "Words do not count.", "maxProperties": 1.0}}"#;
    assert_said(&tool("{}"), &tool(one), &["tightened tool `t`: the arguments must match a schema"]);
    assert_said(&tool(one), &tool("{}"), &["loosened tool `t`: the arguments need match no schema any more"]);
    assert_said(&tool(one), &tool(other), &["changed tool `t`: the schema of the arguments is another one"]);
    assert_said(&tool(one), &tool(r#"{"schema": false}"#), &["tightened tool `t`: denied, was allowed, with a schema"]);
    assert_said(&tool(one), &tool(same), &[]);
    let digest = "0".repeat(64);
    let with_lock = |rule: &str| {
        format!(
            r#"{{"policies": {{"p": {}}}, "routes": [{{"policy": "p", "lock": "l"}}],
            "locks": {{"l": {{"version": "1", "tools": {{"t": {{"sha256": "{digest}", "inputSchema": {{}}}}}}}}}}}}"#,
            document(&tool(rule))
        )
    };
    for (old, new, said) in [
        ("{}", r#"{"schema": "from_lock"}"#, "the arguments must match the lock's schema"),
        (one, r#"{"schema": "from_lock"}"#, "the schema of the arguments is the lock's, was the policy's"),
        (r#"{"schema": "from_lock"}"#, one, "the schema of the arguments is the policy's, was the lock's"),
    ] {
        let lines = lines(&with_lock(old), &with_lock(new));
        assert!(matches!(lines.as_slice(), [line] if line.ends_with(said)), "{lines:?}");
    }
    assert!(lines(&with_lock(r#"{"schema": "from_lock"}"#), &with_lock(r#"{"schema": "from_lock"}"#)).is_empty());
}

#[test]
fn a_default_is_told_for_everything_that_it_decides() {
    let (deny, allow) = (document(r#""tools": {}"#), document(r#""tools": {}"#).replace("\"deny\"", "\"allow\""));
    let said = ["tools", "resources", "prompts"]
        .map(|what| format!("loosened {what} that no rule names: allowed, were denied"));
    let mut said = said.to_vec();
    said.push("loosened methods that nothing else judges: allowed, were denied".to_owned());
    assert_eq!(lines(&deny, &allow), said);
}

#[test]
fn what_has_no_words_is_still_different() {
    let predicate = |path: &str| format!(r#"{{"conditions": [{{"path": "args.{path}", "op": "exists"}}]}}"#);
    let rule = |a: &str, b: &str| tool(&format!(r#"{{"require": [{}, {}]}}"#, predicate(a), predicate(b)));
    let said = "changed the policy: differs in the order of what it says, or in what no call comes to";
    assert_said(&rule("a", "b"), &rule("b", "a"), &[said]);
}

#[test]
fn policies_and_settings_of_a_configuration_are_told_by_name() {
    let around = |policy: &str, settings: &str| {
        format!(r#"{{"policies": {{"lab": {policy}}}, "routes": [{{"policy": "lab"}}]{settings}}}"#)
    };
    let (old, new) = (document(&tool("{}")), document(r#""hide": ["t"]"#));
    assert_eq!(
        lines(&around(&old, ""), &around(&new, r#", "mode": "observe", "max_depth": 32"#)),
        [
            "loosened mode: `observe`: nothing is refused any more",
            "changed max_depth: is set otherwise",
            "tightened policy `lab`: tool `t`: hidden, was allowed",
        ]
    );
}

/// Members of a policy, from parts that interact.
fn policies() -> impl Strategy<Value = String> {
    let limit = (
        prop::sample::select(&["minute", "hour"][..]),
        0..3_u8,
        prop::sample::select(&["grant", "global"][..]),
    )
        .prop_map(|(window, max, scope)| {
            format!(
                r#"{{"limits": [{{"counter": "c{window}", "window": "{window}", "max": {max}, "scope": "{scope}"}}]}}"#
            )
        });
    let predicate =
        (prop::sample::select(&["require", "deny_if"][..]), prop::sample::select(&["lt", "gt"][..]), 0..3_u8).prop_map(
            |(list, op, value)| {
                format!(r#"{{"{list}": [{{"conditions": [{{"path": "args.x", "op": "{op}", "value": {value}}}]}}]}}"#)
            },
        );
    let plain = prop::sample::select(
        &[
            "{}",
            r#"{"action": "deny"}"#,
            r#"{"action": "require_approval"}"#,
            r#"{"deny_if": [{}]}"#,
            r#"{"rate_limit": "1/day"}"#,
        ][..],
    );
    let rule = prop_oneof![limit, predicate, plain.prop_map(str::to_owned)];
    let names = &["a", "ab", "a*", "*", "*bc", "abc"][..];
    let rules = prop::collection::btree_map(prop::sample::select(names), rule, 0..4);
    let hide = prop::sample::subsequence(vec!["a", "a*", "b", "*c"], 0..3);
    (prop::bool::ANY, hide, rules).prop_map(|(allow, hide, rules)| {
        let rules: Vec<String> = rules.into_iter().map(|(name, rule)| format!(r#""{name}": {rule}"#)).collect();
        let default = if allow { "allow" } else { "deny" };
        format!(r#"{{"version": "1", "default": "{default}", "hide": {hide:?}, "tools": {{{}}}}}"#, rules.join(", "))
    })
}

proptest! {
    /// Where all changes point one way, no call of many gets further the other way.
    #[test]
    fn the_filter_decides_as_it_is_marked(old in policies(), new in policies()) {
        let changes = changes(&old, &new);
        let only = |mark: Mark| changes.iter().all(|change| change.mark == mark);
        for name in ["a", "ab", "abc", "b", "bc", "c", "xbc"] {
            for arguments in ["{}", r#"{"x":0}"#, r#"{"x":1}"#, r#"{"x":2}"#, r#"{"x":"1"}"#] {
                let (before, after) = (outcome(&old, name, arguments), outcome(&new, name, arguments));
                if only(Mark::Loosened) {
                    prop_assert!(before.0 <= after.0, "{} {} {:?}", name, arguments, changes);
                }
                if only(Mark::Tightened) {
                    prop_assert!(before.0 >= after.0, "{} {} {:?}", name, arguments, changes);
                }
                if changes.is_empty() {
                    prop_assert_eq!(&before, &after);
                }
            }
        }
    }

    #[test]
    fn a_policy_does_not_differ_from_itself(policy in policies()) {
        prop_assert_eq!(changes(&policy, &policy), []);
    }

    #[test]
    fn the_reverse_is_marked_the_other_way_round(old in policies(), new in policies()) {
        prop_assert_eq!(swapped(&changes(&old, &new)), marks(&changes(&new, &old)));
        let differs = old != new;
        prop_assert_eq!(differs, !changes(&old, &new).is_empty());
    }
}
