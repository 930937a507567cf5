//! `mcp-policy test`, as it is run.

use std::{fs, path::Path};

use quick_junit::Report;
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Ran, mcp_policy};

const POLICY: &str = r#"{ "version": "1", "default": "deny", "hide": ["gone_*"], "tools": {
  "run": { "rate_limit": "3/minute" }, "look": {}, "never": { "action": "deny" }, "always": { "deny_if": [{}] } } }"#;

const GOOD: &str = "\
about: What passes.
policy: policy.json
scenarios:
  - name: looking is free
    steps:
      - { call: { name: look }, times: 20, expect: passes }
";

const BAD: &str = "\
about: What does not come out so.
policy: ../policy.json
scenarios:
  - name: running is free
    steps:
      - { call: { name: look }, expect: passes }
      - about: as often as you like
        call: { name: run }
        times: 9
        expect: passes
  - name: this holds
    steps:
      - { call: { name: run }, expect: passes }
";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn test(folder: &TempDir, options: &[&str]) -> Ran {
    let path = folder.path().to_str().unwrap();
    mcp_policy(&[&["test"], options, &[path]].concat(), "")
}

#[test]
fn every_example_does_what_its_cases_say() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let ran = mcp_policy(&["test", examples.to_str().unwrap()], "");
    assert_eq!((ran.status, ran.said.as_str()), (Some(0), ""), "{}", ran.out);
    assert!(ran.out.lines().last().unwrap().starts_with("ok: "), "{}", ran.out);
    for taught in ["opentrons", "mlflow"] {
        let folder = examples.join(taught);
        let ran = mcp_policy(&["test", "--min-coverage", "100", folder.to_str().unwrap()], "");
        assert_eq!(ran.status, Some(0), "{}", ran.out);
    }
}

#[test]
fn the_files_of_a_folder_are_found_however_deep_and_a_file_is_run_whatever_its_name() {
    let folder = folder(&[
        ("policy.json", POLICY),
        ("cases.yaml", GOOD),
        ("a/b/more.cases.yaml", &GOOD.replace("policy.json", "../../policy.json")),
        ("a/other.yaml", "no cases"),
        (".hidden/cases.yaml", "no cases"),
        ("odd.yml", GOOD),
    ]);
    let ran = test(&folder, &[]);
    assert_eq!((ran.status, ran.said.as_str()), (Some(0), ""), "{}", ran.out);
    assert!(ran.out.ends_with("ok: 2 scenarios (40 steps in 2 files)\n"), "{}", ran.out);
    let odd = folder.path().join("odd.yml");
    let ran = mcp_policy(&["test", odd.to_str().unwrap(), odd.to_str().unwrap()], "");
    assert!(ran.status == Some(0) && ran.out.contains("ok: 1 scenario (20 steps in 1 file)"), "{ran:?}");
    let ran = mcp_policy(&["test", folder.path().join("a/b/..").join("nothing").to_str().unwrap()], "");
    assert!(ran.status == Some(1) && ran.said.contains("cannot read"), "{ran:?}");
}

#[test]
fn a_folder_without_cases_is_an_error() {
    let ran = test(&folder(&[("policy.json", POLICY)]), &[]);
    assert!(ran.status == Some(1) && ran.said.contains("no `cases.yaml` or `*.cases.yaml` in"), "{ran:?}");
}

#[test]
fn a_case_that_comes_out_otherwise_fails_with_its_place_and_both_values() {
    let folder = folder(&[("policy.json", POLICY), ("cases.yaml", GOOD), ("b/cases.yaml", BAD)]);
    let ran = test(&folder, &[]);
    assert_eq!((ran.status, ran.said.as_str()), (Some(1), ""), "{}", ran.out);
    let file = folder.path().join("b/cases.yaml").display().to_string();
    for part in [
        format!("FAIL {file}:4: running is free\n"),
        format!("  {file}:7: running is free, step 2 (as often as you like), time 4\n"),
        "    the filter says: limited: tools/call run by policy /tools/run/rate_limit\n".to_owned(),
        "    what the server got\n      expected: one request\n      found:    []\n".to_owned(),
        "failed: 1 of 3 scenarios (31 steps in 2 files)\n".to_owned(),
    ] {
        assert!(ran.out.contains(&part), "{part} in {}", ran.out);
    }
    assert!(!ran.out.contains("time 5") && !ran.out.contains("this holds"), "{}", ran.out);
}

#[test]
fn a_file_that_cannot_be_run_is_told_with_its_place_and_the_others_are_run() {
    let folder = folder(&[
        ("policy.json", POLICY),
        ("broken.json", "{\"version\": \"1\",\n \"default\": \"deny\", \"tols\": {}}"),
        ("a.cases.yaml", &GOOD.replace("call:", "cal:")),
        ("b.cases.yaml", &GOOD.replace("policy.json", "broken.json")),
        ("c.cases.yaml", &GOOD.replace("policy.json", "nowhere.json")),
        ("cases.yaml", GOOD),
    ]);
    let ran = test(&folder, &[]);
    assert_eq!(ran.status, Some(1));
    for part in [
        "a.cases.yaml:6:11: ",
        "unknown field `cal`",
        "broken.json:2:21: /tols: unknown field `tols`, did you mean `tools`?",
        "nowhere.json`",
    ] {
        assert!(ran.said.contains(part), "{part} in {}", ran.said);
    }
    assert!(ran.out.contains("failed: 0 of 1 scenario (20 steps in 4 files), and 3 files could not be run"), "{ran:?}");
}

#[test]
fn a_scenario_whose_settings_the_filter_refuses_fails_alone() {
    let odd =
        "  - name: odd\n    settings: { mod: observe }\n    steps:\n      - { call: { name: look }, expect: passes }\n";
    let ran = test(&folder(&[("policy.json", POLICY), ("cases.yaml", &(GOOD.to_owned() + odd))]), &[]);
    assert_eq!(ran.status, Some(1));
    assert!(ran.out.contains("cases.yaml:7: odd") && ran.out.contains("did you mean `mode`?"), "{}", ran.out);
    assert!(ran.out.contains("failed: 1 of 2 scenarios"), "{}", ran.out);
}

#[test]
fn rules_that_no_case_reached_are_named_and_can_be_too_many() {
    let whole = GOOD.to_owned()
        + "      - { call: { name: gone_1 }, expect: { hidden: gone_1 } }
      - { call: { name: always }, expect: { denied: /tools/always/deny_if/0 } }
      - { call: { name: run }, times: 3, expect: passes }
";
    let folder = folder(&[("policy.json", POLICY), ("cases.yaml", &whole)]);
    let ran = test(&folder, &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.out);
    let said = "policy.json: 4 of 6 rules (66 %), no case reached\n  /tools/never\n  /tools/run/rate_limit\n";
    assert!(ran.out.contains(said), "{}", ran.out);
    assert_eq!(test(&folder, &["--min-coverage", "66"]).status, Some(0));
    let ran = test(&folder, &["--min-coverage", "67"]);
    assert!(ran.status == Some(1) && ran.out.contains("has 66 %, 67 % are wanted"), "{}", ran.out);
    assert!(ran.out.contains("failed: 0 of 1 scenario (25 steps in 1 file), too little is covered"), "{}", ran.out);
}

#[test]
fn what_a_list_leaves_out_and_what_a_server_may_not_ask_is_reached() {
    let policy = r#"{ "version": "1", "default": "deny", "hide": ["gone_*"], "resources": { "hide": ["file:///a/*"] },
        "methods": { "elicitation/create": { "action": "deny" }, "sampling/*": { "action": "deny" } } }"#;
    let cases = "about: x\npolicy: policy.json\nscenarios:\n  - name: n\n    steps:\n      \
        - { request: { method: tools/list }, answer: { result: { tools: [{ name: gone_1 }] } }, expect: { lacks: [gone_1] } }\n      \
        - request: { method: resources/read, params: { uri: \"file:///a/x/../b\" } }\n        expect: { hidden: \"file:///a/x/../b\" }\n      \
        - request: { method: tools/list }\n        \
          answer: { events: [{ jsonrpc: \"2.0\", id: 7, method: elicitation/create, params: {} }] }\n        expect: { lacks: [elicitation] }\n";
    let ran = test(&folder(&[("policy.json", policy), ("cases.yaml", cases)]), &[]);
    assert_eq!(ran.status, Some(0), "{}", ran.out);
    let said = "3 of 4 rules (75 %), no case reached\n  /methods/sampling~1*\n";
    assert!(ran.out.contains(said), "{}", ran.out);
}

#[test]
fn what_passes_counts_for_the_policies_of_its_route() {
    let envelope = format!(
        r#"{{"policies": {{"a": {POLICY}, "b": {POLICY}}},
            "routes": [{{"path": "/a", "policy": "a"}}, {{"path": "/b", "when": {{"claims.team": "lab"}}, "policy": "b"}}]}}"#
    );
    let cases = "about: x\nconfiguration: envelope.json\nscenarios:\n  - name: n\n    steps:\n      \
        - { path: /a, call: { name: look }, expect: passes }\n      \
        - { path: /b, call: { name: look }, expect: { denied: (no policy) } }\n      \
        - { path: /b, claims: { team: [lab] }, call: { name: never }, expect: { denied: /tools/never } }\n";
    let ran = test(&folder(&[("envelope.json", &envelope), ("cases.yaml", cases)]), &["--format", "json"]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let missed = |index: usize| report["coverage"][index]["missed"].to_string();
    assert_eq!([&report["coverage"][0]["name"], &report["coverage"][1]["name"]], ["a", "b"]);
    assert!(!missed(0).contains("look") && missed(0).contains("/tools/never"), "{report:#}");
    assert!(missed(1).contains("look") && !missed(1).contains("/tools/never"), "{report:#}");
}

#[test]
fn junit_is_well_formed_and_has_a_case_for_each_scenario() {
    let bad = BAD.replace("running is free", "running <is> & \"free\"");
    let folder = folder(&[("policy.json", POLICY), ("b/cases.yaml", &bad), ("c.cases.yaml", "about: 1\n")]);
    let ran = test(&folder, &["--format", "junit", "--min-coverage", "90"]);
    assert_eq!(ran.status, Some(1));
    let report = Report::deserialize_from_str(&ran.out).unwrap_or_else(|error| panic!("{error}\n{}", ran.out));
    // Two scenarios, a file that cannot be run, and a policy that is not covered.
    assert_eq!((report.tests, report.failures, report.errors), (4, 2, 1), "{}", ran.out);
    let names: Vec<&str> = report.test_suites[0].test_cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["running <is> & \"free\"", "this holds"]);
    assert_eq!(report.test_suites[2].name.as_str(), "coverage");
}

#[test]
fn json_says_what_failed_where() {
    let folder = folder(&[("policy.json", POLICY), ("b/cases.yaml", BAD)]);
    let ran = test(&folder, &["--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.status, &report["passed"]), (Some(1), &Value::from(false)));
    let failure = &report["files"][0]["scenarios"][0]["failures"][0];
    assert_eq!((&failure["line"], &failure["step"]), (&Value::from(7), &Value::from(2)));
    assert_eq!(failure["differences"][0]["expected"], "one request");
    assert_eq!(report["files"][0]["scenarios"][1]["passed"], true);
}

#[test]
fn the_filter_can_be_named_and_must_be_there() {
    let folder = folder(&[("policy.json", POLICY), ("cases.yaml", GOOD)]);
    let ran = test(&folder, &["--filter", "/nowhere/filter.wasm"]);
    assert!(ran.status == Some(1) && ran.said.contains("there is no filter at `/nowhere/filter.wasm`"), "{ran:?}");
    let module = host_test::filter_wasm().unwrap();
    let ran = test(&folder, &["--filter", module.to_str().unwrap()]);
    assert_eq!(ran.status, Some(0), "{ran:?}");
    for wrong in [&["test"][..], &["test", "--min-coverage", "101", "."], &["test", "--format", "xml", "."]] {
        assert_eq!(mcp_policy(wrong, "").status, Some(2), "{wrong:?}");
    }
}
