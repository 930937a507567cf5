//! `mcp-policy check` of a server that runs.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    common::{Ran, mcp_policy},
    exact_server,
};

const REVIEWED: &str = r#"[{ "name": "get_run", "max": 1.0 }, { "name": "stop_run" }, { "name": "old" }]"#;

const TODAY: [&str; 2] = [
    r#"[{ "name": "get_run", "max": 2 }, { "name": "delete_run" }]"#,
    r#"[{ "name": "stop_run", "inputSchema": { "type": "object", "properties": {} } }, { "name": "old" }]"#,
];

/// A lock of these tools.
fn lock(tools: &str) -> Value {
    serde_json::from_str(&mcp_policy(&["pin", "-"], tools).out).unwrap()
}

/// A configuration with this lock of the laboratory, and another server.
fn configuration(lab: &Value) -> Value {
    json!({
        "policies": {
            "lab": { "version": "1", "default": "allow", "tools": { "get_run": {} } },
            "office": { "version": "1", "default": "deny", "tools": { "print": {} } },
        },
        "locks": { "lab": lab, "office": lock(r#"[{ "name": "print" }]"#) },
        "routes": [
            { "route": "laboratory", "policy": "lab", "lock": "lab" },
            { "route": "printers", "policy": "office", "lock": "office" },
        ],
    })
}

/// What is checked, and the server that runs.
struct Case {
    folder: TempDir,
    url: String,
    _server: crate::mcp_server::Server,
}

impl Case {
    fn new(configuration: &Value) -> Self {
        let server = exact_server::serve(&TODAY);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mcp.json"), format!("{configuration:#}")).unwrap();
        Self { folder, url: server.url("/json"), _server: server }
    }

    fn check(&self, options: &[&str]) -> Ran {
        let file = self.folder.path().join("mcp.json");
        mcp_policy(&[&["check", file.to_str().unwrap(), "--server", &self.url], options].concat(), "")
    }

    /// Code and pointer of all that is told.
    fn told(&self, options: &[&str]) -> Vec<(String, String)> {
        let ran = self.check(&[&["--format", "json"], options].concat());
        let said: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        said["findings"].as_array().unwrap().iter().map(|f| (text(&f["code"]), text(&f["pointer"]))).collect()
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(code, pointer)| ((*code).to_owned(), (*pointer).to_owned())).collect()
}

#[test]
fn a_lock_is_compared_with_the_server_that_it_is_named_for() {
    let case = Case::new(&configuration(&lock(REVIEWED)));
    let expected = pairs(&[
        ("unpinned-tool", "/locks/lab"),
        ("changed-tool", "/locks/lab/tools/get_run"),
        ("changed-tool", "/locks/lab/tools/stop_run"),
        // The lock hides what destroys, so only what is left is allowed by default.
        ("unnamed-tool", "/policies/lab/default"),
    ]);
    for chosen in [["--lock", "lab"], ["--route", "laboratory"]] {
        assert_eq!(case.told(&chosen), expected, "{chosen:?}");
    }
    let office = [
        ("unpinned-tool", "/locks/office"),
        ("gone-tool", "/locks/office/tools/print"),
        ("unknown-tool", "/policies/office/tools/print"),
    ];
    assert_eq!(case.told(&["--lock", "office"])[..3], pairs(&office));
}

#[test]
fn a_changed_tool_fails_and_a_new_one_only_where_warnings_are_denied() {
    let changed = Case::new(&configuration(&lock(REVIEWED)));
    let ran = changed.check(&["--lock", "lab"]);
    let now = lock(&TODAY[0].replace("delete_run", "other"))["tools"]["get_run"]["sha256"].as_str().unwrap().to_owned();
    assert!(
        ran.status == Some(1) && ran.out.contains("error[changed-tool]: `get_run`") && ran.out.contains(&now),
        "{ran:?}"
    );
    assert!(ran.out.contains("they are hidden: `delete_run`"), "{ran:?}");
    for (format, part) in [("sarif", r#""ruleId": "changed-tool""#), ("github", "title=changed-tool::")] {
        let ran = changed.check(&["--lock", "lab", "--format", format]);
        assert!(ran.status == Some(1) && ran.out.contains(part), "{ran:?}");
    }
    let [one, two] = TODAY.map(|page| page.trim_matches(['[', ']']));
    let new = Case::new(&configuration(&lock(&format!("[{one}, {two}]").replace("delete_run", "purge"))));
    assert_eq!(new.check(&["--lock", "lab"]).status, Some(0));
    assert_eq!(new.check(&["--lock", "lab", "--deny-warnings"]).status, Some(1));
}

#[test]
fn the_only_lock_is_that_of_the_server_and_of_several_none_is_guessed() {
    let mut sole = configuration(&lock(REVIEWED));
    sole["policies"].as_object_mut().unwrap().remove("office");
    sole["locks"].as_object_mut().unwrap().remove("office");
    sole["routes"].as_array_mut().unwrap().pop();
    assert!(Case::new(&sole).told(&[]).contains(&("changed-tool".to_owned(), "/locks/lab/tools/get_run".to_owned())));
    let told = Case::new(&configuration(&lock(REVIEWED))).told(&[]);
    assert!(told.contains(&("unchecked-lock".to_owned(), "/locks".to_owned())), "{told:?}");
    assert!(told.iter().all(|(code, _)| code != "changed-tool"), "{told:?}");
}

#[test]
fn a_lock_or_route_that_is_not_there_is_told() {
    let case = Case::new(&configuration(&lock(REVIEWED)));
    for (chosen, why) in [(["--lock", "labs"], "has a lock `labs`"), (["--route", "lab"], "`\"route\": \"lab\"`")] {
        let ran = case.check(&chosen);
        assert!(ran.status == Some(1) && ran.out.is_empty() && ran.said.contains(why), "{ran:?}");
    }
    assert_eq!(case.check(&["--lock", "lab", "--route", "laboratory"]).status, Some(2));
    assert_eq!(case.check(&["--allow", "changed-tool"]).status, Some(2));
    assert_eq!(mcp_policy(&["check", "-", "--lock", "lab"], "{}").status, Some(2));
}

#[test]
fn a_server_is_asked_for_names_as_a_saved_list_is() {
    let server = exact_server::serve(&TODAY);
    let policy = r#"{ "version": "1", "default": "deny", "hide": ["old", "delete_run"], "tools": { "get_runs": {}, "get_run": {}, "stop_run": {} } }"#;
    let ran = mcp_policy(&["check", "-", "--server", &server.url("/events")], policy);
    assert!(
        ran.status == Some(0) && ran.out.contains("warning[unknown-tool]") && ran.out.contains("1 warning in"),
        "{ran:?}"
    );
    let nobody = mcp_policy(&["check", "-", "--server", "http://127.0.0.1:9/mcp"], policy);
    assert!(nobody.status == Some(1) && nobody.out.is_empty() && nobody.said.contains("cannot connect"), "{nobody:?}");
}

#[test]
fn a_list_that_the_filter_would_not_read_is_compared_with_no_lock() {
    let server = exact_server::serve(&[r#"[{ "name": "get_run", "x": 1, "x": 2 }]"#]);
    let configuration = configuration(&lock(REVIEWED)).to_string();
    let ran = mcp_policy(&["check", "-", "--server", &server.url("/json"), "--lock", "lab"], &configuration);
    assert!(ran.status == Some(1) && ran.out.contains("error[unreadable-list]"), "{ran:?}");
}
