//! `mcp-policy diff`, as it is run.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Ran, mcp_policy};

const OLD: &str =
    r#"{ "version": "1", "default": "deny", "tools": { "create_run": { "rate_limit": "10/minute" }, "get_run": {} } }"#;
const NEW: &str = r#"{ "version": "1", "default": "deny", "hide": ["get_run"], "tools": { "create_run": { "rate_limit": "20/minute" } } }"#;

fn diff(options: &[&str], old: &str, new: &str) -> Ran {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), new).unwrap();
    let arguments: Vec<&str> =
        ["diff"].iter().chain(options).copied().chain(["-", file.path().to_str().unwrap()]).collect();
    mcp_policy(&arguments, old)
}

#[test]
fn each_difference_is_a_line_and_the_status_says_that_there_is_one() {
    let ran = diff(&[], OLD, NEW);
    let expected = "\
loosened   tool `create_run`: limit `rate_limit`: 20 per minute for each grant, was 10 per minute for each grant
tightened  tool `get_run`: hidden, was allowed
1 loosened, 1 tightened, 0 changed
";
    assert_eq!((ran.status, ran.out.as_str(), ran.said.as_str()), (Some(1), expected, ""));
}

#[test]
fn nothing_is_said_of_what_means_the_same() {
    let same =
        OLD.replace(' ', "\n").replace("\"default\"", "\"description\": \"d\", \"listing\": \"all\", \"default\"");
    let ran = diff(&[], OLD, &same);
    assert_eq!((ran.status, ran.out.as_str()), (Some(0), ""));
}

#[test]
fn programs_get_the_same_as_json() {
    let ran = diff(&["--format", "json"], OLD, NEW);
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&said["loosened"], &said["tightened"], &said["changed"]), (&json!(1), &json!(1), &json!(0)));
    let hidden = json!({ "mark": "tightened", "about": "tool `get_run`", "what": "hidden, was allowed" });
    assert_eq!((ran.status, &said["changes"][1]), (Some(1), &hidden));
}

#[test]
fn a_document_that_does_not_load_is_told_apart_from_a_difference() {
    let ran = diff(&[], OLD, "{}");
    assert!(ran.status == Some(1) && ran.out.is_empty() && ran.said.contains("does not check"), "{ran:?}");
}
