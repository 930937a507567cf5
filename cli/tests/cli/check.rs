//! `mcp-policy check`, as it is run.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::common::mcp_policy;

const RIGHT: &str = r#"{ "version": "1", "default": "deny", "tools": { "get_run": {} } }"#;

/// Two errors, after a tab and wide characters.
const WRONG: &str = "{\n  \"version\": \"1\",\n\t\"default\": \"deny\", \"tols\": {},\n  \"description\": \"名前\", \"listing\": \"some\"\n}\n";

/// One warning.
const DOUBTFUL: &str = r#"{ "version": "1", "default": "deny", "hide": ["delete_*"], "tools": { "delete_run": {} } }"#;

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_document_without_doubt_is_counted_and_no_more() {
    let ran = mcp_policy(&["check", "-"], RIGHT);
    assert_eq!((ran.status, ran.out.as_str(), ran.said.as_str()), (Some(0), "no errors, no warnings in 1 file\n", ""));
}

#[test]
fn every_error_of_every_file_is_shown_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let (wrong, broken) = (file(folder.path(), "wrong.json", WRONG), file(folder.path(), "broken.json", "{"));
    let ran = mcp_policy(&["check", &wrong, "/nowhere/p.json", &broken, "-"], RIGHT);
    assert_eq!(ran.status, Some(1));
    for part in [
        format!("error[unknown-field]: unknown field `tols`\n --> {wrong}:3:21\n"),
        "3 |     \"default\": \"deny\", \"tols\": {},\n  |                        ^^^^^^\n".to_owned(),
        "= help: did you mean `tools`?\n".to_owned(),
        format!("error[unknown-word]: unknown word `some`, expected `all` or `allowed`\n --> {wrong}:4:35\n"),
        // Each of the two characters takes two columns.
        "4 |   \"description\": \"名前\", \"listing\": \"some\"\n  |                                     ^^^^^^\n"
            .to_owned(),
        "error[unreadable]: cannot read `/nowhere/p.json`".to_owned(),
        format!(" --> {broken}:1:2\n"),
        "\n4 errors, no warnings in 4 files\n".to_owned(),
    ] {
        assert!(ran.out.contains(&part), "{part}\nis not in\n{}", ran.out);
    }
}

#[test]
fn a_line_that_no_editor_shows_whole_is_cut_around_the_place() {
    let long = format!(r#"{{"version":"1","default":"deny","description":"{}","tols":{{}}}}"#, "é".repeat(100_000));
    let ran = mcp_policy(&["check", "-"], &long);
    assert!(ran.out.contains("<stdin>:1:100050") && ran.out.contains("…é") && ran.out.len() < 2_000, "{}", ran.out);
    assert!(ran.out.contains(r#"é","tols":{}}"#), "{}", ran.out);
}

#[test]
fn warnings_fail_only_where_they_are_denied_and_not_where_they_are_allowed() {
    let ran = mcp_policy(&["check", "-"], DOUBTFUL);
    assert_eq!(ran.status, Some(0));
    assert!(ran.out.contains("warning[unreachable-rule]: ") && ran.out.ends_with("no errors, 1 warning in 1 file\n"));
    assert_eq!(mcp_policy(&["check", "--deny-warnings", "-"], DOUBTFUL).status, Some(1));
    let allowed = mcp_policy(&["check", "--deny-warnings", "--allow", "unreachable-rule", "-"], DOUBTFUL);
    assert_eq!((allowed.status, allowed.out.as_str()), (Some(0), "no errors, no warnings in 1 file\n"));
    let unknown = mcp_policy(&["check", "--allow", "unreachable-rules", "-"], DOUBTFUL);
    assert!(unknown.status == Some(2) && unknown.said.contains("did you mean `unreachable-rule`?"), "{unknown:?}");
}

#[test]
fn programs_get_the_same_as_json() {
    let ran = mcp_policy(&["check", "--format", "json", "-"], WRONG);
    assert_eq!(ran.status, Some(1));
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&said["errors"], &said["warnings"], &said["notes"]), (&json!(2), &json!(0), &json!(0)));
    let expected = json!({
        "file": "<stdin>", "severity": "error", "code": "unknown-field", "message": "unknown field `tols`",
        "help": "did you mean `tools`?", "pointer": "/tols", "line": 3, "column": 21, "end_line": 3, "end_column": 27,
        "offset": 40,
    });
    assert_eq!(said["findings"][0], expected);
}

#[test]
fn github_shows_each_finding_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let odd = file(folder.path(), "a,b.json", WRONG);
    let ran = mcp_policy(&["check", "--format", "github", &odd], "");
    let place = odd.replace(',', "%2C");
    let first = format!(
        "::error file={place},line=3,endLine=3,col=21,endColumn=27,title=unknown-field::unknown field `tols`%0Ahelp: did \
         you mean `tools`?"
    );
    assert_eq!((ran.status, ran.out.lines().next()), (Some(1), Some(first.as_str())));
}

#[test]
fn code_scanning_gets_sarif() {
    let ran = mcp_policy(&["check", "--format", "sarif", "-"], DOUBTFUL);
    assert_eq!(ran.status, Some(0));
    let log: Value = serde_json::from_str(&ran.out).unwrap();
    let run = &log["runs"][0];
    let result = &run["results"][0];
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!((&log["version"], &run["columnKind"]), (&json!("2.1.0"), &json!("unicodeCodePoints")));
    assert_eq!((&result["ruleId"], &result["level"]), (&json!("unreachable-rule"), &json!("warning")));
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    let region = json!({ "startLine": 1, "startColumn": 71, "endLine": 1, "endColumn": 83 });
    assert_eq!(result["locations"][0]["physicalLocation"]["region"], region);
    assert_eq!(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "/tools/delete_run");
    // A run without findings is a run that found nothing.
    let clean: Value = serde_json::from_str(&mcp_policy(&["check", "--format", "sarif", "-"], RIGHT).out).unwrap();
    assert_eq!(clean["runs"][0]["results"], json!([]));
}

#[test]
fn names_and_arguments_are_held_against_what_a_server_offers() {
    let folder = tempfile::tempdir().unwrap();
    let tools = file(
        folder.path(),
        "tools.json",
        r#"[{ "name": "get_run", "inputSchema": { "type": "object", "properties": { "run_id": {} } } }]"#,
    );
    let policy = r#"{ "version": "1", "default": "deny", "tools": { "get_runs": {}, "get_run": { "require": [
        { "conditions": [{ "path": "args.runid", "op": "exists" }] }] } } }"#;
    let ran = mcp_policy(&["check", "--deny-warnings", "--tools", &tools, "-"], policy);
    assert_eq!(ran.status, Some(1));
    for part in
        ["no tool of the list matches `get_runs`", "did you mean `get_run`?", "did you mean `run_id`?", "2 warnings"]
    {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
}

#[test]
fn what_is_shipped_raises_no_doubt() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut files = Vec::new();
    for folder in fs::read_dir(examples).unwrap() {
        let folder = folder.unwrap().path();
        let policies = fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap().path());
        files.extend(policies.filter(|path| {
            // A policy has a version; what else lies there is for other commands.
            path.extension().is_some_and(|ext| ext == "json")
                && fs::read_to_string(path).unwrap().contains("\"version\"")
        }));
    }
    assert!(files.len() >= 5, "{files:?}");
    let mut arguments = vec!["check", "--deny-warnings"];
    arguments.extend(files.iter().map(|path| path.to_str().unwrap()));
    let ran = mcp_policy(&arguments, "");
    assert_eq!(ran.status, Some(0), "{}", ran.out);
}
