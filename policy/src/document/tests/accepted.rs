//! What each field comes to.

use std::time::Duration;

use super::{document, policy, tool};
use crate::document::condition::{Scalar, Test};
use crate::document::model::{Action, Default, Limit, Listing, Refund, Rule, Scope, Store};
use crate::document::path::{Root, Step};
use crate::quota::{CalendarUnit, Unit, Window};

fn rule(text: &str) -> Rule {
    policy(&tool(text)).tools.exact.remove("t").unwrap()
}

fn limit(text: &str) -> Limit {
    rule(&format!(r#"{{"limits": [{text}]}}"#)).limits.remove(0)
}

fn test(condition: &str) -> Test {
    let text = format!(r#"{{"deny_if": [{{"conditions": [{condition}]}}]}}"#);
    rule(&text).deny_if.remove(0).conditions.remove(0).test
}

/// Every field at once.
const WHOLE: &str = r#"{
  "version": "1",
  "description": "What agents may do in the lab.",
  "default": "deny",
  "hide": ["delete_*"],
  "all_tools": { "require": [], "deny_if": [], "limits": [] },
  "tools": {
    "get_run": {},
    "create_run": {
      "action": "allow",
      "require": [{ "conditions": [{ "path": "args.robot_ip", "op": "cidr", "value": "10.0.0.0/8" }],
                    "on_deny": "Only lab robots." }],
      "deny_if": [{ "conditions": [{ "path": "args.amount", "op": "gt", "value": 100 }], "on_deny": "Too much." }],
      "limits":  [{ "counter": "create_run_rate", "window": "minute", "max": 10, "scope": "grant" }],
      "rate_limit": "10/minute"
    },
    "home_*": { "action": "require_approval", "reason": "Ask the lab." }
  },
  "listing": "all",
  "resources": { "default": "deny", "hide": [], "uris":  { "file:///srv/lab/*": {} } },
  "prompts":   { "default": "allow", "hide": [], "names": { } },
  "methods":   { "elicitation/create": { "action": "deny" } }
}"#;

#[test]
fn a_policy_with_every_part_is_read() {
    let policy = policy(WHOLE);
    assert_eq!(policy.default, Default::Deny);
    assert_eq!(policy.listing, Listing::All);
    assert!(policy.tools.hide[0].matches("delete_run"));
    let rule = &policy.tools.exact["create_run"];
    assert_eq!(&*rule.pointer, "/tools/create_run");
    assert_eq!(rule.action, Action::Allow);
    assert_eq!(&*rule.require[0].pointer, "/tools/create_run/require/args.robot_ip-cidr");
    assert_eq!(rule.require[0].on_deny.as_deref(), Some("Only lab robots."));
    assert_eq!(&*rule.deny_if[0].pointer, "/tools/create_run/deny_if/args.amount-gt");
    assert_eq!(&*rule.limits[0].pointer, "/tools/create_run/limits/create_run_rate");
    assert_eq!(&*rule.limits[1].pointer, "/tools/create_run/rate_limit");
    assert_eq!(&*rule.limits[1].counter, "/tools/create_run");
    assert_eq!(policy.tools.globs[0].1.action, Action::RequireApproval { reason: Some("Ask the lab.".into()) });
    assert_eq!(&*policy.resources.globs[0].1.pointer, "/resources/uris/file:~1~1~1srv~1lab~1*");
    assert!(policy.resources.globs[0].0.matches("file:///srv/lab/a.csv"));
    assert_eq!(policy.prompts.default, Default::Allow);
    assert_eq!(policy.methods.exact["elicitation/create"].action, Action::Deny { reason: None });
    assert_eq!(policy.methods.default, Default::Deny);
}

#[test]
fn what_is_left_out_has_its_default() {
    let policy = policy(r#"{"version": "1", "default": "allow"}"#);
    assert_eq!(policy.resources.default, Default::Allow);
    assert_eq!(policy.prompts.default, Default::Allow);
    assert_eq!(policy.listing, Listing::All);
    let limit = limit(r#"{"counter": "c", "window": "hour", "max": 1}"#);
    assert_eq!((limit.scope, limit.store, limit.refund), (Scope::Grant, Store::Local, Refund::default()));
    assert_eq!((limit.unit, limit.window, limit.increment_from), (Unit::Calls, Window::HOUR, None));
    assert_eq!(rule("{}").action, Action::Allow);
    let policy = super::policy(
        r#"{"version": "1", "default": "allow", "resources": {"uris": {"a:b": {}}}, "prompts": {"default": "deny"}}"#,
    );
    assert_eq!((policy.resources.default, policy.prompts.default), (Default::Allow, Default::Deny));
}

#[test]
fn the_glob_with_most_literals_stands_first() {
    let policy = policy(&document(r#""tools": {"*": {}, "get_*": {}, "get_run*": {}, "get_runs": {}}"#));
    let globs: Vec<_> = policy.tools.globs.iter().map(|(glob, _)| glob.source()).collect();
    assert_eq!(globs, ["get_run*", "get_*", "*"]);
    assert!(policy.tools.exact.contains_key("get_runs"));
}

#[test]
fn an_escaped_wildcard_is_an_exact_name() {
    let policy = policy(&document(r#""tools": {"a\\*": {}}"#));
    assert_eq!(&*policy.tools.exact["a*"].pointer, "/tools/a\\*");
}

#[test]
fn uris_are_kept_in_normal_form() {
    let policy = policy(&document(
        r#""resources": {"hide": ["FILE:/etc/*"], "uris": {"HTTPS://Example.com/a?b=1": {}, "file://localhost/%61": {}}}"#,
    ));
    assert_eq!(
        policy.resources.exact.keys().map(|key| &**key).collect::<Vec<_>>(),
        ["file:///a", "https://example.com/a?b=1"]
    );
    assert!(policy.resources.hide[0].matches("file:///etc/passwd"));
}

#[test]
fn every_op_is_read() {
    let on = |op: &str, value: &str| test(&format!(r#"{{"path": "args.a", "op": "{op}", "value": {value}}}"#));
    assert!(matches!(on("eq", "null"), Test::Eq(Scalar::Null)));
    assert!(matches!(on("neq", "\"a\""), Test::Neq(Scalar::String(_))));
    assert!(matches!(on("lt", "1.5"), Test::Lt(1.5)));
    assert!(matches!(on("lte", "-1"), Test::Lte(-1.0)));
    assert!(matches!(on("gt", "1e3"), Test::Gt(1000.0)));
    assert!(matches!(on("gte", "0"), Test::Gte(0.0)));
    assert!(matches!(on("in", r#"["a", 1, true, null]"#), Test::In(list) if list.len() == 4));
    assert!(matches!(on("not_in", "[1]"), Test::NotIn(list) if list == [Scalar::Number(1.0)]));
    assert!(matches!(on("exists", "true"), Test::Exists));
    assert!(matches!(test(r#"{"path": "args.a", "op": "exists"}"#), Test::Exists));
    assert!(matches!(on("regex", r#""^a[0-9]+""#), Test::Regex(regex) if regex.is_match("a12b")));
    assert!(matches!(on("contains", "1"), Test::Contains(Scalar::Number(1.0))));
    assert!(matches!(on("starts_with", "\"a\""), Test::StartsWith(_)));
    assert!(matches!(on("ends_with", "\"a\""), Test::EndsWith(_)));
    assert!(matches!(on("cidr", r#"["10.0.0.0/8", "::1"]"#), Test::Cidr(list) if list.len() == 2));
    assert!(matches!(on("length_lte", "10.0"), Test::LengthLte(10)));
    assert!(matches!(on("length_gte", "0"), Test::LengthGte(0)));
}

#[test]
fn every_root_can_be_asked() {
    for condition in [
        r#"{"path": "args.list[*].x", "op": "eq", "value": 1}"#,
        r#"{"path": "identity.grant", "op": "starts_with", "value": "spiffe://lab/"}"#,
        r#"{"path": "identity.claims.groups", "op": "contains", "value": "robotics"}"#,
        r#"{"path": "request.headers.x-env", "op": "in", "value": ["dev", "test"]}"#,
        r#"{"path": "time.hour", "op": "gte", "value": 23}"#,
        r#"{"path": "time.weekday", "op": "in", "value": [1, 7]}"#,
    ] {
        test(condition);
    }
    let rule = rule(r#"{"require": [{"conditions": [{"path": "identity.claims.a.b", "op": "exists"}]}]}"#);
    let path = &rule.require[0].conditions[0].path;
    assert_eq!(
        (&path.root, path.steps.as_slice()),
        (&Root::Claims, &[Step::Key("a".into()), Step::Key("b".into())][..])
    );
}

#[test]
fn predicates_without_a_first_condition_are_reported_by_their_index() {
    let rule = rule(
        r#"{"deny_if": [{"conditions": [{"path": "args.a", "op": "eq", "value": 1}]}, {"conditions": []},
                        {"conditions": [{"path": "args.a", "op": "eq", "value": 2}]},
                        {"conditions": [{"path": "args[\"x/y\"]", "op": "exists"}]}]}"#,
    );
    let pointers: Vec<_> = rule.deny_if.iter().map(|predicate| &*predicate.pointer).collect();
    assert_eq!(
        pointers,
        [
            "/tools/t/deny_if/args.a-eq",
            "/tools/t/deny_if/1",
            "/tools/t/deny_if/args.a-eq#2",
            "/tools/t/deny_if/args[\"x~1y\"]-exists"
        ]
    );
}

#[test]
fn every_field_of_a_limit_is_read() {
    let limit = limit(
        r#"{"counter": "spend", "window": "30s", "max": 100.25, "scope": "claim:team", "align": "sliding",
            "increment_from": "args.items[0].price", "refund": ["unsent", "is_error"], "store": "local", "on_deny": "Broke."}"#,
    );
    assert_eq!(limit.window, Window::sliding(Duration::from_secs(30)).unwrap());
    assert_eq!((limit.unit, limit.max), (Unit::Millionths, 100_250_000));
    assert_eq!(limit.scope, Scope::Claim("team".into()));
    assert_eq!(&*limit.increment_from.unwrap().source, "args.items[0].price");
    assert_eq!(limit.refund, Refund { unsent: true, is_error: true, ..Refund::default() });
    assert_eq!(&*limit.on_deny, "Broke.");
}

#[test]
fn every_scope_window_and_refund_is_read() {
    let with = |members: &str| limit(&format!(r#"{{"counter": "c", "max": 1, {members}}}"#));
    for (scope, read) in [
        ("grant", Scope::Grant),
        ("session", Scope::Session),
        ("client_ip", Scope::ClientIp),
        ("global", Scope::Global),
        ("claim:a b", Scope::Claim("a b".into())),
        ("header:X-Tenant", Scope::Header("x-tenant".into())),
    ] {
        assert_eq!(with(&format!(r#""window": "day", "scope": "{scope}""#)).scope, read);
    }
    let month = with(r#""window": "month", "align": "calendar", "store": "global""#);
    assert_eq!((month.window, month.store), (Window::Calendar(CalendarUnit::Month), Store::Global));
    assert_eq!(with(r#""window": "minute", "align": "calendar""#).window, Window::Calendar(CalendarUnit::Minute));
    assert!(with(r#""window": "day", "refund": "unsent""#).refund.unsent);
    assert!(with(r#""window": "day", "refund": "upstream_5xx""#).refund.upstream_5xx);
    assert_eq!(with(r#""window": "day", "refund": "never""#).refund, Refund::default());
    assert!(with(r#""window": "day", "refund": ["jsonrpc_error"]"#).refund.jsonrpc_error);
}

#[test]
fn a_concurrency_is_a_limit_on_what_runs() {
    let read = |text: &str| rule(&format!(r#"{{"concurrency": {text}}}"#)).limits.remove(0);
    let least = read(r#"{"max": 2}"#);
    assert_eq!((least.window, least.max, &least.scope), (Window::Running, 2, &Scope::Grant));
    assert_eq!((&*least.counter, &*least.pointer), ("/tools/t", "/tools/t/concurrency"));
    assert_eq!(least.linger_ms, 60_000);
    assert_eq!(&*least.on_deny, "At most 2 of these may run at once. Try again when one has ended.");
    let all = read(r#"{"max": 3, "scope": "global", "counter": "runs", "linger": "5m", "on_deny": "Busy."}"#);
    assert_eq!((&all.scope, &*all.counter, all.linger_ms, &*all.on_deny), (&Scope::Global, "runs", 300_000, "Busy."));
    // A count within a time has nothing to do with one of what runs, whatever they are called.
    policy(&document(
        r#""all_tools": {"concurrency": {"max": 9, "counter": "c"}},
           "tools": {"a": {"concurrency": {"max": 2, "counter": "c"}, "limits": [{"counter": "c", "window": "day", "max": 5}]}}"#,
    ));
}

#[test]
fn numbers_that_a_control_plane_turned_into_doubles_are_still_whole() {
    let limit = limit(r#"{"counter": "c", "window": "minute", "max": 1.0e1}"#);
    assert_eq!(limit.max, 10);
    assert_eq!(
        super::policy(&tool(r#"{"rate_limit": {"max": 10.0, "window": 60.0}}"#)).tools.exact["t"].limits[0].max,
        10
    );
}

#[test]
fn rules_may_share_a_counter_that_they_mean_alike() {
    policy(&document(
        r#""all_tools": {"limits": [{"counter": "calls", "window": "minute", "max": 100}]},
           "tools": {
             "a": {"limits": [{"counter": "calls", "window": "60s", "max": 5},
                              {"counter": "calls", "window": "hour", "max": 9, "scope": "global"}]},
             "pay": {"limits": [{"counter": "spend", "window": "day", "max": 5, "increment_from": "args.amount"}]},
             "buy": {"limits": [{"counter": "spend", "window": "day", "max": 9, "increment_from": "args.price"}]}}"#,
    ));
}

#[test]
fn limits_of_one_rule_that_share_a_name_are_told_apart_by_scope() {
    let rule = rule(
        r#"{"limits": [{"counter": "c", "window": "hour", "max": 5},
                       {"counter": "c", "window": "hour", "max": 9, "scope": "claim:a/b"}]}"#,
    );
    let pointers: Vec<_> = rule.limits.iter().map(|limit| &*limit.pointer).collect();
    assert_eq!(pointers, ["/tools/t/limits/c", "/tools/t/limits/c-claim:a~1b"]);
}
