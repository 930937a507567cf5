use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn schema(schema: &Value) -> Schema {
    Schema::load_of_server(schema.to_string().as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{schema}"))
}

/// What is said of a text; empty if it matches.
fn said(schema: &Schema, text: &str) -> String {
    schema.check(text.as_bytes(), &Effort::default()).map_or_else(|mismatch| mismatch.to_string(), |()| String::new())
}

#[test]
fn a_mismatch_says_where_and_what_is_wanted() {
    let schema = schema(&json!({
        "type": "object",
        "properties": {
            "robot_ip": { "type": "string", "format": "ipv4" },
            "robots": { "type": "array", "items": { "properties": { "odd.key": { "maximum": 10 } }, "required": ["id"] } },
            "level": { "enum": ["low", "high", 3, null] },
            "run": { "type": ["string", "null"], "pattern": "^run-[0-9]+$", "minLength": 5 },
            "labels": { "additionalProperties": { "type": "string" }, "propertyNames": { "maxLength": 8 } },
            "wells": { "uniqueItems": true, "prefixItems": [{ "const": "A1" }], "items": false },
            "when": { "anyOf": [{ "type": "null" }, { "type": "string", "format": "date" }] },
            "volume": { "oneOf": [{ "minimum": 1 }, { "maximum": 5 }], "not": { "const": 7 }, "multipleOf": 0.1 },
        },
        "required": ["robot_ip"],
        "additionalProperties": false,
    }));
    for (text, expected) in [
        ("[]", "args: must be an object (`type`)"),
        ("{}", "args: `robot_ip` is missing (`required`)"),
        (
            r#"{"robot_ip":"10.0.0.1","secret":1}"#,
            "args: has a member that is none of `labels`, `level`, `robot_ip`, `robots`, `run`, `volume`, `wells`, `when` (`additionalProperties`)",
        ),
        (r#"{"robot_ip":"nowhere"}"#, "args.robot_ip: must be of the format `ipv4` (`format`)"),
        (
            r#"{"robot_ip":"10.0.0.1","robots":[{"id":1},{"id":1,"odd.key":11}]}"#,
            r#"args.robots[1]["odd.key"]: must be at most 10 (`maximum`)"#,
        ),
        (r#"{"robot_ip":"10.0.0.1","robots":[{}]}"#, "args.robots[0]: `id` is missing (`required`)"),
        (
            r#"{"robot_ip":"10.0.0.1","level":"medium"}"#,
            r#"args.level: must be one of "low", "high", 3, null (`enum`)"#,
        ),
        (r#"{"robot_ip":"10.0.0.1","run":7}"#, "args.run: must be a string or null (`type`)"),
        (r#"{"robot_ip":"10.0.0.1","run":"x"}"#, "args.run: must be at least 5 characters long (`minLength`)"),
        (r#"{"robot_ip":"10.0.0.1","run":"running"}"#, "args.run: must match the pattern `^run-[0-9]+$` (`pattern`)"),
        (r#"{"robot_ip":"10.0.0.1","labels":{"secret":1}}"#, r#"args.labels["…"]: must be a string (`type`)"#),
        (
            r#"{"robot_ip":"10.0.0.1","labels":{"a secret key":"x"}}"#,
            "args.labels: the name of a member must be at most 8 characters long (`maxLength`)",
        ),
        (r#"{"robot_ip":"10.0.0.1","wells":["A1","A1"]}"#, "args.wells: must have at most 1 elements (`items`)"),
        (r#"{"robot_ip":"10.0.0.1","when":"tomorrow"}"#, "args.when: must be of the format `date` (`format`)"),
        (
            r#"{"robot_ip":"10.0.0.1","volume":3}"#,
            "args.volume: must match only one of 2 schemas, and matches more (`oneOf`)",
        ),
        (r#"{"robot_ip":"10.0.0.1","volume":7}"#, "args.volume: must not match the schema (`not`)"),
        (r#"{"robot_ip":"10.0.0.1","volume":6.25}"#, "args.volume: must be a multiple of 0.1 (`multipleOf`)"),
        (r#"{"robot_ip":"10.0.0.1","when":null,"run":null,"volume":6.2,"labels":{"a":"b"}}"#, ""),
    ] {
        assert_eq!(said(&schema, text), expected, "{text}");
    }
}

#[test]
fn what_servers_read_differently_is_refused_whatever_stands_around_it() {
    let by_name = schema(&json!({ "properties": { "robot_ip": { "type": "string" } } }));
    for name in ["Robot_IP", "robot_ip\\u0000", "ROBOT_IP"] {
        let text = format!(r#"{{"robot_ip":"x","{name}":1}}"#);
        assert_eq!(said(&by_name, &text), "args: a member's name could be mistaken for `robot_ip`");
    }
    assert_eq!(said(&by_name, r#"{"robot":1}"#), "");
    let inexact = "args: is a number that servers read differently, as it does not fit a double";
    for schema in [
        json!({ "type": "integer" }),
        json!({ "not": { "const": 5 } }),
        json!({ "anyOf": [{ "maximum": 3 }, {}] }),
        json!({ "enum": [9_007_199_254_740_992_u64] }),
        json!({ "multipleOf": 2 }),
    ] {
        assert_eq!(said(&self::schema(&schema), "9007199254740993"), inexact, "{schema}");
        assert_eq!(said(&self::schema(&schema), "5.00000000000000000001"), inexact, "{schema}");
    }
    assert_eq!(
        said(&schema(&json!({ "uniqueItems": true })), "[1,1.00000000000000000001]"),
        inexact.replace("args", "args[1]")
    );
}

#[test]
fn a_lookalike_is_not_missing() {
    for (rules, text) in [
        (
            json!({ "not": { "properties": { "force": { "const": true } }, "required": ["force"] } }),
            r#"{"Force":true}"#,
        ),
        (json!({ "if": { "required": ["mode"] }, "then": { "required": ["confirm"] } }), r#"{"Mode":"delete"}"#),
        (json!({ "oneOf": [{ "required": ["path"] }, { "required": ["url"] }] }), r#"{"url":"x","PATH":"/"}"#),
        (json!({ "dependentRequired": { "force": ["reason"] } }), r#"{"FORCE":1}"#),
        (json!({ "dependentSchemas": { "force": false } }), r#"{"Force":1}"#),
    ] {
        assert!(!said(&schema(&rules), text).is_empty(), "{rules} {text}");
    }
}

#[test]
fn patterns_mean_what_they_do_elsewhere_or_are_refused() {
    let rules = schema(&json!({ "pattern": "^[--/]+$" }));
    assert_eq!((said(&rules, r#""-./""#).as_str(), said(&rules, r#""+""#).is_empty()), ("", false));
    let rules = schema(&json!({ "pattern": "^[^--/]{2,}$" }));
    assert!(!said(&rules, r#""..""#).is_empty());
    for pattern in ["^a{1, 3}$", "^a{$"] {
        let text = json!({ "pattern": pattern }).to_string();
        assert!(Schema::load_of_server(text.as_bytes()).is_err(), "{pattern}");
    }
}

#[test]
fn patterns_take_so_much_memory_all_together() {
    // 16 KiB each.
    let properties = |count: usize| -> serde_json::Map<_, _> {
        (0..count).map(|nth| (format!("p{nth}"), json!({ "pattern": format!("^[^/]{{180}}{nth}$") }))).collect()
    };
    let same = vec![json!({ "pattern": "^[^/]{180}$" }); 2_000];
    assert!(
        Schema::load_of_server(json!({ "allOf": same }).to_string().as_bytes()).is_ok(),
        "each takes its place once"
    );
    let load = |count| Schema::load_of_server(json!({ "properties": properties(count) }).to_string().as_bytes());
    assert!(load(512).is_ok());
    let errors = load(513).unwrap_err().to_string();
    assert!(errors.contains("/properties/p99/pattern") && errors.contains("more than 8192 KiB"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn two_parts_of_one_name_are_refused() {
    let text = json!({ "$defs": { "a": { "$anchor": "x" }, "b": { "$anchor": "x" } }, "$ref": "#x" }).to_string();
    assert!(Schema::load_of_server(text.as_bytes()).is_err());
}

#[test]
fn parts_without_keywords_are_not_free() {
    let rules = json!({ "items": { "allOf": vec![json!(true); 4000] } });
    let many = format!("[{}]", vec!["1"; 20_000].join(","));
    assert!(!said(&schema(&rules), &many).is_empty());
}

#[test]
fn elements_are_equal_however_they_are_written() {
    let unique = schema(&json!({ "uniqueItems": true }));
    let twice = "args: must have no two equal elements (`uniqueItems`)";
    for text in [
        "[1,1.0]",
        "[0,-0.0]",
        r#"["a","\u0061"]"#,
        r#"[{"a":1,"b":[2]},{"b":[2e0],"a":1}]"#,
        "[[],{},[]]",
        "[null,null]",
        r#"["x",1,true,{"a":null},[1],{"a":null}]"#,
    ] {
        assert_eq!(said(&unique, text), twice, "{text}");
    }
    for text in ["[0,false,null,\"\",[],{}]", r#"[{"a":1},{"b":1},{"a":1,"b":1}]"#, "[[1,2],[2,1],[1]]"] {
        assert_eq!(said(&unique, text), "", "{text}");
    }
    let value = json!({ "const": { "a": [1, { "b": null }], "c": "d" } });
    assert_eq!(said(&schema(&value), r#"{"c":"d","a":[1.0,{"b":null}]}"#), "");
    assert_ne!(said(&schema(&value), r#"{"c":"d","a":[1.0,{"b":0}]}"#), "");
}

#[test]
fn references_go_round_only_where_they_go_into_the_arguments() {
    let tree = schema(&json!({
        "$defs": { "tree": { "type": "object", "properties": { "left": { "$ref": "#/$defs/tree" }, "value": { "type": "integer" } } } },
        "$ref": "#/$defs/tree",
    }));
    assert_eq!(said(&tree, r#"{"left":{"left":{"value":1}}}"#), "");
    assert_eq!(said(&tree, r#"{"left":{"left":{"value":"1"}}}"#), "args.left.left.value: must be an integer (`type`)");
    for circle in [
        json!({ "$ref": "#" }),
        json!({ "anyOf": [{ "type": "null" }, { "$ref": "#" }] }),
        json!({ "if": true, "then": { "not": { "allOf": [{ "$ref": "#/then" }] } } }),
        json!({ "dependentSchemas": { "a": { "$ref": "#" } } }),
    ] {
        let errors = Schema::load(circle.to_string().as_bytes()).unwrap_err().to_string();
        assert!(errors.contains("leads back"), "{circle}: {errors}");
    }
    // A chain of references as long as a schema may have parts is no circle, and no stack is as deep.
    let chain: serde_json::Map<String, Value> = (0..8000)
        .map(|i| (format!("a{i}"), json!({ "$ref": format!("#/$defs/a{}", i + 1) })))
        .chain([("a8000".to_owned(), json!(true))])
        .collect();
    let chain = schema(&json!({ "$defs": chain, "$ref": "#/$defs/a0" }));
    assert_eq!(said(&chain, "{}"), "args: is nested too deep to be held against the schema");
}

#[test]
fn what_would_take_too_long_is_refused() {
    let double = json!({ "$defs": { "n": { "anyOf": [
        { "type": "array", "items": { "$ref": "#/$defs/n" }, "minItems": 0 },
        { "type": "array", "items": { "$ref": "#/$defs/n" }, "maxItems": 99 },
    ] } }, "$ref": "#/$defs/n" });
    let too_long = "takes too long to hold against the schema";
    let deep = format!("{}\"x\"{}", "[".repeat(40), "]".repeat(40));
    assert!(said(&schema(&double), &deep).contains(too_long));
    let unique = schema(&json!({ "uniqueItems": true }));
    let numbers = |count: usize| format!("[{}]", (0..count).map(|i| i.to_string()).collect::<Vec<_>>().join(","));
    assert_eq!(said(&unique, &numbers(10_000)), "");
    let twice = schema(&json!({ "allOf": [{ "uniqueItems": true }, { "uniqueItems": true }] }));
    assert!(said(&twice, &numbers(60_000)).contains(too_long));
    assert_eq!(said(&unique, &numbers(70_000)), "args: more values than are held against a schema");
    let pattern = schema(&json!({ "items": { "pattern": "^(a+)+$" } }));
    let texts = |count: usize| format!("[{}]", vec![format!("{:?}", "a".repeat(100)); count].join(","));
    assert_eq!(said(&pattern, &texts(100)), "");
    assert!(said(&pattern, &texts(1000)).ends_with("is too much text to hold against the schema's patterns"));
    // What all schemas of a policy do for one body is paid from one purse.
    let effort = Effort::default();
    let many = numbers(20_000);
    let paid: Vec<bool> = (0..20).map(|_| unique.check(many.as_bytes(), &effort).is_ok()).collect();
    assert!(paid[0] && !paid[19], "{paid:?}");
}

#[test]
fn the_schema_of_a_server_may_say_what_nobody_knows() {
    let theirs = json!({ "type": "object", "foo": 1, "nullable": true, "properties": { "n": { "type": "integer", "format": "uint32" } } });
    assert_eq!(said(&schema(&theirs), r#"{"n":7}"#), "");
    let errors = Schema::load(theirs.to_string().as_bytes()).unwrap_err().to_string();
    assert!(errors.contains("/foo") && errors.contains("/nullable") && errors.contains("uint32"), "{errors}");
}

#[test]
fn long_texts_of_a_schema_are_cut() {
    let long = "n".repeat(5000);
    let deep = schema(
        &json!({ "properties": { &long: { "properties": { &long: { "enum": vec![&long; 50] } } } }, "required": [&long] }),
    );
    for text in ["{}".to_owned(), format!(r#"{{"{long}":{{"{long}":1}}}}"#)] {
        assert!(said(&deep, &text).chars().count() < 400, "{}", said(&deep, &text));
    }
}

/// A value whose strings, names and numbers are nowhere in the schemas.
fn secret() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "sécret[a-z]{4,8}".prop_map(Value::from),
        (700_000..799_999_u32).prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let names = prop_oneof![Just("a".to_owned()), Just("b".to_owned()), "sécret[a-z]{4,8}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Schemas of every keyword.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["null", "boolean", "object", "array", "number", "string", "integer"])
            .prop_map(|name| json!({ "type": name })),
        Just(json!({ "minimum": 800_000, "maxLength": 2 })),
        Just(json!({ "maximum": 3, "minLength": 50 })),
        Just(json!({ "multipleOf": 1_000_003, "pattern": "^x$" })),
        Just(json!({ "enum": [1, "two", [3]] })),
        Just(json!({ "const": { "a": 1 } })),
        Just(json!({ "format": "date-time", "uniqueItems": true })),
        Just(json!({ "required": ["a"], "minProperties": 2, "maxItems": 1 })),
        Just(json!(false)),
        Just(json!(true)),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({ "properties": { "a": a, "b": b } })),
            inner.clone().prop_map(|a| json!({ "properties": { "a": true }, "additionalProperties": a })),
            inner.clone().prop_map(|a| json!({ "patternProperties": { "^s": a }, "unevaluatedProperties": false })),
            inner.clone().prop_map(|a| json!({ "items": a })),
            inner.clone().prop_map(|a| json!({ "prefixItems": [a], "items": false })),
            inner.clone().prop_map(|a| json!({ "contains": a, "maxContains": 1 })),
            inner.clone().prop_map(|a| json!({ "propertyNames": a })),
            inner.clone().prop_map(|a| json!({ "not": a })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|all| json!({ "anyOf": all })),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|all| json!({ "oneOf": all })),
            prop::collection::vec(inner.clone(), 1..3)
                .prop_map(|all| json!({ "allOf": all, "unevaluatedItems": false })),
            (inner.clone(), inner).prop_map(|(a, b)| json!({ "if": a, "then": b, "else": false })),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_of_the_arguments_gets_into_a_reason(value in secret(), schema in any_schema()) {
        let said = said(&self::schema(&schema), &value.to_string());
        prop_assert!(!said.contains("sécret"), "{}", said);
        let digits = said.split(|c: char| !c.is_ascii_digit());
        prop_assert!(!digits.into_iter().any(|number| number.len() == 6 && number.starts_with('7')), "{}", said);
        prop_assert!(said.chars().count() < 500);
    }

    /// What a server would say, where both read alike.
    #[test]
    fn another_validator_says_the_same(value in secret(), schema in any_schema()) {
        let ours = said(&self::schema(&schema), &value.to_string());
        let theirs = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        prop_assert_eq!(ours.is_empty(), theirs.is_valid(&value), "{}", ours);
    }

    #[test]
    fn no_text_is_a_schema_by_accident(text in "[\\[\\]{}\":,a-z$#/0-9.\\\\^()*+?|-]{0,60}") {
        // Whether it loads or not, nothing panics.
        drop(Schema::load(text.as_bytes()));
        drop(Schema::load(json!({ "pattern": text, "$ref": text }).to_string().as_bytes()));
    }
}
