//! `mcp-policy replay`, as it is run: on records that are written here, and on those of the filter itself.

mod exact;
mod filter;

use std::{io::Write, path::Path};

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::common::{Ran, mcp_policy};

/// A file with this text.
fn file(text: impl ToString) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.to_string().as_bytes()).unwrap();
    file
}

/// Replays lines under a policy or configuration.
fn replay(policy: &Value, lines: &str, options: &[&str]) -> Ran {
    let policy = file(policy);
    let policy: &Path = policy.path();
    mcp_policy(&[&["replay", "--policy", policy.to_str().unwrap(), "-"], options].concat(), lines)
}

/// The report as JSON.
#[track_caller]
fn report(policy: &Value, lines: &str) -> Value {
    let ran = replay(policy, lines, &["--format", "json"]);
    assert_eq!((ran.status, ran.said.as_str()), (Some(0), ""), "{}", ran.out);
    serde_json::from_str(&ran.out).unwrap()
}

/// As recorded, refused otherwise, newly denied, newly allowed, undecidable.
#[track_caller]
fn counts(policy: &Value, lines: &str) -> [u64; 5] {
    let report = report(policy, lines);
    ["as_recorded", "refused_otherwise", "newly_denied", "newly_allowed", "undecidable"]
        .map(|count| report[count].as_u64().unwrap())
}

/// A record of one call, so many ms after the first.
fn line(ms: u64, call: Value) -> String {
    record(ms, json!([call]), json!({}))
}

/// A record of these calls, with these members besides.
fn record(ms: u64, calls: Value, members: Value) -> String {
    let time = format!("2026-11-26T18:{:02}:{:02}.{:03}Z", ms / 60_000, ms / 1000 % 60, ms % 1000);
    let mut record = json!({ "v": 1, "time": time, "clock_us": (5000 + ms) * 1000, "policies": [""], "grant": "9f", "calls": calls });
    record.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    record.to_string() + "\n"
}

/// An allowed call with what was recorded of it.
fn allowed(name: &str, values: Value) -> Value {
    json!({ "method": "tools/call", "name": name, "outcome": "allowed", "values": values })
}

fn denied(name: &str, rule: &str, values: Value) -> Value {
    json!({ "method": "tools/call", "name": name, "outcome": "denied", "rule": rule, "values": values })
}

fn tools(tools: Value) -> Value {
    json!({ "version": "1", "default": "deny", "tools": tools })
}

fn at_most(amount: u64) -> Value {
    tools(json!({ "charge": { "deny_if": [
        { "conditions": [{ "path": "args.amount", "op": "gt", "value": amount }] }
    ] } }))
}

#[test]
fn a_call_is_newly_denied_newly_allowed_or_as_recorded() {
    let lines = [
        line(0, allowed("charge", json!({ "args.amount": 5 }))),
        line(1, allowed("charge", json!({ "args.amount": 50 }))),
        line(2, denied("charge", "(default deny)", json!({ "args.amount": 5 }))),
        line(3, denied("charge", "/tools/charge/deny_if/args.amount-gt", json!({ "args.amount": 50 }))),
        line(4, denied("charge", "/elsewhere", json!({ "args.amount": 50 }))),
    ];
    assert_eq!(counts(&at_most(10), &lines.concat()), [2, 1, 1, 1, 0]);
}

#[test]
fn changes_are_told_by_tool_grant_and_rule_with_their_times() {
    let lines = [
        line(0, allowed("charge", json!({ "args.amount": 50 }))),
        line(61_000, allowed("charge", json!({ "args.amount": 51 }))),
        record(70_000, json!([allowed("charge", json!({ "args.amount": 52 }))]), json!({ "grant": "0a" })),
    ];
    let report = report(&at_most(10), &lines.concat());
    let became = json!({ "outcome": "denied", "rule": "/tools/charge/deny_if/args.amount-gt" });
    let change = |grant: &str, calls: u64, first: &str, last: &str| {
        json!({
            "change": "newly_denied", "name": "charge", "method": "tools/call", "grant": grant,
            "was": { "outcome": "allowed" }, "becomes": became, "needs": [], "calls": calls, "first": first, "last": last,
        })
    };
    let expected = [
        change("0a", 1, "2026-11-26T18:01:10.000Z", "2026-11-26T18:01:10.000Z"),
        change("9f", 2, "2026-11-26T18:00:00.000Z", "2026-11-26T18:01:01.000Z"),
    ];
    assert_eq!(report["changes"], json!(expected));
}

#[test]
fn what_depends_on_a_value_that_is_not_recorded_names_its_path() {
    let lines = line(0, allowed("charge", json!({})));
    let report = report(&at_most(10), &lines);
    assert_eq!((&report["undecidable"], &report["changes"][0]["needs"]), (&json!(1), &json!(["args.amount"])));
    let ran = replay(&at_most(10), &lines, &[]);
    let hint = "1  charge grant 9f: needs args.amount; add `\"record\": [\"args.amount\"]` to the rule\n";
    assert!(ran.out.contains(hint), "{}", ran.out);
}

#[test]
fn a_refusal_that_needs_no_unknown_value_is_decided() {
    let amount = json!({ "path": "args.amount", "op": "gt", "value": 10 });
    let ip = json!({ "path": "args.robot_ip", "op": "eq", "value": "10.0.0.1" });
    let policy = tools(json!({ "charge": {
        "require": [{ "conditions": [ip, amount] }], "deny_if": [{ "conditions": [amount] }],
    } }));
    // One condition of a `require` is false, whatever the other is.
    let elsewhere = line(0, allowed("charge", json!({ "args.robot_ip": "10.0.0.2" })));
    assert_eq!(counts(&policy, &elsewhere), [0, 0, 1, 0, 0]);
    // The tool is not there at all.
    assert_eq!(counts(&tools(json!({})), &line(0, allowed("charge", json!({})))), [0, 0, 1, 0, 0]);
    assert_eq!(counts(&policy, &line(0, allowed("charge", json!({ "args.robot_ip": "10.0.0.1" })))), [0, 0, 0, 0, 1]);
}

#[test]
fn absent_is_known_and_is_not_null() {
    let policy = tools(json!({ "t": { "deny_if": [
        { "conditions": [{ "path": "args.a", "op": "neq", "value": 1 }] }
    ] } }));
    let with = |values: Value, marks: Value| {
        line(0, json!({ "method": "tools/call", "name": "t", "outcome": "allowed", "values": values, "marks": marks }))
    };
    // Under `deny_if`, what is absent is not equal; null is wrong, which refuses too.
    assert_eq!(counts(&policy, &with(json!({}), json!({ "args.a": "absent" }))), [0, 0, 1, 0, 0]);
    assert_eq!(counts(&policy, &with(json!({ "args.a": null }), json!({}))), [0, 0, 1, 0, 0]);
    assert_eq!(counts(&policy, &with(json!({ "args.a": 1 }), json!({}))), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&policy, &with(json!({}), json!({ "args.a": "lookalike" }))), [0, 0, 1, 0, 0]);
    assert_eq!(counts(&policy, &with(json!({}), json!({ "args.a": "too_long" }))), [0, 0, 0, 0, 1]);
}

#[test]
fn limits_are_replayed_by_time_and_grant() {
    let policy = tools(json!({ "t": { "rate_limit": "1/minute" } }));
    let call = || json!([allowed("t", json!({}))]);
    let by = |grant: &str| json!({ "grant": grant });
    // Out of order, as an access log is.
    let lines = [
        record(90_000, call(), by("a")),
        record(0, call(), by("a")),
        record(10_000, call(), by("a")),
        record(20_000, call(), by("b")),
        record(21_000, call(), by("anonymous")),
    ];
    let report = report(&policy, &lines.concat());
    assert_eq!((&report["as_recorded"], &report["newly_denied"]), (&json!(4), &json!(1)));
    let change = &report["changes"][0];
    assert_eq!((&change["grant"], &change["first"]), (&json!("a"), &json!("2026-11-26T18:00:10.000Z")));
    assert_eq!(change["becomes"], json!({ "outcome": "limited", "rule": "/tools/t/rate_limit" }));
}

#[test]
fn sessions_addresses_headers_and_claims_are_counted_by_what_is_recorded() {
    let limit = |scope: &str| json!({ "counter": "c", "window": "minute", "max": 1, "scope": scope });
    let policy = |scope: &str| tools(json!({ "t": { "limits": [limit(scope)] } }));
    let two = |one: Value, other: Value| {
        let call = |values: &Value| json!([allowed("t", values["values"].clone())]);
        let members = |value: &Value| value["members"].as_object().cloned().unwrap_or_default().into();
        [record(0, call(&one), members(&one)), record(1000, call(&other), members(&other))].concat()
    };
    let member = |key: &str, value: &str| json!({ "values": {}, "members": { key: value } });
    let value = |path: &str, value: &str| json!({ "values": { path: value } });
    let digests = ["0123456789abcdef0000000000000000", "fedcba98765432100000000000000000"];
    for (scope, key) in [("session", "session"), ("client_ip", "client_ip")] {
        let [one, other] = digests.map(|digest| member(key, digest));
        assert_eq!(counts(&policy(scope), &two(one.clone(), other)), [2, 0, 0, 0, 0], "{scope}");
        assert_eq!(counts(&policy(scope), &two(one.clone(), one)), [1, 0, 1, 0, 0], "{scope}");
    }
    for (scope, path) in [("header:x-env", "request.headers.x-env"), ("claim:team", "identity.claims.team")] {
        let [one, other] = ["a", "b"].map(|text| value(path, text));
        assert_eq!(counts(&policy(scope), &two(one.clone(), other)), [2, 0, 0, 0, 0], "{scope}");
        assert_eq!(counts(&policy(scope), &two(one.clone(), one)), [1, 0, 1, 0, 0], "{scope}");
        let report = report(&policy(scope), &two(json!({ "values": {} }), json!({ "values": {} })));
        assert_eq!(report["changes"][0]["needs"], json!([path]));
    }
}

#[test]
fn a_call_that_may_have_passed_makes_the_next_of_its_counter_doubtful() {
    let mut policy = at_most(10);
    policy["tools"]["charge"]["rate_limit"] = "1/minute".into();
    let known = || allowed("charge", json!({ "args.amount": 5 }));
    let lines = [line(0, allowed("charge", json!({}))), line(1000, known()), line(120_000, known())];
    let report = report(&policy, &lines.concat());
    assert_eq!((&report["undecidable"], &report["as_recorded"]), (&json!(2), &json!(1)));
    assert_eq!(report["changes"][0]["needs"], json!(["(earlier calls that are undecidable)"]));
}

#[test]
fn a_call_of_whom_it_is_not_known_makes_the_counters_of_all_doubtful() {
    let limits = json!([{ "counter": "c", "window": "minute", "max": 1, "scope": "header:x-tenant" }]);
    let policy = tools(json!({ "a": { "limits": limits }, "b": { "limits": limits } }));
    let known = allowed("a", json!({ "request.headers.x-tenant": "t" }));
    for unknown in [
        line(0, allowed("b", json!({}))),
        record(0, json!([allowed("a", json!({ "request.headers.x-tenant": "t" }))]), json!({ "more": 1 })),
        line(0, json!({ "method": "tools/call", "withheld": "name", "outcome": "allowed" })),
    ] {
        let lines = [unknown, line(1000, known.clone()), line(120_000, known.clone())].concat();
        assert_eq!(counts(&policy, &lines), [1, 0, 0, 0, 2], "{lines}");
    }
}

#[test]
fn an_amount_that_is_not_recorded_is_asked_for() {
    let limit = json!({ "counter": "c", "window": "day", "max": 10, "increment_from": "args.amount" });
    let policy = tools(json!({ "t": { "limits": [limit] } }));
    assert_eq!(counts(&policy, &line(0, allowed("t", json!({})))), [0, 0, 0, 0, 1]);
    let lines: String = (0..3).map(|ms| line(ms, allowed("t", json!({ "args.amount": 4.5 })))).collect();
    assert_eq!(counts(&policy, &lines), [2, 0, 1, 0, 0]);
}

#[test]
fn a_batch_is_judged_whole() {
    let batch = record(0, json!([allowed("a", json!({})), allowed("b", json!({}))]), json!({}));
    assert_eq!(counts(&tools(json!({ "a": {}, "b": {} })), &batch), [2, 0, 0, 0, 0]);
    let report = report(&tools(json!({ "a": {} })), &batch);
    assert_eq!(report["newly_denied"], 2);
    assert_eq!(report["changes"][0]["becomes"], json!({ "outcome": "denied", "rule": "(batch)" }));
}

#[test]
fn a_record_finds_its_policies_by_their_names() {
    let one = tools(json!({ "t": {} }));
    let none = tools(json!({}));
    let with = |routes: Value| json!({ "policies": { "base": one, "lab": none, "other": one }, "routes": routes });
    let call = |names: Value| record(0, json!([allowed("t", json!({}))]), json!({ "policies": names }));
    let routes = json!([{ "host": "a", "policy": ["base", "other"] }, { "policy": ["base", "lab"] }]);
    assert_eq!(counts(&with(routes.clone()), &call(json!(["base", "other"]))), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&with(routes.clone()), &call(json!(["base", "lab"]))), [0, 0, 1, 0, 0]);
    // A route that has it and more, if there is one such list.
    assert_eq!(counts(&with(routes.clone()), &call(json!(["lab"]))), [0, 0, 1, 0, 0]);
    assert_eq!(counts(&with(routes.clone()), &call(json!(["base"]))), [0, 0, 0, 0, 1]);
    assert_eq!(counts(&with(routes), &call(json!(["gone"]))), [0, 0, 0, 0, 1]);
    // What no policy covered, no policy can let pass.
    let uncovered = record(0, json!([denied("t", "(no policy)", json!({}))]), json!({ "policies": [] }));
    assert_eq!(counts(&one, &uncovered), [1, 0, 0, 0, 0]);
}

#[test]
fn records_are_found_in_the_lines_of_access_logs() {
    let record = line(0, allowed("t", json!({})));
    let record = record.trim();
    let lines = format!(
        "-\n\n{record}\n{}\n{}\n{}\nnot json\n{{\"v\":1,\"calls\":[]}}\n",
        json!({ "code": 200, "mcp": record }),
        json!({ "attributes": { "mcp": serde_json::from_str::<Value>(record).unwrap() } }),
        json!({ "code": 200, "mcp": null }),
    );
    let ran = replay(&tools(json!({ "t": {} })), &lines, &["--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&report["calls"], &report["damaged_lines"], ran.status), (&json!(3), &json!(2), Some(0)));
    assert!(ran.said.starts_with("warning: <stdin>:7: not a record: "), "{}", ran.said);
    let ran = replay(&tools(json!({})), &lines, &["--fail-on", "damaged"]);
    assert_eq!(ran.status, Some(1));
}

#[test]
fn without_any_record_it_fails() {
    for lines in ["", "-\n", "damaged\n"] {
        let ran = replay(&tools(json!({})), lines, &[]);
        assert_eq!((ran.status, ran.out.as_str()), (Some(1), ""), "{lines}");
        assert!(ran.said.contains("there is no record"), "{}", ran.said);
    }
}

#[test]
fn it_fails_for_what_it_is_told_to_fail_for() {
    let lines = line(0, allowed("charge", json!({ "args.amount": 50 })));
    let status = |what: &str| replay(&at_most(10), &lines, &["--fail-on", what]).status;
    assert_eq!(status("newly-denied"), Some(1));
    assert_eq!(status("newly-allowed,newly-denied"), Some(1));
    assert_eq!(status("newly-allowed,undecidable,damaged"), Some(0));
    assert_eq!(status("anything"), Some(2));
}

#[test]
fn sliding_windows_go_by_the_time_of_day_where_clocks_are_of_several_machines() {
    let policy = tools(json!({ "t": { "rate_limit": "1/minute" } }));
    let at = |ms: u64, clock_us: u64| record(ms, json!([allowed("t", json!({}))]), json!({ "clock_us": clock_us }));
    // By these clocks the second call came an hour after the first, or before it.
    for other in [3_600_000_000, 1] {
        assert_eq!(counts(&policy, &[at(0, 5_000_000), at(1000, other)].concat()), [1, 0, 1, 0, 0], "{other}");
    }
}

#[test]
fn a_call_that_needs_approval_is_newly_denied() {
    let policy = tools(json!({ "t": { "action": "require_approval" } }));
    let report = report(&policy, &line(0, allowed("t", json!({}))));
    assert_eq!(report["changes"][0]["becomes"], json!({ "outcome": "approval_required", "rule": "/tools/t" }));
}

#[test]
fn resources_and_prompts_are_judged_by_what_is_recorded_of_them() {
    let policy = |resources: Value| {
        json!({
            "version": "1", "default": "allow", "resources": resources, "prompts": { "names": { "p": { "action": "deny" } } },
        })
    };
    let reading =
        |member: &str, value: &str| line(0, json!({ "method": "resources/read", member: value, "outcome": "allowed" }));
    let some = policy(json!({ "uris": { "file:///srv/*": { "action": "deny" } } }));
    assert_eq!(counts(&some, &reading("uri", "file:///srv/../srv/a")), [0, 0, 1, 0, 0]);
    assert_eq!(counts(&some, &reading("uri", "file:///home/a")), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&some, &reading("withheld", "uri")), [0, 0, 0, 0, 1]);
    // Where no URI is told from another, it need not be known.
    assert_eq!(counts(&policy(json!({})), &reading("withheld", "uri")), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&policy(json!({ "default": "deny" })), &reading("withheld", "uri")), [0, 0, 1, 0, 0]);
    let prompt = |method: &str, name: &str| line(0, json!({ "method": method, "name": name, "outcome": "allowed" }));
    for method in ["prompts/get", "completion/complete"] {
        assert_eq!(counts(&some, &prompt(method, "p")), [0, 0, 1, 0, 0], "{method}");
        assert_eq!(counts(&some, &prompt(method, "q")), [1, 0, 0, 0, 0], "{method}");
    }
    let several =
        line(0, json!({ "method": "subscriptions/listen", "uris": ["a:b", "file:///srv/a"], "outcome": "allowed" }));
    assert_eq!(counts(&some, &several), [0, 0, 1, 0, 0]);
}

#[test]
fn what_did_not_fit_into_a_record_is_not_guessed() {
    let policy = tools(json!({ "a": {} }));
    let more = |name: &str| record(0, json!([allowed(name, json!({}))]), json!({ "more": 3 }));
    assert_eq!(counts(&policy, &more("a")), [0, 0, 0, 0, 1]);
    // One that is refused takes its batch with it.
    assert_eq!(counts(&policy, &more("b")), [0, 0, 1, 0, 0]);
    let long =
        line(0, json!({ "method": "tools/call", "withheld": "name", "outcome": "denied", "rule": "(default deny)" }));
    assert_eq!(counts(&policy, &long), [0, 0, 0, 0, 1]);
}

#[test]
fn what_records_cannot_say_of_limits_is_said() {
    let refunds = json!({ "counter": "c", "window": "minute", "max": 1, "refund": ["upstream_5xx"] });
    let policy = tools(json!({ "t": { "limits": [refunds] } }));
    let two = [line(0, allowed("t", json!({}))), line(1, allowed("t", json!({})))].concat();
    let of_refunds = report(&policy, &two);
    assert_eq!((&of_refunds["as_recorded"], &of_refunds["undecidable"]), (&json!(1), &json!(1)));
    assert_eq!(of_refunds["changes"][0]["needs"], json!(["(what was given back)"]));

    let of_running = report(&tools(json!({ "t": { "concurrency": { "max": 1 } } })), &two);
    assert_eq!(of_running["as_recorded"], 2);
    assert!(of_running["notes"][0].as_str().unwrap().starts_with("2 bodies come under `concurrency`"));
    let limited = json!({ "method": "tools/call", "name": "t", "outcome": "limited", "rule": "/tools/t/concurrency" });
    assert_eq!(
        counts(&tools(json!({ "t": { "concurrency": { "max": 1 } } })), &line(0, limited.clone())),
        [1, 0, 0, 0, 0]
    );

    // It was limited, by calls that came before the first record or by a limit that is gone: nobody knows.
    let limit = tools(json!({ "t": { "rate_limit": "1/minute" } }));
    assert_eq!(
        report(&limit, &line(0, limited.clone()))["changes"][0]["needs"],
        json!(["(calls before the first record)"])
    );
    assert_eq!(counts(&tools(json!({ "t": {} })), &line(0, limited)), [0, 0, 0, 1, 0]);
}

#[test]
fn one_policy_in_the_place_of_several_is_said_to_be_that() {
    let call = |call: Value| record(0, json!([call]), json!({ "policies": ["base", "lab"] }));
    let policy = tools(json!({ "t": {} }));
    let passed = report(&policy, &call(allowed("t", json!({}))));
    assert_eq!(passed["as_recorded"], 1);
    assert!(passed["notes"][0].as_str().unwrap().contains("several policies"));
    // The other one may refuse it still.
    let refused = report(&policy, &call(denied("t", "(default deny)", json!({}))));
    assert_eq!(refused["changes"][0]["needs"], json!(["(the route's other policies)"]));
}

#[test]
fn what_a_lock_or_no_body_could_be_judged_by_stays_what_it_was() {
    let lines = [
        line(0, denied("t", "(changed definition)", json!({}))),
        record(1, json!([]), json!({ "refused": { "status": 400, "why": "w" } })),
    ];
    assert_eq!(counts(&tools(json!({ "t": {} })), &lines.concat()), [1, 0, 0, 0, 0]);
}
