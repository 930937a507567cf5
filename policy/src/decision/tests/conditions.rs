use super::*;

/// What one condition comes to: `(passes require, passes deny_if)`.
fn passes(condition: &str, arguments: &str, facts: &dyn Facts) -> (bool, bool) {
    let under = |list: &str| {
        let text = format!(
            r#"{{"version":"1","default":"deny","tools":{{"t":{{"{list}":[{{"conditions":[{condition}]}}]}}}}}}"#
        );
        outcome_of(&policy(&text), &call("t", arguments), facts) == "allow"
    };
    (under("require"), under("deny_if"))
}

const TRUE: (bool, bool) = (true, false);
const FALSE: (bool, bool) = (false, true);
/// Neither list lets it pass.
const WRONG: (bool, bool) = (false, false);

fn check(op: &str, value: &str, cases: &[(&str, (bool, bool))]) {
    let value = if value.is_empty() { String::new() } else { format!(r#","value":{value}"#) };
    let condition = format!(r#"{{"path":"args.x","op":"{op}"{value}}}"#);
    for (x, expected) in cases {
        let arguments = if x.is_empty() { "{}".to_owned() } else { format!(r#"{{"x":{x}}}"#) };
        assert_eq!(passes(&condition, &arguments, &FACTS), *expected, "{op} {value} of {arguments}");
    }
}

#[test]
fn eq_and_neq_want_the_type_of_the_value() {
    check(
        "eq",
        r#""a""#,
        &[
            (r#""a""#, TRUE),
            (r#""\u0061""#, TRUE),
            (r#""A""#, FALSE),
            ("1", WRONG),
            ("null", WRONG),
            (r#"["a"]"#, WRONG),
            ("", FALSE),
        ],
    );
    check(
        "eq",
        "5",
        &[("5", TRUE), ("5.0", TRUE), ("50e-1", TRUE), ("6", FALSE), (r#""5""#, WRONG), ("9007199254740993", WRONG)],
    );
    check("eq", "true", &[("true", TRUE), ("false", FALSE), (r#""true""#, WRONG), ("1", WRONG)]);
    check("eq", "null", &[("null", TRUE), ("1", WRONG), ("", FALSE)]);
    // A missing value differs from every value, as far as deny_if is concerned.
    check("neq", r#""a""#, &[(r#""a""#, FALSE), (r#""b""#, TRUE), ("1", WRONG), ("null", WRONG), ("", WRONG)]);
}

#[test]
fn in_and_not_in_want_a_type_of_the_list() {
    check("in", r#"["a","b"]"#, &[(r#""b""#, TRUE), (r#""c""#, FALSE), ("1", WRONG), ("null", WRONG), ("", FALSE)]);
    check("in", r#"["a",null]"#, &[("null", TRUE), (r#""a""#, TRUE), (r#""b""#, FALSE), ("1", WRONG)]);
    check("not_in", r#"["a","b"]"#, &[(r#""b""#, FALSE), (r#""c""#, TRUE), ("1", WRONG), ("null", WRONG), ("", WRONG)]);
}

#[test]
fn order_wants_numbers() {
    check(
        "lt",
        "100",
        &[
            ("99.5", TRUE),
            ("100", FALSE),
            (r#""5""#, WRONG),
            ("true", WRONG),
            ("null", WRONG),
            ("[5]", WRONG),
            ("", FALSE),
        ],
    );
    check("lte", "100", &[("100", TRUE), ("100.5", FALSE)]);
    check("gt", "100", &[("101", TRUE), ("1e2", FALSE), (r#""101""#, WRONG), ("100.00000000000000001", WRONG)]);
    check("gte", "100", &[("100.0", TRUE), ("-100", FALSE)]);
}

#[test]
fn text_ops_want_strings() {
    check(
        "regex",
        r#""^run-[0-9]+$""#,
        &[
            (r#""run-7""#, TRUE),
            (r#""run-x""#, FALSE),
            (r#""run-7\n""#, FALSE),
            ("7", WRONG),
            ("null", WRONG),
            ("", FALSE),
        ],
    );
    check("regex", r#""lab""#, &[(r#""my lab 1""#, TRUE)]);
    // A worker that matches megabytes serves nobody else.
    let long = |bytes: usize| format!("\"{}\"", "a".repeat(bytes));
    check("regex", r#""lab""#, &[(&long(16 * 1024), FALSE), (&long(16 * 1024 + 1), WRONG)]);
    check("starts_with", r#""/srv/""#, &[(r#""/srv/a""#, TRUE), (r#""/etc""#, FALSE), ("1", WRONG)]);
    check("ends_with", r#"".py""#, &[(r#""a.py""#, TRUE), (r#""a.sh""#, FALSE), (r#"["a.py"]"#, WRONG)]);
}

#[test]
fn contains_wants_a_string_or_an_array_of_the_value_s_type() {
    check(
        "contains",
        r#""b""#,
        &[
            (r#""abc""#, TRUE),
            (r#""xyz""#, FALSE),
            (r#"["a","b"]"#, TRUE),
            (r#"["ab"]"#, FALSE),
            (r#"["a",1]"#, WRONG),
            (r#"["b",1]"#, TRUE),
            ("[]", FALSE),
            ("1", WRONG),
            ("{}", WRONG),
            ("", FALSE),
        ],
    );
    check("contains", "5", &[("[4,5]", TRUE), ("[4]", FALSE), (r#"["5"]"#, WRONG), (r#""5""#, WRONG)]);
}

#[test]
fn cidr_wants_an_address_written_in_the_one_way_all_read_alike() {
    check(
        "cidr",
        r#""10.0.0.0/8""#,
        &[
            (r#""10.1.2.3""#, TRUE),
            (r#""11.0.0.1""#, FALSE),
            (r#""::ffff:10.1.2.3""#, TRUE),
            (r#""fe80::1""#, FALSE),
            (r#""012.0.0.1""#, WRONG),
            (r#""10.1""#, WRONG),
            (r#""0x0a000001""#, WRONG),
            (r#""167772161""#, WRONG),
            (r#""robot.local""#, WRONG),
            (r#""10.1.2.3 ""#, WRONG),
            (r#""10.1.2.3:80""#, WRONG),
            (r#""FE80::1""#, WRONG),
            (r#""fe80:0::1""#, WRONG),
            ("1", WRONG),
            ("", FALSE),
        ],
    );
    check(
        "cidr",
        r#"["192.168.0.0/16","fd00::/8"]"#,
        &[(r#""192.168.7.7""#, TRUE), (r#""fd12::1""#, TRUE), (r#""10.0.0.1""#, FALSE)],
    );
}

#[test]
fn lengths_count_characters_or_elements() {
    check(
        "length_lte",
        "3",
        &[
            (r#""abc""#, TRUE),
            (r#""äöü""#, TRUE),
            (r#""abcd""#, FALSE),
            ("[1,2,3]", TRUE),
            ("[1,[2,3,4,5],3,4]", FALSE),
            ("3", WRONG),
            ("{}", WRONG),
            ("null", WRONG),
            ("", FALSE),
        ],
    );
    check("length_gte", "1", &[(r#""a""#, TRUE), (r#""""#, FALSE), ("[]", FALSE)]);
}

#[test]
fn exists_is_false_of_null_and_of_nothing() {
    check("exists", "", &[("1", TRUE), ("{}", TRUE), (r#""""#, TRUE), ("false", TRUE), ("null", FALSE), ("", FALSE)]);
}

fn at(path: &str, arguments: &str) -> (bool, bool) {
    passes(&format!(r#"{{"path":"{path}","op":"eq","value":1}}"#), arguments, &FACTS)
}

#[test]
fn paths_step_into_objects_and_arrays_only() {
    assert_eq!(at("args.a.b", r#"{"a":{"b":1}}"#), TRUE);
    assert_eq!(at("args.a.b", r#"{"a":{"c":1}}"#), FALSE);
    assert_eq!(at("args.a.b", r#"{}"#), FALSE);
    // A server may parse the string.
    assert_eq!(at("args.a.b", r#"{"a":"{\"b\":1}"}"#), WRONG);
    assert_eq!(at("args.a.b", r#"{"a":[{"b":1}]}"#), WRONG);
    assert_eq!(at("args.a.b", r#"{"a":7}"#), WRONG);
    assert_eq!(at("args.a[1]", r#"{"a":[0,1]}"#), TRUE);
    assert_eq!(at("args.a[2]", r#"{"a":[0,1]}"#), FALSE);
    assert_eq!(at("args.a[0]", r#"{"a":{"0":1}}"#), WRONG);
    assert_eq!(at(r#"args[\"odd.key\"]"#, r#"{"odd.key":1}"#), TRUE);
}

#[test]
fn every_element_is_meant_under_require_and_any_under_deny_if() {
    for (list, expected) in [
        ("[1,1]", TRUE),
        ("[2,2]", FALSE),
        // Not every one is 1, and one is.
        ("[1,2]", (false, false)),
        ("[]", FALSE),
        (r#"[1,"1"]"#, WRONG),
        (r#"["1",2]"#, WRONG),
        ("1", WRONG),
    ] {
        assert_eq!(at("args.a[*]", &format!(r#"{{"a":{list}}}"#)), expected, "{list}");
    }
    assert_eq!(at("args.a[*].x", r#"{"a":[{"x":1},{"x":1}]}"#), TRUE);
    assert_eq!(at("args.a[*].x", r#"{"a":[{"x":2},{}]}"#), FALSE);
    assert_eq!(at("args.a[*].x", r#"{"a":[{"x":1},{}]}"#), (false, false));
    assert_eq!(at("args.a[*][*]", r#"{"a":[[1],[1,1]]}"#), TRUE);
}

#[test]
fn a_key_that_a_folding_server_takes_for_the_named_one_refuses() {
    for arguments in [r#"{"x":1,"X":2}"#, r#"{"X":1}"#, r#"{"x\u0000":1}"#, r#"{"x":1,"deep":{"Y":1}}"#] {
        let condition = r#"{"path":"args.x","op":"eq","value":1},{"path":"args.deep.y","op":"eq","value":1}"#;
        assert_eq!(passes(condition, arguments, &FACTS), WRONG, "{arguments}");
    }
    // Also if another condition already decides.
    let text = policy(
        r#"{"version":"1","default":"deny","tools":{"t":{"deny_if":[{"conditions":[
        {"path":"args.kind","op":"eq","value":"paid"},{"path":"args.amount","op":"gt","value":100}]}]}}}"#,
    );
    assert_eq!(outcome_of(&text, &call("t", r#"{"kind":"free","amount":1}"#), &FACTS), "allow");
    let refused = outcome_of(&text, &call("t", r#"{"kind":"free","amount":1,"Amount":900}"#), &FACTS);
    assert!(refused.starts_with("deny /tools/t/deny_if/args.kind-eq "), "{refused}");
}

#[test]
fn one_false_condition_makes_a_predicate_false_even_beside_a_wrong_one() {
    let guard = r#"{"path":"args.x","op":"exists"},{"path":"args.x","op":"gt","value":5}"#;
    assert_eq!(passes(guard, "{}", &FACTS), FALSE);
    assert_eq!(passes(guard, r#"{"x":6}"#, &FACTS), TRUE);
    assert_eq!(passes(guard, r#"{"x":"6"}"#, &FACTS), WRONG);
    // An optional argument: refused only if it is there and not allowed.
    let optional = r#"{"path":"args.x","op":"exists"},{"path":"args.x","op":"neq","value":"a"}"#;
    assert!(passes(optional, "{}", &FACTS).1);
    assert!(passes(optional, r#"{"x":"a"}"#, &FACTS).1);
    assert!(!passes(optional, r#"{"x":"b"}"#, &FACTS).1);
}

#[test]
fn identity_headers_and_time_are_conditions_too() {
    let facts = Table {
        grant: Some("ann"),
        claims: vec![
            ("team", r#""robots""#),
            ("roles", r#"["ops","dev"]"#),
            ("level", "3"),
            ("org", r#"{"unit":"lab"}"#),
            ("broken", ""),
        ],
        headers: vec![("x-env", "prod"), ("x-twice", "a"), ("x-twice", "b")],
    };
    for (path, op, value, expected) in [
        ("identity.grant", "eq", r#""ann""#, TRUE),
        ("identity.grant", "starts_with", r#""bob""#, FALSE),
        ("identity.claims.team", "in", r#"["robots"]"#, TRUE),
        ("identity.claims.roles", "contains", r#""ops""#, TRUE),
        ("identity.claims.roles[*]", "eq", r#""ops""#, (false, false)),
        ("identity.claims.level", "gte", "3", TRUE),
        ("identity.claims.org.unit", "eq", r#""lab""#, TRUE),
        ("identity.claims.absent", "eq", r#""x""#, FALSE),
        ("identity.claims.broken", "eq", r#""x""#, WRONG),
        ("request.headers.x-env", "eq", r#""prod""#, TRUE),
        ("request.headers.X-Env", "eq", r#""prod""#, TRUE),
        ("request.headers.x-none", "eq", r#""prod""#, FALSE),
        ("request.headers.x-twice", "eq", r#""a""#, WRONG),
        ("time.hour", "eq", "14", TRUE),
        ("time.hour", "lt", "8", FALSE),
        ("time.weekday", "in", "[6,7]", TRUE),
    ] {
        let condition = format!(r#"{{"path":"{path}","op":"{op}","value":{value}}}"#);
        assert_eq!(passes(&condition, "{}", &facts), expected, "{condition}");
    }
    let anonymous = Table { grant: None, claims: vec![], headers: vec![] };
    assert_eq!(passes(r#"{"path":"identity.grant","op":"exists"}"#, "{}", &anonymous), FALSE);
}

mod model {
    //! The tri-state rules once more, over a JSON tree: an independent reading of the same sentences.

    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    /// None is wrong.
    fn naive(op: &str, wanted: &Json, found: Option<&Json>, deny_if: bool) -> Option<bool> {
        let Some(found) = found else { return Some(deny_if && matches!(op, "neq" | "not_in")) };
        if found.is_null() && op == "exists" {
            return Some(false);
        }
        let same_type = |a: &Json, b: &Json| std::mem::discriminant(a) == std::mem::discriminant(b);
        let number = || found.as_f64().zip(wanted.as_f64());
        let text = || found.as_str().zip(wanted.as_str());
        match op {
            "exists" => Some(true),
            "eq" => (same_type(found, wanted)).then(|| found == wanted),
            "neq" => (same_type(found, wanted) && !found.is_null()).then(|| found != wanted),
            "in" => {
                let list = wanted.as_array().unwrap();
                list.iter().any(|item| same_type(item, found)).then(|| list.contains(found))
            }
            "gt" => number().map(|(a, b)| a > b),
            "lte" => number().map(|(a, b)| a <= b),
            "starts_with" => text().map(|(a, b)| a.starts_with(b)),
            "length_gte" => {
                let length = found.as_str().map(|text| text.chars().count()).or(found.as_array().map(Vec::len))?;
                Some(length as u64 >= wanted.as_u64().unwrap())
            }
            _ => panic!("{op}"),
        }
    }

    fn scalar() -> impl Strategy<Value = Json> {
        prop_oneof![
            Just(json!(null)),
            Just(json!(true)),
            Just(json!(false)),
            (-3..4_i32).prop_map(|n| json!(n)),
            prop::sample::select(vec!["", "a", "ab", "ä", "1"]).prop_map(|text| json!(text)),
        ]
    }

    fn value() -> impl Strategy<Value = Json> {
        prop_oneof![
            4 => scalar(),
            1 => prop::collection::vec(scalar(), 0..4).prop_map(Json::from),
            1 => Just(json!({"k": 1})),
        ]
    }

    fn condition() -> impl Strategy<Value = (&'static str, Json)> {
        let non_null = scalar().prop_filter("null only with eq and in", |value| !value.is_null());
        let distinct = prop::collection::vec(scalar(), 1..4).prop_map(|mut list| {
            let mut seen: Vec<Json> = vec![];
            list.retain(|item| {
                let new = !seen.contains(item);
                seen.push(item.clone());
                new
            });
            Json::from(list)
        });
        prop_oneof![
            scalar().prop_map(|value| ("eq", value)),
            non_null.prop_map(|value| ("neq", value)),
            distinct.prop_map(|list| ("in", list)),
            (-3..4_i32).prop_map(|n| ("gt", json!(n))),
            (-3..4_i32).prop_map(|n| ("lte", json!(n))),
            prop::sample::select(vec!["a", "ä"]).prop_map(|text| ("starts_with", json!(text))),
            (0..4_u32).prop_map(|n| ("length_gte", json!(n))),
            Just(("exists", json!(true))),
        ]
    }

    proptest! {
        #[test]
        fn one_condition_agrees_with_the_model((op, wanted) in condition(), found in prop::option::of(value())) {
            let value = if op == "exists" { String::new() } else { format!(r#","value":{wanted}"#) };
            let condition = format!(r#"{{"path":"args.x","op":"{op}"{value}}}"#);
            let arguments = found.as_ref().map_or(json!({}), |found| json!({"x": found})).to_string();
            let expected = (
                naive(op, &wanted, found.as_ref(), false) == Some(true),
                naive(op, &wanted, found.as_ref(), true) == Some(false),
            );
            prop_assert_eq!(passes(&condition, &arguments, &FACTS), expected, "{} of {}", condition, arguments);
        }
    }
}
