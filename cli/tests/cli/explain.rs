//! `mcp-policy explain`, as it is run.

use std::{io::Write, path::Path};

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::common::{Ran, mcp_policy};

fn opentrons(call: &str, options: &[&str]) -> Ran {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/opentrons/policy.json");
    mcp_policy(&[&["explain", "--policy", policy.to_str().unwrap(), "-"], options].concat(), call)
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn explain(policy: &NamedTempFile, call: &str, options: &[&str]) -> Ran {
    mcp_policy(&[&["explain", "--policy", policy.path().to_str().unwrap(), "-"], options].concat(), call)
}

#[test]
fn each_step_is_told_in_the_documented_order() {
    let ran = opentrons(r#"{"name": "create_run", "arguments": {"robot_ip": "10.1.2.3", "protocol_id": "p-1"}}"#, &[]);
    assert_eq!((ran.status, ran.said.as_str()), (Some(0), ""));
    let mut rest = ran.out.as_str();
    for part in [
        "tools/call create_run\n",
        "hidden   no\n",
        "rule     /tools/create_run, by its exact name\n",
        "action   allow\n",
        "require  /tools/create_run/require/args.robot_ip-cidr is true\n",
        r#"args.robot_ip cidr "10.0.0.0/8": true, found string "10.1.2.3""#,
        "deny_if  /all_tools/deny_if/args.run_id-regex is false\n",
        "found nothing\n",
        "limit    /tools/create_run/limits/create_run_rate takes 1 of 10, minute, per grant, from counter `create_run_rate`\n",
        "\nallowed\n",
        "nothing is counted here",
    ] {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} in {}", ran.out)).1;
    }
}

#[test]
fn a_refusal_says_what_the_agent_would_be_told() {
    let call = r#"{"jsonrpc": "2.0", "id": "x-1", "method": "tools/call",
        "params": {"name": "home_robot", "arguments": {"robot_ip": ["10.1.2.3"]}}}"#;
    let ran = opentrons(call, &[]);
    assert_eq!(ran.status, Some(0));
    for part in [
        "is wrong, so it refuses\n",
        r#"wrong, found array ["10.1.2.3"]"#,
        "\ndenied by /tools/home_robot/require/args.robot_ip-cidr\n",
        "the agent is told: [POLICY DENIED] Only robots of the laboratory network.\n",
        r#""id":"x-1""#,
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    assert!(!ran.out.contains("all_tools"), "nothing behind it was looked at: {}", ran.out);
}

#[test]
fn a_hidden_tool_an_unnamed_one_and_a_look_alike_are_told_apart() {
    for (call, parts) in [
        (r#"{"name": "poll_error_endpoint_and_fix"}"#, ["`hide` matches", "Unknown tool: poll_error_endpoint_and_fix"]),
        (r#"{"name": "nothing"}"#, ["rule     none: the default, which denies", "denied by (default deny)"]),
        (
            r#"{"name": "robot_health", "arguments": {"robot_ip": "10.1.2.3", "ROBOT_IP": "x"}}"#,
            ["is look-alike, so it refuses", "found an argument with a name like it"],
        ),
        (r#"{"name": "robot_health", "name": "home_robot"}"#, ["invalid: ", "\"code\":"]),
        ("", ["invalid: ", "\"code\":"]),
    ] {
        let ran = opentrons(call, &[]);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        for part in parts {
            assert!(ran.out.contains(part), "{part} in {}", ran.out);
        }
    }
}

const ENVELOPE: &str = r#"{
  "policies": {
    "company": { "version": "1", "default": "allow", "hide": ["delete_*"] },
    "lab": { "version": "1", "default": "deny", "tools": { "pay": { "require": [{ "conditions": [
      { "path": "identity.grant", "op": "eq", "value": "ada" },
      { "path": "identity.claims.team", "op": "eq", "value": "lab" },
      { "path": "request.headers.x-api-key", "op": "starts_with", "value": "k" },
      { "path": "time.hour", "op": "gte", "value": 8 } ] }] } } }
  },
  "routes": [
    { "route": "lab", "when": { "claims.groups": "robotics" }, "policy": ["company", "lab"] },
    { "path": "/mlflow/*", "policy": "company" } ]
}"#;

#[test]
fn the_route_and_the_caller_are_what_the_command_line_says() {
    let envelope = file(ENVELOPE);
    let who =
        ["--grant", "ada", "--claim", r#"groups=["robotics"]"#, "--claim", "team=lab", "--header", "X-Api-Key: k-123"];
    let at = |time: &'static str| [&who[..], &["--route", "lab", "--time", time]].concat();
    let ran = explain(&envelope, r#"{"name": "pay"}"#, &at("2026-11-26T09:30:00+01:00"));
    assert!(ran.status == Some(0) && ran.out.ends_with("\nallowed\n"), "{ran:?}");
    assert!(ran.out.contains("policy company\n") && ran.out.contains("policy lab\n"), "{}", ran.out);
    let ran = explain(&envelope, r#"{"name": "pay"}"#, &at("2026-11-26T08:30:00+01:00"));
    assert!(ran.out.contains("time.hour gte 8: false, found number 7"), "{}", ran.out);
    assert!(ran.out.contains("denied by /tools/pay/require/identity.grant-eq"), "{}", ran.out);
    let nobody = explain(&envelope, r#"{"name": "pay"}"#, &["--route", "lab"]);
    assert!(nobody.out.contains("denied by (no policy)"), "{}", nobody.out);
    let elsewhere = explain(&envelope, r#"{"name": "pay"}"#, &["--path", "/mlflow/mcp"]);
    assert!(elsewhere.out.contains("by /routes/1") && elsewhere.out.ends_with("\nallowed\n"), "{}", elsewhere.out);
    let first = explain(&envelope, r#"{"name": "delete_all"}"#, &[]);
    assert!(first.out.contains("by /routes/0") && first.out.contains("\nhidden by (hidden)\n"), "{}", first.out);
}

#[test]
fn what_the_configuration_makes_of_the_decision_is_said() {
    let bare = ENVELOPE.replace("\"routes\"", "\"mode\": \"observe\", \"routes\"");
    let ran = explain(&file(&bare), r#"{"name": "delete_all"}"#, &[]);
    assert!(
        ran.out.contains("\nhidden by (hidden)\n") && ran.out.contains("note: the filter only observes"),
        "{ran:?}"
    );
    let sse = ENVELOPE.replace("\"/mlflow/*\"", "\"/mlflow/*\", \"transport\": \"sse\"");
    let ran = explain(&file(&sse), r#"{"name": "delete_all"}"#, &["--path", "/mlflow/x"]);
    assert!(ran.out.contains("note: on this route answers travel on another stream"), "{ran:?}");
    let known = ENVELOPE
        .replace("\"routes\"", "\"identity\": {\"grant\": [{\"header\": \"x-user\"}], \"required\": true}, \"routes\"");
    let call = r#"{"name": "get"}"#;
    let ran = explain(&file(&known), call, &["--path", "/mlflow/x"]);
    assert!(ran.out.contains("\nunauthorized by (no grant)\n"), "{ran:?}");
    let ran = explain(&file(&known), call, &["--path", "/mlflow/x", "--grant", "ada"]);
    assert!(ran.out.ends_with("\nallowed\n"), "{ran:?}");
}

#[test]
fn what_a_record_would_hold_is_named() {
    let policy = r#"{"version": "1", "default": "deny",
        "all_tools": {"record": ["identity.claims.team"]}, "tools": {"get": {"record": ["args.a[*]"]}, "put": {}}}"#;
    let call = r#"{"name": "get", "arguments": {"a": ["s3cret"]}}"#;
    let without = "note: nothing is recorded, as the configuration has no `audit`\n";
    let ran = explain(&file(policy), call, &[]);
    assert!(
        ran.out.contains("\n  records  args.a[*], identity.claims.team\n") && ran.out.ends_with(without),
        "{ran:?}"
    );
    let key = "0123456789abcdef0123456789abcdef";
    let audited = format!(
        r#"{{"policies": {{"p": {policy}}}, "routes": [{{"policy": "p"}}], "audit": {{"digest_key": "{key}"}}}}"#
    );
    let ran = explain(&file(&audited), call, &["--format", "json"]);
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(said["policies"][0]["records"], json!(["args.a[*]", "identity.claims.team"]));
    assert_eq!(said["notes"], json!([]));
}

#[test]
fn what_may_be_a_credential_is_never_shown() {
    let secrets = ["--grant", "s3cret-grant", "--header", "x-api-key: k-s3cret", "--claim", "team=lab"];
    let envelope = file(ENVELOPE);
    for options in [&secrets[..], &[&secrets[..], &["--format", "json"]].concat()] {
        let ran = explain(&envelope, r#"{"name": "pay"}"#, options);
        assert!(ran.status == Some(0) && ran.out.contains("x-api-key"), "{ran:?}");
        assert!(!ran.out.contains("s3cret") && !ran.said.contains("s3cret"), "{ran:?}");
    }
    let ran = explain(&envelope, r#"{"name": "pay"}"#, &["--header", "s3cret"]);
    assert!(ran.status == Some(1) && !ran.said.contains("s3cret"), "{ran:?}");
}

#[test]
fn a_call_cannot_steer_the_terminal() {
    let call = "{\"name\": \"\\u001b[2J\\u009b1m\", \"arguments\": {\"run_id\": \"\\u009b2K\"}}";
    let policy = file(
        r#"{"version": "1", "default": "allow", "all_tools": {"deny_if": [{"conditions": [
        {"path": "args.run_id", "op": "exists"}]}]}}"#,
    );
    let ran = explain(&policy, call, &[]);
    assert!(ran.out.contains(r"\u{1b}[2J\u{9b}1m") && ran.out.contains(r"\u{9b}2K"), "{ran:?}");
    assert!(!ran.out.contains(['\u{1b}', '\u{9b}']), "{ran:?}");
}

#[test]
fn a_schema_is_explained_where_it_is_looked_at() {
    let policy = file(
        r#"{"version": "1", "default": "deny", "tools": {"create_run": {
        "schema": {"properties": {"robot_ip": {"type": "string", "format": "ipv4"}}, "required": ["robot_ip"]},
        "require": [{"conditions": [{"path": "args.robot_ip", "op": "cidr", "value": "10.0.0.0/8"}]}]}}}"#,
    );
    let ran = explain(&policy, r#"{"name": "create_run", "arguments": {"robot_ip": "s3cret"}}"#, &[]);
    let refuses = "  schema   /tools/create_run/schema, from the policy, refuses: args.robot_ip: must be of the format `ipv4` (`format`)\n";
    assert!(ran.out.contains(refuses) && !ran.out.contains("s3cret") && !ran.out.contains("require"), "{}", ran.out);
    let ran = explain(&policy, r#"{"name": "create_run", "arguments": {"robot_ip": "10.0.0.7"}}"#, &[]);
    assert!(ran.out.contains("/tools/create_run/schema, from the policy, matches\n  require"), "{}", ran.out);
}

#[test]
fn the_schema_of_a_lock_is_explained_by_its_route() {
    let configuration = file(
        r#"{"policies": {"p": {"version": "1", "default": "deny", "all_tools": {"schema": "from_lock"}, "tools": {"get_run": {}}}},
        "locks": {"lab": {"version": "1", "tools": {"get_run": {"sha256": "8103dbb0f098ab69850a88a66d9c619b24ae5ef1eb70b26a02c5c0678f054a98",
        "inputSchema": {"required": ["run_id"]}}}}}, "routes": [{"policy": "p", "lock": "lab"}]}"#,
    );
    let ran = explain(&configuration, r#"{"name": "get_run"}"#, &[]);
    assert!(ran.out.contains("/all_tools/schema, from the lock, refuses: args: `run_id` is missing"), "{}", ran.out);
}

#[test]
fn json_has_the_same_steps() {
    let ran = opentrons(r#"{"name": "create_run", "arguments": {"robot_ip": 7}}"#, &["--format", "json"]);
    let explained: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(explained["decision"]["outcome"], "denied");
    assert_eq!(explained["decision"]["rule"], "/tools/create_run/require/args.robot_ip-cidr");
    let steps = explained["policies"][0]["steps"].as_array().unwrap();
    let kinds: Vec<&str> = steps.iter().filter_map(|step| step["step"].as_str()).collect();
    assert_eq!(kinds, ["hidden", "rule", "action", "predicate"]);
    assert_eq!(steps[3]["conditions"][0]["found"][0], serde_json::json!({ "kind": "number", "value": 7 }));
}

#[test]
fn what_cannot_be_explained_is_an_error() {
    let ran = explain(&file(r#"{"version": "1", "default": "den"}"#), "{}", &[]);
    assert!(ran.status == Some(1) && ran.said.contains("/default: "), "{ran:?}");
    for (call, said) in [
        ("[]", "invalid"),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "a batch is judged message by message"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "this is an answer"),
    ] {
        let ran = opentrons(call, &[]);
        assert!(ran.said.contains(said) && ran.status == Some(1) || ran.out.contains(said), "{call}: {ran:?}");
    }
    for wrong in [&["--time", "noon"][..], &["--claim", "team"]] {
        assert_eq!(opentrons("{}", wrong).status, Some(1), "{wrong:?}");
    }
    assert_eq!(mcp_policy(&["explain", "call.json"], "").status, Some(2));
}

#[test]
fn a_limit_of_the_fleet_says_that_a_service_is_asked() {
    let limit = r#"{"counter": "c", "window": "day", "align": "calendar", "max": 5, "store": "global"}"#;
    let policy = file(&format!(
        r#"{{"policies": {{"p": {{"version": "1", "default": "deny", "tools": {{"t": {{"limits": [{limit}]}}}}}}}},
        "routes": [{{"policy": "p"}}],
        "global_counters": {{"cluster": "ratelimit", "digest_key": "0123456789abcdef0123456789abcdef"}}}}"#
    ));
    let ran = explain(&policy, r#"{"name": "t"}"#, &[]);
    assert!(
        ran.out.contains("from counter `c` of the rate-limit service, which is asked last of all\n"),
        "{}",
        ran.out
    );
    let ran = explain(&policy, r#"{"name": "t"}"#, &["--format", "json"]);
    let explained: Value = serde_json::from_str(&ran.out).unwrap();
    let steps = explained["policies"][0]["steps"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["store"], "global");
}
