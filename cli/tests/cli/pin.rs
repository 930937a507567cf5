//! `mcp-policy pin`.

use serde_json::{Value, json};

use crate::{
    common::{Ran, mcp_policy},
    exact_server,
};

const TOOLS: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[
  { "name": "stop_run", "description": "Stops a run." },
  { "name": "get_run", "description": "Reads a run.", "inputSchema": { "type": "object" } } ]}}"#;

#[test]
fn what_is_written_is_a_lock_that_the_filter_takes() {
    let ran = mcp_policy(&["pin", "-"], TOOLS);
    assert_eq!((ran.status, ran.said.as_str()), (Some(0), ""));
    let lock: Value = serde_json::from_str(&ran.out).unwrap();
    let stop_run = "37c32939f40eb7df9eca6c85ff8d40262ccc2a361b7c3bf4c3fe65920837fcb9";
    assert_eq!(lock["tools"]["stop_run"], json!({ "sha256": stop_run }));
    let configuration = json!({
        "policies": { "p": { "version": "1", "default": "deny" } }, "locks": { "lab": lock }, "routes": [{ "policy": "p", "lock": "lab" }],
    });
    assert_eq!(mcp_policy(&["check", "-"], &configuration.to_string()).status, Some(0));
}

#[test]
fn the_schemas_of_arguments_are_written_for_rules_to_go_by() {
    let ran = mcp_policy(&["pin", "-"], TOOLS);
    let lock: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(lock["tools"]["get_run"]["inputSchema"], json!({ "type": "object" }));
    assert!(ran.out.contains("      \"inputSchema\": {\"type\":\"object\"}\n"), "one line each: {}", ran.out);
    let rule = json!({ "version": "1", "default": "deny", "tools": { "get_run": { "schema": "from_lock" } } });
    let configuration =
        json!({ "policies": { "p": rule }, "locks": { "lab": lock }, "routes": [{ "policy": "p", "lock": "lab" }] });
    assert_eq!(mcp_policy(&["check", "-"], &configuration.to_string()).status, Some(0));
    let without = mcp_policy(&["pin", "-", "--no-schemas"], TOOLS);
    assert!(without.status == Some(0) && !without.out.contains("inputSchema"), "{without:?}");
}

#[test]
fn a_schema_that_no_rule_could_go_by_is_told() {
    let unusable = TOOLS.replace(r#"{ "type": "object" }"#, r#"{ "properties": { "x": { "pattern": "(?=a)" } } }"#);
    let ran = mcp_policy(&["pin", "-"], &unusable);
    assert!(ran.status == Some(0) && ran.out.contains("(?=a)"), "{ran:?}");
    assert!(ran.said.contains("\"get_run\": /properties/x/pattern: ") && ran.said.contains("look-around"), "{ran:?}");
}

#[test]
fn a_lock_that_the_filter_would_not_take_is_not_written() {
    // A schema may nest as deep as a list may, and stands some levels deeper in a configuration.
    let nested = |levels: usize| format!("{}true{}", r#"{"not":"#.repeat(levels), "}".repeat(levels));
    let deep = |levels| TOOLS.replace(r#"{ "type": "object" }"#, &nested(levels));
    assert_eq!(mcp_policy(&["pin", "-"], &deep(50)).status, Some(0));
    let ran = mcp_policy(&["pin", "-"], &deep(70));
    assert!(ran.status == Some(1) && ran.out.is_empty() && ran.said.contains("--no-schemas"), "{ran:?}");
    assert_eq!(mcp_policy(&["pin", "--no-schemas", "-"], &deep(70)).status, Some(0));
}

#[test]
fn a_list_is_held_against_a_lock() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let lock = file.path().to_str().unwrap();
    assert_eq!(mcp_policy(&["pin", "-", "-o", lock], TOOLS).status, Some(0));
    let same = mcp_policy(&["pin", "-", "--against", lock], TOOLS);
    assert_eq!((same.status, same.out.as_str()), (Some(0), "nothing is different\n"));
    let other = TOOLS.replace("Reads a run.", "Reads a run. And more.").replace("stop_run", "start_run");
    let ran = mcp_policy(&["pin", "-", "--against", lock], &other);
    assert_eq!(ran.status, Some(1));
    let lines: Vec<&str> = ran.out.lines().collect();
    let [changed, new, gone] = lines.as_slice() else { panic!("{ran:?}") };
    assert!(
        changed.starts_with("\"get_run\" changed")
            && new.starts_with("\"start_run\" new")
            && gone.starts_with("\"stop_run\" gone")
    );
}

#[test]
fn what_is_not_one_clear_list_is_refused() {
    let twice = TOOLS.replace("stop_run", "get_run");
    for (list, why) in
        [("{}", "is no list of tools"), ("[", "cannot be read"), (twice.as_str(), "lists `get_run` twice")]
    {
        let ran = mcp_policy(&["pin", "-"], list);
        assert!(ran.status == Some(1) && ran.out.is_empty() && ran.said.contains(why), "{ran:?}");
    }
    let ran = mcp_policy(&["pin", "-", "--against", "/nowhere/lock"], TOOLS);
    assert!(ran.status == Some(1) && ran.said.contains("/nowhere/lock"), "{ran:?}");
}

/// Two pages of definitions with members, numbers and spellings that a typed client would lose.
const PAGES: [&str; 2] = [
    r#"[ { "x-vendor": { "level": 1e2, "exact": 9007199254740993, "price": 0.10 }, "description": "Re\u0061ds a run.",
         "name": "get_run", "inputSchema": { "type": "object", "minimum": 2.50 }, "annotations": { "x-cost": null } } ]"#,
    r#"[ { "name": "stop_run", "execution": { "taskSupport": "optional", "odd": [] }, "description": "Stops a run." },
         { "name": "bare" } ]"#,
];

fn pin(arguments: &[&str], input: &str) -> Ran {
    mcp_policy(&[&["pin"], arguments].concat(), input)
}

/// The lock of [`PAGES`], from the saved text.
fn of_text() -> String {
    let [one, two] = PAGES.map(|page| page.trim_matches(['[', ']', ' ']));
    let ran = pin(&["-"], &format!("[{one},{two}]"));
    assert_eq!((ran.status, ran.said.as_str()), (Some(0), ""));
    ran.out
}

#[test]
fn a_server_is_pinned_as_it_speaks_over_every_transport() {
    let expected = Ran { status: Some(0), out: of_text(), said: String::new() };
    let server = exact_server::serve(&PAGES);
    for path in ["/json", "/events", "/sse"] {
        assert_eq!(pin(&["--server", &server.url(path)], ""), expected, "{path}");
    }
    let (command, _folder) = exact_server::command(&PAGES);
    assert_eq!(pin(&["--stdio", &command], ""), expected);
}

#[test]
fn a_schema_that_is_not_that_of_its_digest_is_told() {
    let tools = r#"[{"name":"a","inputSchema":{"type":"object"}},{"name":"b","inputSchema":{"maxProperties":1}}]"#;
    let mut lock: Value = serde_json::from_str(&pin(&["-"], tools).out).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let against = |lock: &Value| {
        std::fs::write(file.path(), lock.to_string()).unwrap();
        pin(&["-", "--against", file.path().to_str().unwrap()], tools)
    };
    assert_eq!(against(&lock).status, Some(0));
    lock["tools"]["b"]["inputSchema"]["maxProperties"] = json!(9);
    let ran = against(&lock);
    assert_eq!(ran.status, Some(1));
    assert!(ran.out.starts_with("\"b\" stale: ") && !ran.out.contains("\"a\""), "{ran:?}");
}

/// The filter's module looks at the same bytes, and finds what was pinned.
#[test]
fn what_is_pinned_from_a_server_is_what_the_filter_sees() {
    let server = exact_server::serve(&PAGES);
    let ran = pin(&["--server", &server.url("/json")], "");
    let lock: Value = serde_json::from_str(&ran.out).unwrap();
    let steps: Vec<Value> = PAGES
        .iter()
        .map(|page| {
            let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":{page}}}}}"#);
            json!({ "request": { "method": "tools/list" }, "answer": { "text": text }, "expect": "passes" })
        })
        .collect();
    let cases = |lock: &Value| {
        json!({
            "about": "A pinned server.",
            "policy": { "version": "1", "default": "allow" },
            "settings": {
                "locks": { "lab": lock }, "routes": [{ "policy": "policy", "lock": "lab" }],
            },
            "scenarios": [{ "name": "all is as it is pinned", "steps": steps }],
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.yaml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, cases(&lock).to_string()).unwrap();
    let ran = mcp_policy(&["test", path], "");
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let mut other = lock;
    other["tools"]["bare"]["sha256"] = json!("0".repeat(64));
    std::fs::write(&file, cases(&other).to_string()).unwrap();
    assert_eq!(mcp_policy(&["test", path], "").status, Some(1));
}

#[test]
fn a_server_is_held_against_a_lock() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let lock = file.path().to_str().unwrap();
    let (before, after) = (exact_server::serve(&PAGES), exact_server::serve(&[r#"[{ "name": "bare", "x": 1 }]"#]));
    assert_eq!(pin(&["--server", &before.url("/json"), "-o", lock], "").status, Some(0));
    let same = pin(&["--server", &before.url("/json"), "--against", lock], "");
    assert_eq!((same.status, same.out.as_str()), (Some(0), "nothing is different\n"));
    let other = pin(&["--server", &after.url("/json"), "--against", lock], "");
    assert!(other.status == Some(1) && other.out.starts_with("\"bare\" changed"), "{other:?}");
    assert_eq!(other.out.lines().count(), 3);
}

#[test]
fn a_server_whose_list_the_filter_would_not_read_is_not_pinned() {
    for (page, why) in [
        (r#"[{ "name": "a", "name": "b" }]"#, "cannot be read"),
        (r#"[{ "title": "a" }]"#, "entry 0 of the list has no name"),
        (r#"[{ "name": "a" }, { "name": "a" }]"#, "lists `a` twice"),
        ("{}", "is no list of tools"),
    ] {
        let pages: &'static [&'static str] = Box::leak(Box::new([page]));
        let server = exact_server::serve(pages);
        let ran = pin(&["--server", &server.url("/json")], "");
        assert!(ran.status == Some(1) && ran.out.is_empty() && ran.said.contains(why), "{ran:?}");
    }
}
