//! How far conditions walk: a worker that walks serves nobody else meanwhile.

use super::*;

/// What conditions, one `require` each, say of arguments.
fn outcome(paths: &[&str], arguments: &str) -> String {
    let condition = |path: &&str| format!(r#"{{"conditions":[{{"path":"{path}","op":"exists"}}],"on_deny":"no"}}"#);
    let requires: Vec<String> = paths.iter().map(condition).collect();
    let rule = format!(r#"{{"require":[{}],"limits":[]}}"#, requires.join(","));
    outcome_of(
        &policy(&format!(r#"{{"version":"1","default":"deny","tools":{{"t":{rule}}}}}"#)),
        &call("t", arguments),
        &FACTS,
    )
}

fn is_too_much(outcome: &str) -> bool {
    outcome.ends_with(TOO_MUCH)
}

const MIB: usize = 1 << 20;

#[test]
fn conditions_step_into_eight_mebibytes_in_all() {
    let arguments = format!(r#"{{"a":{{"b":1,"c":"{}"}}}}"#, "x".repeat(MIB - 15));
    assert_eq!(outcome(&["args.a.b"; 7], &arguments), "allow");
    let refused = outcome(&["args.a.b"; 9], &arguments);
    assert!(refused.starts_with("deny /tools/t/require/") && is_too_much(&refused), "{refused}");
    // What nobody steps into may have any size.
    assert_eq!(outcome(&["args.a"; 64], &arguments), "allow");
}

#[test]
fn every_level_of_a_path_is_walked_over() {
    let arguments = format!(r#"{{"a":{{"b":{{"c":{{"d":"{}"}}}}}}}}"#, "x".repeat(MIB));
    assert_eq!(outcome(&["args.a.b.c.d"; 2], &arguments), "allow");
    assert!(is_too_much(&outcome(&["args.a.b.c.d"; 3], &arguments)));
}

#[test]
fn elements_are_walked_over_again_where_something_steps_into_them() {
    let arguments = format!(r#"{{"a":[{{"b":"{}"}}]}}"#, "x".repeat(MIB));
    assert_eq!(outcome(&["args.a[*].b"; 3], &arguments), "allow");
    assert!(is_too_much(&outcome(&["args.a[*].b"; 4], &arguments)));
    assert!(is_too_much(&outcome(&["args.a[0].b"; 4], &arguments)));
}

#[test]
fn names_are_looked_through_for_every_condition() {
    let arguments = format!(r#"{{"a":1,"{}":2}}"#, "x".repeat(MIB));
    assert_eq!(outcome(&["args.a"; 7], &arguments), "allow");
    assert!(is_too_much(&outcome(&["args.a"; 9], &arguments)));
}

/// What so many comparisons of `args.a` say.
fn compared(count: usize, test: &str, arguments: &str) -> String {
    let require = format!(r#"{{"conditions":[{{"path":"args.a",{test}}}],"on_deny":"no"}}"#);
    let rule = format!(r#"{{"require":[{}]}}"#, vec![require; count].join(","));
    let policy = policy(&format!(r#"{{"version":"1","default":"deny","tools":{{"t":{rule}}}}}"#));
    outcome_of(&policy, &call("t", arguments), &FACTS)
}

#[test]
fn a_text_is_cheaper_unless_it_has_to_be_unescaped() {
    let arguments = |text: &str| format!(r#"{{"a":"{}"}}"#, text.repeat(MIB / text.len()));
    let neq = r#""op":"neq","value":"zzz""#;
    assert_eq!(compared(60, neq, &arguments("x")), "allow");
    assert!(is_too_much(&compared(65, neq, &arguments("x"))));
    assert_eq!(compared(15, neq, &arguments(r"\n")), "allow");
    assert!(is_too_much(&compared(17, neq, &arguments(r"\n"))));
    // What is there need not be read.
    assert_eq!(compared(200, r#""op":"exists""#, &arguments(r"\n")), "allow");
}

#[test]
fn a_long_number_is_read_for_every_condition() {
    let arguments = format!(r#"{{"a":1.5{}}}"#, "0".repeat(MIB));
    assert_eq!(compared(7, r#""op":"gte","value":1"#, &arguments), "allow");
    assert!(is_too_much(&compared(8, r#""op":"gte","value":1"#, &arguments)));
}

#[test]
fn the_length_of_a_list_counts() {
    let list = (0..4096).map(|nth| nth.to_string()).collect::<Vec<_>>().join(",");
    let test = |path: &str| format!(r#"{{"conditions":[{{"path":"{path}","op":"in","value":[{list}]}}]}}"#);
    let rule = format!(r#"{{"require":[{}]}}"#, test("args.a[*]"));
    let policy = policy(&format!(r#"{{"version":"1","default":"deny","tools":{{"t":{rule}}}}}"#));
    let call = |count: usize| call("t", &format!(r#"{{"a":[{}]}}"#, vec!["7"; count].join(",")));
    assert_eq!(outcome_of(&policy, &call(2_000), &FACTS), "allow");
    assert!(is_too_much(&outcome_of(&policy, &call(2_100), &FACTS)));
}

#[test]
fn elements_that_are_searched_count_one_by_one() {
    let arguments = |count: usize| format!(r#"{{"a":[{}"z"]}}"#, r#""x","#.repeat(count));
    let contains = r#""op":"contains","value":"z""#;
    assert_eq!(compared(4, contains, &arguments(50_000)), "allow");
    // Whether the last one is it was not looked at, so it is wrong.
    assert!(compared(6, contains, &arguments(50_000)).starts_with("deny /tools/t/require/args.a-contains#"));
}

#[test]
fn what_is_known_of_the_caller_is_asked_once_for_a_body_and_costs_no_arguments() {
    let teams = (0..1_000).map(|nth| format!(r#""team-{nth}""#)).collect::<Vec<_>>().join(",");
    let claim = format!("[{teams}]").leak();
    let facts = Table { claims: vec![("groups", claim)], ..FACTS };
    let require = r#"{"conditions":[{"path":"identity.claims.groups","op":"contains","value":"team-999"}]}"#;
    let rules = format!(r#"{{"file:///srv/*":{{"require":[{}]}}}}"#, [require; 8].join(","));
    let policy =
        policy(&format!(r#"{{"version":"1","default":"deny","resources":{{"default":"deny","uris":{rules}}}}}"#));
    let uris = (0..400).map(|nth| format!(r#""file:///srv/{nth}""#)).collect::<Vec<_>>().join(",");
    let listen =
        request("subscriptions/listen", &format!(r#"{{"notifications":{{"resourceSubscriptions":[{uris}]}}}}"#));
    assert_eq!(outcome_of(&policy, &listen, &facts), "allow");
}

#[test]
fn a_condition_that_cannot_be_asked_refuses_whatever_the_others_say() {
    let texts = |op: &str| format!(r#"{{"path":"args.a[*].b","op":"{op}"}}"#);
    let one = format!(r#"{{"conditions":[{{"path":"args.c","op":"exists"}},{}],"on_deny":"no"}}"#, texts("exists"));
    let rule = format!(r#"{{"deny_if":[{}]}}"#, vec![one; 5].join(","));
    let policy = policy(&format!(r#"{{"version":"1","default":"deny","tools":{{"t":{rule}}}}}"#));
    let call = |bytes: usize| call("t", &format!(r#"{{"a":[{{"b":"{}"}}]}}"#, "x".repeat(bytes)));
    // `args.c` is missing, so none of the predicates holds.
    assert_eq!(outcome_of(&policy, &call(10), &FACTS), "allow");
    assert!(is_too_much(&outcome_of(&policy, &call(MIB), &FACTS)));
}

#[test]
fn an_amount_that_is_too_far_away_is_not_clear() {
    let limit = r#"{"counter":"c","window":"minute","max":5,"increment_from":"args.a.b"}"#;
    let limits: Vec<String> = (0..9).map(|nth| limit.replace(r#""c""#, &format!(r#""c{nth}""#))).collect();
    let rule = format!(r#"{{"limits":[{}]}}"#, limits.join(","));
    let policy = policy(&format!(r#"{{"version":"1","default":"deny","tools":{{"t":{rule}}}}}"#));
    let call = |bytes: usize| call("t", &format!(r#"{{"a":{{"b":1,"c":"{}"}}}}"#, "x".repeat(bytes)));
    assert!(outcome_of(&policy, &call(10), &FACTS).starts_with("allow"));
    assert_eq!(outcome_of(&policy, &call(MIB), &FACTS), format!("deny /tools/t/limits/c7 {AMOUNT_UNCLEAR}"));
}
