//! `mcp-policy export`, as it is run.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

const CONFIGURATION: &str = r#"{
  "policies": { "lab": { "version": "1", "default": "deny", "tools": { "run": { "limits": [
    { "counter": "runs", "window": "day", "align": "calendar", "max": 20, "store": "global" } ] } } } },
  "routes": [{ "policy": "lab" }],
  "global_counters": { "cluster": "limitador", "digest_key": "0123456789abcdef0123456789abcdef" }
}"#;

fn mcp_policy(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-policy"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without reading.
    child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

fn texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_limits_file_goes_to_standard_output() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), CONFIGURATION).unwrap();
    let of_file = texts(&mcp_policy(&["export", "limitador", file.path().to_str().unwrap()], ""));
    let (status, limits, said) = of_file.clone();
    assert_eq!((status, said.as_str()), (Some(0), ""));
    for part in
        ["- namespace: \"mcp\"\n", "max_value: 20\n", "seconds: 86400\n", r#"descriptors[0].counter == \"runs\""#]
    {
        assert!(limits.contains(part), "{part} in {limits}");
    }
    assert_eq!(texts(&mcp_policy(&["export", "limitador", "-"], CONFIGURATION)), of_file);
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_nothing_is_written() {
    let broken = CONFIGURATION.replace("\"max\": 20", "\"max\": -1").replace("0123456789abcdef0", "");
    let (status, written, said) = texts(&mcp_policy(&["export", "limitador", "-"], &broken));
    assert_eq!((status, written.as_str()), (Some(1), ""));
    let lines: Vec<&str> = said.lines().collect();
    let [max, key] = lines.as_slice() else { panic!("{said}") };
    assert!(max.starts_with("<stdin>:3:71: error: /policies/lab/tools/run/limits/0/max: expected"), "{max}");
    assert!(key.starts_with("<stdin>:5:62: error: /global_counters/digest_key: expected a secret"), "{key}");
}

#[test]
fn a_configuration_without_global_limits_has_no_limits_file() {
    let bare = r#"{"version": "1", "default": "deny", "tools": {"run": {"rate_limit": "1/day"}}}"#;
    let (status, written, said) = texts(&mcp_policy(&["export", "limitador", "-"], bare));
    assert_eq!((status, written.as_str()), (Some(1), ""));
    assert!(said.contains("no limit"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let (status, _, said) = texts(&mcp_policy(&["export", "limitador", "/nowhere/policy.json"], ""));
    assert!(status == Some(1) && said.contains("cannot read `/nowhere/policy.json`"), "{said}");
}

#[test]
fn the_help_shows_an_example_and_a_wrong_command_line_has_its_own_status() {
    let (status, help, _) = texts(&mcp_policy(&["export", "limitador", "--help"], ""));
    assert!(status == Some(0) && help.contains("> limits.yaml"), "{help}");
    for wrong in [&["exprot"][..], &["export"], &["export", "limitador"], &["export", "limitador", "a", "b"]] {
        assert_eq!(texts(&mcp_policy(wrong, "")).0, Some(2), "{wrong:?}");
    }
}
