//! What a replay says against what the filter does: the same requests go through one filter with the old policy, whose
//! records are replayed under the new one, and through another with the new policy.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    counts,
    filter::{Recording, Request},
    report,
};

fn predicates() -> Vec<(&'static str, Value)> {
    let one = |path: &str, op: &str, value: Value| json!([{ "path": path, "op": op, "value": value }]);
    vec![
        ("require", one("args.robot_ip", "cidr", json!("10.0.0.0/8"))),
        ("require", one("request.headers.x-env", "eq", json!("lab"))),
        ("require", one("args.items[0].price", "lte", json!(8))),
        ("require", one("identity.claims.team", "neq", json!("b"))),
        ("require", one("args.items[*].price", "lt", json!(9))),
        ("deny_if", one("args.amount", "gt", json!(10))),
        (
            "deny_if",
            json!([
                { "path": "args.amount", "op": "gt", "value": 3 }, { "path": "args.mode", "op": "eq", "value": "fast" },
                { "path": "request.headers.x-env", "op": "eq", "value": "lab" },
            ]),
        ),
        ("deny_if", one("args.items[*].price", "gt", json!(5))),
        ("deny_if", one("args.deep.er.x", "exists", json!(true))),
        ("deny_if", one("args.deep", "neq", json!("x"))),
        ("deny_if", one("identity.claims.roles[*]", "eq", json!("root"))),
        ("deny_if", one("identity.claims.nest.x", "eq", json!(1))),
        ("deny_if", one("identity.grant", "exists", json!(true))),
        ("deny_if", one("identity.grant", "eq", json!("ada"))),
        ("deny_if", one("args.mode", "length_gte", json!(5))),
        ("deny_if", one("time.hour", "gte", json!(1))),
    ]
}

fn limits() -> Vec<Value> {
    vec![
        json!({ "counter": "c1", "window": "10s", "max": 3 }),
        json!({ "counter": "c2", "window": "minute", "max": 4, "scope": "session" }),
        json!({ "counter": "c3", "window": "day", "align": "calendar", "max": 40, "increment_from": "args.amount", "scope": "global" }),
        json!({ "counter": "c4", "window": "minute", "max": 5, "scope": "header:x-env" }),
        json!({ "counter": "c5", "window": "minute", "max": 5, "scope": "claim:team" }),
        json!({ "counter": "c6", "window": "minute", "max": 4, "scope": "client_ip" }),
        json!({ "counter": "c7", "window": "minute", "max": 5, "refund": ["unsent"] }),
    ]
}

const PATHS: [&str; 14] = [
    "args.robot_ip",
    "args.amount",
    "args.mode",
    "args.items[*].price",
    "args.items[0].price",
    "args.items",
    "args.deep",
    "args.deep.er.x",
    "identity.claims.team",
    "identity.claims.roles[*]",
    "identity.claims.roles",
    "identity.claims.nest.x",
    "identity.claims.nest",
    "request.headers.x-env",
];

/// Some of these predicates and limits, with some paths that are recorded.
fn policy(of: Vec<(&'static str, Value)>, counting: Vec<Value>) -> impl Strategy<Value = Value> {
    let some_predicates = prop::sample::subsequence(of, 0..4);
    let some_limits = prop::sample::subsequence(counting, 0..3);
    let some_paths = prop_oneof![Just(PATHS.to_vec()), prop::sample::subsequence(PATHS.to_vec(), 1..PATHS.len()),];
    (some_predicates, some_limits, some_paths, any::<bool>()).prop_map(|(predicates, limits, paths, shared)| {
        let mut rule = json!({ "require": [], "deny_if": [], "limits": limits });
        for (list, conditions) in predicates {
            rule[list].as_array_mut().unwrap().push(json!({ "conditions": conditions }));
        }
        let everything = json!({ "record": paths });
        let (rule, all) = if shared { (json!({}), [rule, everything]) } else { (rule, [everything, json!({})]) };
        let mut all_tools = all[0].clone();
        all_tools.as_object_mut().unwrap().extend(all[1].as_object().unwrap().clone());
        json!({
            "version": "1", "default": "deny", "hide": ["hidden_*"], "all_tools": all_tools,
            "tools": { "use_*": rule, "ask_*": { "action": "require_approval" }, "free_*": {} },
        })
    })
}

fn any_policy() -> impl Strategy<Value = Value> {
    policy(predicates(), limits())
}

/// A policy that looks only at what records say where all is recorded: not at who the grant is, at `mode`, which may be too
/// long, and at what was given back.
fn knowable() -> impl Strategy<Value = Value> {
    let says = |value: &Value, words: &[&str]| words.iter().any(|word| value.to_string().contains(word));
    let mut predicates = predicates();
    predicates.retain(|(_, conditions)| !says(conditions, &["ada", "args.mode"]));
    let mut limits = limits();
    limits.retain(|limit| !says(limit, &["refund"]));
    policy(predicates, limits)
}

/// Arguments, as JSON: in most, every value is of the kind that rules expect.
fn arguments() -> impl Strategy<Value = String> {
    let number = || prop::sample::select(vec!["1", "4", "9", "12", "2.50", "1e1", "0.0000001"]);
    let odd = || prop::sample::select(vec!["null", "\"5\"", "true", "[]", "{}", "123456789012345678901", "-1"]);
    let amount = || prop_oneof![6 => number(), 1 => odd()];
    let ip =
        prop::sample::select(vec!["\"10.0.0.1\"", "\"10.0.0.1\"", "\"10.0.0.1\"", "\"8.8.8.8\"", "7", "\"010.0.0.1\""]);
    let mode = prop_oneof![
        Just("\"fast\"".to_owned()),
        Just("\"slow\"".to_owned()),
        Just(" [ 1, \"a b\" ]".to_owned()),
        Just(format!("\"{}\"", "x".repeat(600))),
    ];
    let item = prop_oneof![
        6 => amount().prop_map(|price| format!("{{\"price\":{price}}}")),
        1 => Just("{}".to_owned()), 1 => Just("7".to_owned()), 1 => Just("{\"price\":1,\"Price\":2}".to_owned()),
    ];
    let items = prop_oneof![
        6 => prop::collection::vec(item, 0..4).prop_map(|items| format!("[{}]", items.join(","))), 1 => Just("3".to_owned())
    ];
    let deep = prop::sample::select(vec![
        "{}",
        "{\"er\":{\"x\":null}}",
        "{\"er\":{\"x\":[1]}}",
        "\"x\"",
        "{\"er\":{\"X\":1}}",
    ]);
    let all = (
        prop::option::weighted(0.9, ip),
        prop::option::weighted(0.9, amount()),
        prop::option::weighted(0.5, mode),
        prop::option::weighted(0.7, items),
        prop::option::weighted(0.4, deep),
    );
    (all, prop::option::weighted(0.05, prop::sample::select(vec!["Amount", "amount\\u0000", "DEEP", "items2"])))
        .prop_map(|((ip, amount, mode, items, deep), other)| {
            let text = |value: Option<&'static str>| value.map(str::to_owned);
            let known = [
                ("robot_ip", text(ip)),
                ("amount", text(amount)),
                ("mode", mode),
                ("items", items),
                ("deep", text(deep)),
            ];
            let mut members: Vec<String> =
                known.into_iter().filter_map(|(key, value)| Some(format!("\"{key}\": {}", value?))).collect();
            members.extend(other.map(|key| format!("\"{key}\": 1")));
            format!("{{{}}}", members.join(", "))
        })
}

fn request() -> impl Strategy<Value = Request> {
    let wait = prop::sample::select(vec![0, 0, 1, 700, 4_000, 9_999, 20_000, 61_000, 1_800_000]);
    let headers = (
        prop::sample::select(vec![
            vec![],
            vec![("x-key", "ada")],
            vec![("x-key", "bob")],
            vec![("x-key", "a"), ("x-key", "b")],
        ]),
        prop::sample::select(vec![
            vec![],
            vec![("x-env", "lab")],
            vec![("x-env", "lab")],
            vec![("x-env", "other")],
            vec![("x-env", "lab"), ("x-env", "lab")],
        ]),
        prop::sample::select(vec![vec![], vec![("mcp-session-id", "s1")], vec![("mcp-session-id", "s2")]]),
    );
    let claims = prop::option::of(prop::sample::select(vec![
        json!({ "team": "a", "roles": ["user"], "nest": { "x": 1 } }),
        json!({ "team": "b", "roles": ["user", "root"], "nest": { "X": 1 } }),
        json!({ "team": ["a"], "roles": "root", "nest": 5 }),
        json!({ "team": null, "roles": [], "nest": {} }),
    ]));
    let address = prop::sample::select(vec!["192.0.2.1:99", "192.0.2.2:99", "[2001:db8::1]:99"]);
    let tool = prop::sample::select(vec!["use", "use", "use", "use", "use", "ask", "free", "other", "hidden"]);
    let calls = prop_oneof![
        5 => prop::collection::vec((tool.clone(), arguments()), 1..2), 1 => prop::collection::vec((tool, arguments()), 2..4)
    ];
    (wait, headers, claims, address, calls).prop_map(|(wait, headers, claims, address, calls)| Request {
        wait: Duration::from_millis(wait),
        headers: [headers.0, headers.1, headers.2].concat(),
        claims,
        address,
        calls: calls.into_iter().map(|(tool, arguments)| (tool.to_owned(), arguments)).collect(),
    })
}

/// Requests whose calls each have a name of their own.
fn requests() -> impl Strategy<Value = Vec<Request>> {
    prop::collection::vec(request(), 1..40).prop_map(|mut requests| {
        let calls = requests.iter_mut().flat_map(|request| &mut request.calls).enumerate();
        calls.for_each(|(number, (name, _))| *name = format!("{name}_{number}"));
        requests
    })
}

/// What a record says of each call: whether it passed.
fn passed(record: &str) -> Vec<(String, bool)> {
    let record: Value = serde_json::from_str(record).unwrap();
    let calls = record["calls"].as_array().unwrap().iter();
    calls.map(|call| (call["name"].as_str().unwrap().to_owned(), call["outcome"] == "allowed")).collect()
}

/// The configuration in which the policy has the name that records give it.
fn configuration(policy: &Value) -> Value {
    json!({ "policies": { "p": policy }, "routes": [{ "policy": "p" }] })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_decided_is_what_the_filter_does(old in any_policy(), new in any_policy(), requests in requests()) {
        let (recording, judging) = (Recording::of(&old), Recording::of(&new));
        let mut lines = String::new();
        let (mut before, mut after) = (vec![], BTreeMap::new());
        for request in &requests {
            let record = recording.send(request);
            before.extend(passed(&record));
            after.extend(passed(&judging.send(request)));
            lines.push_str(&record);
        }
        let report = report(&configuration(&new), &lines);
        let changes = report["changes"].as_array().unwrap();
        for (name, before) in &before {
            let change = changes.iter().find(|change| change["name"] == name.as_str());
            let expected = match change.map(|change| change["change"].as_str().unwrap()) {
                Some("newly_denied") => (true, false),
                Some("newly_allowed") => (false, true),
                Some(_) => continue,
                None => (*before, *before),
            };
            prop_assert_eq!((*before, after[name]), expected, "{}: {:#}\n{}", name, report, lines);
        }
    }

    #[test]
    fn under_the_same_policy_nothing_changes(mut policy in knowable(), requests in requests()) {
        policy["all_tools"]["record"] = json!(PATHS);
        let recording = Recording::of(&policy);
        let lines: String = requests.iter().map(|request| recording.send(request)).collect();
        let calls = requests.iter().map(|request| request.calls.len() as u64).sum();
        prop_assert_eq!(counts(&configuration(&policy), &lines), [calls, 0, 0, 0, 0], "{}", lines);
    }
}
