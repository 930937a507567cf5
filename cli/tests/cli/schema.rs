//! `mcp-policy schema`, as it is run.

use serde_json::Value;

use crate::common::mcp_policy;

fn schema(arguments: &[&str]) -> Value {
    let ran = mcp_policy(arguments, "");
    assert_eq!((ran.status, ran.said.as_str()), (Some(0), ""));
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn the_schema_of_a_policy_is_what_is_meant_without_a_word() {
    assert_eq!(schema(&["schema"]), schema(&["schema", "policy"]));
    assert_eq!(schema(&["schema"])["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn a_schema_refuses_what_the_filter_refuses_and_takes_what_it_takes() {
    let policy = jsonschema::validator_for(&schema(&["schema"])).unwrap();
    let configuration = jsonschema::validator_for(&schema(&["schema", "configuration"])).unwrap();
    let right: Value =
        serde_json::from_str(r#"{"$schema": "./policy.schema.json", "version": "1", "default": "deny"}"#).unwrap();
    let wrong: Value = serde_json::from_str(r#"{"version": "1", "default": "deny", "tols": {}}"#).unwrap();
    assert!(policy.is_valid(&right) && !policy.is_valid(&wrong));
    let around = |policy: &Value| serde_json::json!({ "policies": { "lab": policy }, "routes": [{ "policy": "lab" }] });
    assert!(configuration.is_valid(&around(&right)) && !configuration.is_valid(&around(&wrong)));
    assert_eq!(mcp_policy(&["check", "-"], &around(&right).to_string()).status, Some(0));
}

#[test]
fn another_kind_of_document_is_a_wrong_command_line() {
    assert_eq!(mcp_policy(&["schema", "polcy"], "").status, Some(2));
}
