//! Documents of the shapes that PolicyLayer publishes, which must load and mean the same.

use super::policy;
use crate::document::model::{Action, Scope};
use crate::quota::Window;
use std::time::Duration;

#[test]
fn a_read_tool_is_an_empty_rule() {
    let policy = policy(r#"{"version": "1", "default": "deny", "tools": {"robot_health": {}}}"#);
    let rule = &policy.tools.exact["robot_health"];
    assert!(rule.action == Action::Allow && rule.limits.is_empty());
}

#[test]
fn a_write_tool_has_a_limit_per_grant() {
    let policy = policy(
        r#"{"version": "1", "default": "deny", "tools": {"set_run_tag": {"limits": [
            {"counter": "set_run_tag_rate", "window": "minute", "max": 30, "scope": "grant"}]}}}"#,
    );
    let limit = &policy.tools.exact["set_run_tag"].limits[0];
    assert_eq!((limit.window, limit.max, &limit.scope), (Window::MINUTE, 30, &Scope::Grant));
}

#[test]
fn a_destructive_tool_is_hidden() {
    let policy = policy(r#"{"version": "1", "default": "deny", "hide": ["delete_experiment"], "tools": {}}"#);
    assert!(policy.tools.hide[0].matches("delete_experiment"));
}

#[test]
fn a_star_hides_everything() {
    let policy = policy(r#"{"version": "1", "default": "allow", "hide": ["*"]}"#);
    assert!(policy.tools.hide[0].matches("anything"));
}

#[test]
fn a_financial_tool_is_denied_by_a_predicate_without_conditions() {
    let policy = policy(
        r#"{"version": "1", "default": "deny", "tools": {"transfer": {"deny_if": [
            {"conditions": [], "on_deny": "Somebody must approve this."}]}}}"#,
    );
    let predicate = &policy.tools.exact["transfer"].deny_if[0];
    assert!(predicate.conditions.is_empty());
    assert_eq!(predicate.on_deny.as_deref(), Some("Somebody must approve this."));
}

#[test]
fn empty_lists_stand_for_nothing() {
    policy(
        r#"{"version": "1", "default": "deny", "hide": [], "all_tools": {"limits": []},
            "tools": {"refund": {"require": [], "deny_if": [], "limits": []}}}"#,
    );
}

#[test]
fn arguments_are_required_and_refused_and_everything_is_capped() {
    let policy = policy(
        r#"{"version": "1", "default": "allow",
            "all_tools": {"limits": [{"counter": "all", "window": "day", "max": 500, "scope": "grant"}]},
            "tools": {"refund": {
              "require": [{"conditions": [{"path": "args.reason", "op": "exists", "value": true}], "on_deny": "Say why."}],
              "deny_if": [{"conditions": [{"path": "args.amount", "op": "gt", "value": 10000}], "on_deny": "Too much."},
                          {"conditions": [{"path": "args.currency", "op": "not_in", "value": ["eur", "usd"]}]}],
              "limits": [{"counter": "refunds", "window": "hour", "max": 20, "scope": "grant"},
                         {"counter": "refunded", "window": "day", "max": 50000, "scope": "grant",
                          "increment_from": "args.amount"}]}}}"#,
    );
    assert_eq!(policy.tools.exact["refund"].limits[1].max, 50_000_000_000);
    assert_eq!(policy.all_tools.limits[0].max, 500);
}

#[test]
fn older_spellings_mean_the_same() {
    let policy = policy(
        r#"{"version": "1", "default": "deny", "tools": {
            "delete_run": {"action": "deny", "reason": "Runs are kept."},
            "compare_runs": {"action": "allow"},
            "charge": {"action": "require_approval"},
            "set_run_tag": {"rate_limit": "30/hour"},
            "create_run": {"action": "allow", "rate_limit": {"max": 10, "window": 60}},
            "poll": {"rate_limit": "5/30s"}}}"#,
    );
    let tool = |name: &str| &policy.tools.exact[name];
    assert_eq!(tool("delete_run").action, Action::Deny { reason: Some("Runs are kept.".into()) });
    assert_eq!(tool("charge").action, Action::RequireApproval { reason: None });
    let rate = |name: &str| (tool(name).limits[0].max, tool(name).limits[0].window);
    assert_eq!(rate("set_run_tag"), (30, Window::HOUR));
    assert_eq!(rate("create_run"), (10, Window::MINUTE));
    assert_eq!(rate("poll"), (5, Window::sliding(Duration::from_secs(30)).unwrap()));
}

#[test]
fn an_empty_text_for_the_agent_is_none() {
    let policy = policy(
        r#"{"version": "1", "default": "deny", "tools": {"a": {"deny_if": [{"conditions": [], "on_deny": ""}]}}}"#,
    );
    assert_eq!(policy.tools.exact["a"].deny_if[0].on_deny, None);
}
