//! `mcp-policy export`, as it is run.

use crate::common::mcp_policy;

const CONFIGURATION: &str = r#"{
  "policies": { "lab": { "version": "1", "default": "deny", "tools": { "run": { "limits": [
    { "counter": "runs", "window": "day", "align": "calendar", "max": 20, "store": "global" } ] } } } },
  "routes": [{ "policy": "lab" }],
  "global_counters": { "cluster": "limitador", "digest_key": "0123456789abcdef0123456789abcdef" }
}"#;

#[test]
fn the_limits_file_goes_to_standard_output() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), CONFIGURATION).unwrap();
    let of_file = mcp_policy(&["export", "limitador", file.path().to_str().unwrap()], "");
    assert_eq!((of_file.status, of_file.said.as_str()), (Some(0), ""));
    for part in
        ["- namespace: \"mcp\"\n", "max_value: 20\n", "seconds: 86400\n", r#"descriptors[0].counter == \"runs\""#]
    {
        assert!(of_file.out.contains(part), "{part} in {of_file:?}");
    }
    assert_eq!(mcp_policy(&["export", "limitador", "-"], CONFIGURATION), of_file);
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_nothing_is_written() {
    let broken = CONFIGURATION.replace("\"max\": 20", "\"max\": -1").replace("0123456789abcdef0", "");
    let ran = mcp_policy(&["export", "limitador", "-"], &broken);
    assert_eq!((ran.status, ran.out.as_str()), (Some(1), ""));
    let lines: Vec<&str> = ran.said.lines().collect();
    let ["error: `<stdin>` does not check:", max, key] = lines.as_slice() else { panic!("{ran:?}") };
    assert!(max.starts_with("<stdin>:3:71: /policies/lab/tools/run/limits/0/max: expected"), "{max}");
    assert!(key.starts_with("<stdin>:5:62: /global_counters/digest_key: expected a secret"), "{key}");
}

#[test]
fn a_configuration_without_global_limits_has_no_limits_file() {
    let bare = r#"{"version": "1", "default": "deny", "tools": {"run": {"rate_limit": "1/day"}}}"#;
    let ran = mcp_policy(&["export", "limitador", "-"], bare);
    assert_eq!((ran.status, ran.out.as_str()), (Some(1), ""));
    assert!(ran.said.contains("no limit"), "{ran:?}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let ran = mcp_policy(&["export", "limitador", "/nowhere/policy.json"], "");
    assert!(ran.status == Some(1) && ran.said.contains("cannot read `/nowhere/policy.json`"), "{ran:?}");
}

#[test]
fn the_help_shows_an_example_and_a_wrong_command_line_has_its_own_status() {
    let ran = mcp_policy(&["export", "limitador", "--help"], "");
    assert!(ran.status == Some(0) && ran.out.contains("> limits.yaml"), "{ran:?}");
    for wrong in [&["exprot"][..], &["export"], &["export", "limitador"], &["export", "limitador", "a", "b"]] {
        assert_eq!(mcp_policy(wrong, "").status, Some(2), "{wrong:?}");
    }
}

#[test]
fn shells_complete_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = mcp_policy(&["completions", shell], "");
        assert!(ran.status == Some(0) && ran.out.contains("limitador") && ran.out.contains("upstream"), "{shell}");
    }
}
