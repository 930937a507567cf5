//! Caps within windows: never more than `max`, on however many workers.

use std::time::Duration;

use host_test::Stream;
use serde_json::{Value, json};

use crate::lab::{Lab, call, is_forwarded, tools};

/// One limit on `create_run`.
fn limited(limit: Value) -> Value {
    tools(json!({"create_run": {"limits": [limit]}}))
}

fn ten_a_minute() -> Value {
    limited(json!({"counter": "runs", "window": "minute", "max": 10}))
}

/// What a refused call is told.
#[track_caller]
fn refusal(lab: &Lab, stream: &Stream) -> (u64, u64) {
    let meta = lab.assert_denied(stream, "");
    (meta["retry_after_ms"].as_u64().expect("retry_after_ms"), meta["remaining"].as_u64().expect("remaining"))
}

fn admitted(lab: &Lab, calls: usize) -> usize {
    (0..calls).filter(|_| lab.admits("create_run")).count()
}

#[test]
fn the_call_after_the_last_is_refused_with_the_rule_and_the_wait() {
    let lab = Lab::new(&ten_a_minute());
    assert_eq!(admitted(&lab, 10), 10);
    let stream = lab.call("create_run");
    let meta = lab.assert_denied(&stream, "");
    assert_eq!(meta["rule"], "/tools/create_run/limits/runs");
    assert_eq!(meta["remaining"], 0);
    let wait = meta["retry_after_ms"].as_u64().unwrap();
    // A sliding window of a minute, in cells of a fifteenth of it.
    assert!((60_000..=64_000).contains(&wait), "{wait}");
}

#[test]
fn the_wait_that_is_told_is_exact_to_the_millisecond() {
    let lab = Lab::new(&ten_a_minute());
    for _ in 0..10 {
        assert!(lab.admits("create_run"));
        lab.advance(Duration::from_millis(777));
    }
    let (wait, _) = refusal(&lab, &lab.call("create_run"));
    lab.advance(Duration::from_millis(wait - 1));
    assert_eq!(refusal(&lab, &lab.call("create_run")).0, 1);
    lab.advance(Duration::from_millis(1));
    assert!(lab.admits("create_run"));
}

#[test]
fn no_span_of_the_window_holds_more_than_the_maximum() {
    let lab = Lab::new(&limited(json!({"counter": "runs", "window": "30s", "max": 5})));
    let mut admissions: Vec<u64> = vec![];
    // Steps of a size that fits neither window nor cells.
    for step in 0..400_u64 {
        let now = step * 313;
        if lab.admits("create_run") {
            admissions.push(now);
        }
        lab.advance(Duration::from_millis(313));
    }
    for &end in &admissions {
        let within = admissions.iter().filter(|&&at| at <= end && at + 30_000 > end).count();
        assert!(within <= 5, "{within} within 30 s before {end}");
    }
    assert!(admissions.len() >= 15, "it keeps admitting: {}", admissions.len());
}

#[test]
fn the_wall_clock_does_not_move_sliding_windows() {
    let lab = Lab::new(&ten_a_minute());
    assert_eq!(admitted(&lab, 11), 10);
    lab.set_wall_clock(lab.wall_clock() + 3_600_000_000_000);
    assert!(!lab.admits("create_run"));
    lab.turn_wall_clock_back(Duration::from_secs(7200));
    assert!(!lab.admits("create_run"));
    lab.advance_monotonic(Duration::from_secs(64));
    assert!(lab.admits("create_run"));
}

#[test]
fn a_calendar_window_begins_again_at_the_boundary() {
    let lab = Lab::new(&limited(json!({"counter": "runs", "window": "hour", "align": "calendar", "max": 2})));
    // The wall clock begins at midnight.
    lab.advance(Duration::from_secs(3599));
    assert_eq!(admitted(&lab, 3), 2);
    let (wait, _) = refusal(&lab, &lab.call("create_run"));
    assert_eq!(wait, 1000);
    lab.advance(Duration::from_millis(999));
    assert!(!lab.admits("create_run"));
    lab.advance(Duration::from_millis(1));
    assert_eq!(admitted(&lab, 3), 2);
}

#[test]
fn a_limit_of_nothing_admits_nothing() {
    let lab = Lab::new(&limited(json!({"counter": "runs", "window": "day", "max": 0})));
    assert!(!lab.admits("create_run"));
    lab.advance(Duration::from_secs(200_000));
    let meta = lab.assert_denied(&lab.call("create_run"), "");
    assert_eq!(meta.get("retry_after_ms"), None, "no wait helps");
}

#[test]
fn rate_limit_is_short_for_one_limit_per_rule() {
    let lab = Lab::new(&tools(json!({
        "get_*": {"rate_limit": "2/minute"}, "list_runs": {"rate_limit": {"max": 1, "window": 60}}})));
    // The tools of one glob share it.
    assert!(lab.admits("get_run") && lab.admits("get_runs"));
    assert_eq!(lab.assert_denied(&lab.call("get_robot"), "")["rule"], "/tools/get_*/rate_limit");
    assert!(lab.admits("list_runs"));
    assert!(!lab.admits("list_runs"));
}

#[test]
fn workers_share_one_count() {
    let lab = Lab::on_workers(2, &ten_a_minute());
    let send = |worker: usize| {
        is_forwarded(&crate::lab::Request::post().send(&lab.worker(worker), call("create_run", &json!({}))))
    };
    assert_eq!((0..6).filter(|_| send(0)).count(), 6);
    assert_eq!((0..6).filter(|_| send(1)).count(), 4);
    assert!(!send(0));
}

#[test]
fn workers_that_call_at_once_are_admitted_exactly_to_the_maximum() {
    const WORKERS: usize = 8;
    let lab = Lab::on_workers(WORKERS, &limited(json!({"counter": "runs", "window": "minute", "max": 37})));
    let body = call("create_run", &json!({}));
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS)
            .map(|index| {
                let (worker, body) = (lab.worker(index), &body);
                scope.spawn(move || {
                    (0..40).filter(|_| is_forwarded(&crate::lab::Request::post().send(&worker, body))).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 37, "uncounted: {}", lab.metric("uncounted"));
    assert_eq!(lab.metric("allowed"), 37);
}

#[test]
fn all_limits_are_taken_or_none() {
    let lab = Lab::new(&tools(json!({
        "create_run": {"limits": [
            {"counter": "a", "window": "hour", "max": 3},
            {"counter": "b", "window": "minute", "max": 1}]},
        "only_a": {"limits": [{"counter": "a", "window": "hour", "max": 3}]},
    })));
    assert!(lab.admits("create_run"));
    // Refused by `b`: `a` keeps what it has.
    for _ in 0..5 {
        assert_eq!(lab.assert_denied(&lab.call("create_run"), "")["rule"], "/tools/create_run/limits/b");
    }
    assert!(lab.admits("only_a") && lab.admits("only_a"));
    assert_eq!(lab.assert_denied(&lab.call("only_a"), "")["rule"], "/tools/only_a/limits/a");
}

#[test]
fn limits_of_different_scopes_are_taken_or_none() {
    let lab = Lab::new(&tools(json!({
        "create_run": {"limits": [
            {"counter": "mine", "window": "hour", "max": 5},
            {"counter": "all", "window": "hour", "max": 2, "scope": "global"}]},
        "only_mine": {"limits": [{"counter": "mine", "window": "hour", "max": 5}]},
    })));
    assert_eq!(admitted(&lab, 6), 2);
    assert_eq!((0..6).filter(|_| lab.admits("only_mine")).count(), 3);
}

#[test]
fn limits_of_all_tools_count_every_call_together() {
    let lab = Lab::new(&json!({"version": "1", "default": "allow",
        "all_tools": {"limits": [{"counter": "all", "window": "minute", "max": 2}]}, "tools": {"get_run": {}}}));
    assert!(lab.admits("get_run") && lab.admits("unnamed"));
    assert_eq!(lab.assert_denied(&lab.call("get_run"), "")["rule"], "/all_tools/limits/all");
}

#[test]
fn a_counter_that_a_tool_and_all_tools_name_is_added_to_once() {
    let limit = json!([{"counter": "c", "window": "minute", "max": 4}]);
    let lab = Lab::new(&json!({"version": "1", "default": "deny",
        "all_tools": {"limits": limit}, "tools": {"create_run": {"limits": limit}}}));
    assert_eq!(admitted(&lab, 9), 4);
}

#[test]
fn what_is_denied_or_waits_for_approval_is_not_counted() {
    let limits = json!([{"counter": "c", "window": "minute", "max": 1}]);
    let lab = Lab::new(&tools(json!({
        "create_run": {"limits": limits},
        "home_robot": {"limits": limits, "action": "require_approval"},
        "charge": {"limits": limits, "deny_if": [{"conditions": [{"path": "args.x", "op": "exists"}]}]},
    })));
    for _ in 0..3 {
        lab.assert_denied(&lab.call("home_robot"), "");
        lab.assert_denied(&lab.post(call("charge", &json!({"x": 1}))), "");
        lab.assert_denied(&lab.call("unnamed"), "");
    }
    assert!(lab.admits("create_run"));
    // Used up: nobody needs to be asked any more.
    assert_eq!(lab.assert_denied(&lab.call("home_robot"), "")["rule"], "/tools/home_robot/limits/c");
}

#[test]
fn an_amount_is_counted_in_exact_millionths() {
    let lab = Lab::new(&tools(json!({"charge": {"limits": [
        {"counter": "spent", "window": "day", "max": 1, "increment_from": "args.amount"}]}})));
    let charge = |amount: Value| lab.post(call("charge", &json!({"amount": amount})));
    // Ten times 0.1 is 1: no more and no less.
    assert_eq!((0..12).filter(|_| is_forwarded(&charge(json!(0.1)))).count(), 10);
    assert!(!is_forwarded(&charge(json!(0.000001))));
    assert!(is_forwarded(&charge(json!(0))), "nothing can always be added");
    lab.advance(Duration::from_secs(100_000));
    assert!(is_forwarded(&charge(json!(0.999999))));
    lab.assert_denied(&charge(json!(0.000002)), "");
    assert!(is_forwarded(&charge(json!(0.000001))));
}

#[test]
fn an_amount_that_is_not_clear_denies() {
    let lab = Lab::new(&tools(json!({"charge": {"limits": [
        {"counter": "spent", "window": "day", "max": 100, "increment_from": "args.amount"}]}})));
    for amount in ["-1", "\"1\"", "null", "true", "[1]", "{}", "0.0000001", "1e-7", "-0.5", "1e400"] {
        let params = format!(r#"{{"name":"charge","arguments":{{"amount":{amount}}}}}"#);
        let stream = lab.post(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#));
        assert!(!is_forwarded(&stream) && stream.forwarded().text().is_empty(), "{amount}");
    }
    lab.assert_denied(&lab.call("charge"), "");
    // Nothing of all that was counted.
    assert!(is_forwarded(&lab.post(call("charge", &json!({"amount": 100})))));
}

#[test]
fn what_is_left_is_told() {
    let lab = Lab::new(&tools(json!({"charge": {"limits": [
        {"counter": "spent", "window": "day", "max": 10, "increment_from": "args.amount"}]}})));
    let charge = |amount: u32| lab.post(call("charge", &json!({"amount": amount})));
    assert!(is_forwarded(&charge(7)));
    let meta = lab.assert_denied(&charge(4), "");
    // In the unit that the policy writes.
    assert_eq!(meta["remaining"].as_f64(), Some(3.0), "{meta}");
    assert!(is_forwarded(&charge(3)));
}
