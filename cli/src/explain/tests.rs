//! What is explained is what is decided.

use policy::{
    config,
    decision::{Decision, Effort, judge},
    message,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{caller::Caller, explain, watch::Step};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-3..4_i64).prop_map(Value::from),
        Just(json!(1e300)),
        Just(json!(9_007_199_254_740_993_u64)),
        "[ab]{0,2}".prop_map(Value::from),
        prop::collection::vec(0..3_i64, 0..3).prop_map(Value::from),
        (0..3_i64).prop_map(|value| json!({ "a": value, "A": value })),
        (0..3_i64).prop_map(|value| json!({ "a": value })),
    ]
}

const PATHS: &[&str] =
    &["args.a", "args.b", "args.a[*]", "args.a.a", "identity.grant", "identity.claims.t", "request.headers.x"];

fn condition() -> impl Strategy<Value = Value> {
    let tests = prop_oneof![
        Just(json!({ "op": "exists" })),
        ("[ab]{0,2}").prop_map(|text| json!({ "op": "eq", "value": text })),
        ("[ab]{0,2}").prop_map(|text| json!({ "op": "neq", "value": text })),
        ("[ab]{0,2}").prop_map(|text| json!({ "op": "in", "value": [text, "c"] })),
        Just(json!({ "op": "regex", "value": "a" })),
        Just(json!({ "op": "length_lte", "value": 1 })),
    ];
    (prop::sample::select(PATHS), tests).prop_map(|(path, mut test)| {
        test["path"] = path.into();
        test
    })
}

fn predicates(least: usize) -> impl Strategy<Value = Vec<Value>> {
    let conditions = prop::collection::vec(condition(), least..3);
    prop::collection::vec(conditions.prop_map(|conditions| json!({ "conditions": conditions })), 0..3)
}

fn rule() -> impl Strategy<Value = Value> {
    let checked =
        (predicates(1), predicates(0), any::<[bool; 2]>()).prop_map(|(require, deny_if, [limit, approval])| {
            let mut rule = json!({ "require": require, "deny_if": deny_if });
            if limit {
                rule["limits"] = json!([{ "counter": "c", "window": "minute", "max": 9, "increment_from": "args.a" }]);
            }
            if approval {
                rule["action"] = "require_approval".into();
            }
            rule
        });
    prop_oneof![8 => checked, 1 => Just(json!({ "action": "deny", "reason": "no" })), 1 => Just(json!({}))]
}

fn policy() -> impl Strategy<Value = Value> {
    let words = (prop::sample::select(&["allow", "deny"][..]), prop::sample::select(&["all", "allowed"][..]));
    let hide = prop::sample::subsequence(vec!["t1", "u*"], 0..=2);
    let rules = prop::collection::btree_map(prop::sample::select(&["t1", "t2", "t*", "*"][..]), rule(), 0..4);
    (words, hide, rules, predicates(1), predicates(0)).prop_map(
        |((default, listing), hide, tools, require, deny_if)| {
            json!({ "version": "1", "default": default, "listing": listing, "hide": hide, "tools": tools,
            "all_tools": { "require": require, "deny_if": deny_if } })
        },
    )
}

fn call() -> impl Strategy<Value = Value> {
    let arguments = prop::collection::btree_map(prop::sample::select(&["a", "A", "b", "c"][..]), value(), 0..4);
    (prop::sample::select(&["t1", "t2", "t3", "u1", "v"][..]), arguments).prop_map(|(name, arguments)| {
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": name, "arguments": arguments } })
    })
}

fn caller() -> impl Strategy<Value = Caller> {
    let word = || prop::option::of("[ab]{1,2}");
    (word(), word(), prop::collection::vec("[ab]{1,2}", 0..3)).prop_map(|(grant, claim, headers)| {
        let mut words = vec!["explain".to_owned()];
        words.extend(grant.iter().flat_map(|grant| ["--grant".to_owned(), grant.clone()]));
        words.extend(claim.iter().map(|claim| format!("--claim=t={claim}")));
        words.extend(headers.iter().map(|value| format!("--header=x: {value}")));
        Caller::of(&options(&words)).unwrap()
    })
}

fn options(words: &[String]) -> super::caller::Options {
    #[derive(clap::Parser)]
    struct Only {
        #[command(flatten)]
        options: super::caller::Options,
    }
    <Only as clap::Parser>::parse_from(words).options
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_explained_is_what_is_decided(policy in policy(), call in call(), caller in caller()) {
        let config = config::load(policy.to_string().as_bytes());
        // Too many that do not load would fail the test.
        prop_assume!(config.is_ok());
        let config = config.unwrap();
        let text = call.to_string();
        let explained = explain(&config, text.as_bytes(), &caller).unwrap();
        let message = message::read(text.as_bytes(), 64).unwrap();
        let (_, policy) = &config.policies[0];
        let decision =
            judge(policy, message.method().unwrap(), message.params().unwrap(), None, &caller, &Effort::default());
        let (outcome, rule) = match &decision {
            Decision::Allow(_) => ("allowed", None),
            Decision::Approve(refusal, _) => ("approval required", Some(refusal.rule)),
            Decision::Refuse(refusal) => (
                if refusal.kind == policy::decision::RefusalKind::Hidden { "hidden" } else { "denied" },
                Some(refusal.rule),
            ),
        };
        let decided = &explained.decision;
        prop_assert_eq!((decided.outcome, decided.rule.as_deref()), (outcome, rule));

        // The steps lead there: the last one that refuses is the rule that decides, and there is none where the call passes.
        let steps = &explained.policies[0].steps;
        let refuses = steps.iter().filter_map(|step| match step {
            Step::Predicate { rule, refuses: true, .. } | Step::Limit { rule, takes: None, .. } => Some(rule.as_str()),
            _ => None,
        });
        let refuses: Vec<&str> = refuses.collect();
        match &decision {
            Decision::Refuse(refusal) if refuses.is_empty() => {
                let early = steps.iter().any(|step| matches!(
                    step,
                    Step::Hidden { hidden: true, .. } | Step::Action { action: "deny" } | Step::Rule { rule: None, .. }
                ));
                prop_assert!(early, "{:?} after {:?}", refusal, steps);
            }
            Decision::Refuse(refusal) => prop_assert_eq!(refuses, vec![refusal.rule]),
            _ => prop_assert!(refuses.is_empty(), "{:?}", steps),
        }
        if let Decision::Allow(takings) | Decision::Approve(_, takings) = &decision {
            let taken = steps.iter().filter(|step| matches!(step, Step::Limit { .. })).count();
            prop_assert_eq!(taken, takings.len());
        }
    }
}
