//! `mcp-policy init`, as it is run.

use std::{convert::Infallible, fs, future::pending, net::TcpListener};

use axum::{
    Router,
    http::header::CONTENT_TYPE,
    routing::{any, get},
};
use serde_json::{Value, json};

use crate::{
    common::{Ran, mcp_policy},
    mcp_server::{Manner, Server, TOOLS, command, serve_events},
};

fn init(arguments: &[&str], input: &str) -> Ran {
    mcp_policy(&[&["init"], arguments].concat(), input)
}

/// The policy of [`TOOLS`].
fn policy() -> String {
    let ran = init(&["-"], TOOLS);
    assert_eq!((ran.status, ran.said.as_str()), (Some(0), ""));
    ran.out
}

#[track_caller]
fn fails(ran: &Ran, part: &str) {
    assert!(ran.status == Some(1) && ran.out.is_empty() && ran.said.contains(part), "{ran:?}");
}

#[test]
fn every_tool_gets_the_rule_of_its_class() {
    let text = policy();
    let mut policy: Value = serde_json::from_str(&text).unwrap();
    let description = policy["description"].take();
    let limit = |name: &str, max: u8| json!([{ "counter": name, "window": "minute", "max": max, "scope": "grant" }]);
    let path = &policy["tools"]["create_note"]["deny_if"][0]["conditions"];
    assert_eq!((&path[0]["path"], &path[1]["op"]), (&json!("args.file_path"), &json!("exists")));
    let deny_if = policy["tools"]["create_note"]["deny_if"].take();
    assert_eq!(deny_if.as_array().unwrap().len(), 1);
    let kind = json!([{
        "conditions": [{ "path": "args.kind", "op": "in", "value": ["lab", "office"] }],
        "on_deny": "`kind` must be one of: lab, office."
    }]);
    assert_eq!(
        policy,
        json!({
            "version": "1",
            "description": null,
            "default": "deny",
            "hide": ["delete_run"],
            "tools": {
                "charge_card": { "deny_if": [{ "conditions": [], "on_deny": "Requires human approval." }] },
                "create_note": { "require": kind, "deny_if": null, "limits": limit("create_note_rate", 30) },
                "get_run": {},
                "start_run": { "limits": limit("start_run_rate", 10) },
            }
        })
    );
    let description = description.as_str().unwrap();
    assert!(
        description.contains("5 tools: 1 Read (allowed), 1 Write") && description.contains("init"),
        "{description}"
    );
    assert!(text.contains("\n    \"get_run\": {},\n"), "{text}");
}

#[test]
fn the_policy_does_not_depend_on_the_order_or_the_wrapping_of_the_list() {
    let mut tools: Vec<Value> = serde_json::from_str(TOOLS).unwrap();
    tools.reverse();
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": tools } });
    assert_eq!(init(&["-"], &response.to_string()).out, policy());
}

#[test]
fn a_server_is_asked_over_http_all_its_pages() {
    for manner in [Manner::Plain, Manner::Pages] {
        let server = Server::start(manner);
        let ran = init(&["--server", &server.url("/mcp")], "");
        assert_eq!(ran, Ran { status: Some(0), out: policy(), said: String::new() }, "{manner:?}");
    }
    fails(&init(&["--server", &Server::start(Manner::Endless).url("/mcp")], ""), "comes back to the same page");
}

#[test]
fn a_server_of_the_first_revision_is_asked_over_its_event_stream() {
    let ran = init(&["--server", &serve_events(), "--timeout", "10"], "");
    assert_eq!(ran, Ran { status: Some(0), out: policy(), said: String::new() });
}

#[test]
fn a_server_is_started_and_asked_over_its_pipes() {
    let ran = init(&["--stdio", &command()], "");
    assert_eq!(ran, Ran { status: Some(0), out: policy(), said: String::new() });
}

#[test]
fn a_server_that_wants_a_sign_in_gets_the_header_that_is_given() {
    let server = Server::start(Manner::Locked);
    let url = server.url("/mcp");
    fails(
        &init(&["--server", &url], ""),
        "wants a sign-in (401): give its credential with `--header 'Authorization: Bearer TOKEN'`",
    );
    assert_eq!(init(&["--server", &url, "--header", "X-Key: open"], "").out, policy());
    let refused = init(&["--server", &url, "--header", "Authorization: Bearer sesame"], "");
    fails(&refused, "is not accepted");
    assert!(!refused.said.contains("sesame"), "{refused:?}");
    for header in ["no colon", "Mcp-Session-Id: x", "bad name: x"] {
        assert_eq!(init(&["--server", &url, "--header", header], "").status, Some(1), "{header}");
    }
}

#[test]
fn what_is_no_mcp_server_is_said_to_be_none() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    fails(&init(&["--server", &format!("http://{nobody}/mcp")], ""), "cannot connect to `http://127.0.0.1");
    let events = |data: &'static str| move || async move { ([(CONTENT_TYPE, "text/event-stream")], data) };
    let router = Router::new()
        .route("/page", any(async || "<html>hello"))
        .route("/ends", get(events("event: endpoint\ndata: /messages\n\n")))
        .route("/astray", get(events("event: endpoint\ndata: http://192.0.2.1/messages\n\n")))
        .route("/elsewhere", any(async || ([("location", "http://192.0.2.1/mcp")], axum::http::StatusCode::FOUND)))
        .route("/silent", any(async || pending::<Infallible>().await.to_string()));
    let server = Server::serve(router);
    for path in ["/page", "/nowhere", "/elsewhere"] {
        fails(&init(&["--server", &server.url(path)], ""), "is no MCP server");
    }
    fails(&init(&["--server", &server.url("/ends")], ""), "error: ");
    fails(&init(&["--server", &server.url("/astray")], ""), "sends its clients to another server, `http://192.0.2.1");
    fails(&init(&["--server", &server.url("/silent"), "--timeout", "1"], ""), "no list of tools within 1 s");
    fails(&init(&["--server", "ftp://127.0.0.1/"], ""), "is no URL of the web");
}

#[test]
fn a_command_that_is_no_server_is_told_with_what_it_said() {
    fails(&init(&["--stdio", "sh -c 'echo no key >&2; exit 3'"], ""), "no key");
    fails(&init(&["--stdio", "/nowhere/server"], ""), "cannot start `/nowhere/server`");
    fails(&init(&["--stdio", "sh -c 'unclosed"], ""), "a quote is not closed");
    fails(&init(&["--stdio", "cat /dev/zero", "--timeout", "1"], ""), "");
}

#[test]
fn a_file_is_not_written_over_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.json");
    let path = file.to_str().unwrap();
    let written = init(&["-", "-o", path], TOOLS);
    assert_eq!(written, Ran { status: Some(0), out: String::new(), said: String::new() });
    assert_eq!(fs::read_to_string(&file).unwrap(), policy());
    fs::write(&file, "reviewed").unwrap();
    fails(&init(&["-", "-o", path], TOOLS), "write over it with `--force`");
    assert_eq!(fs::read_to_string(&file).unwrap(), "reviewed");
    assert_eq!(init(&["-", "-o", path, "--force"], TOOLS).status, Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), policy());
}

#[test]
fn the_table_shows_each_tool_with_its_class_rule_and_evidence() {
    let ran = init(&["-", "--explain"], TOOLS);
    let lines: Vec<Vec<&str>> =
        ran.out.lines().map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()).collect();
    assert_eq!(lines[0], ["tool", "class", "severity", "rule", "evidence"]);
    let of = |tool: &str| lines.iter().find(|line| line[0] == tool).unwrap();
    assert_eq!(of("delete_run")[1..4], ["Destructive", "critical", "hidden"]);
    assert_eq!(of("charge_card")[1..4], ["Financial", "critical", "denied until approved"]);
    assert_eq!(of("start_run")[1..4], ["Execute", "high", "10/minute"]);
    assert_eq!(of("create_note")[1..4], ["Write", "medium", "30/minute, 2 checks"]);
    assert_eq!(of("get_run")[1..], ["Read", "low", "allowed", "\"get\" in the name, \"get\" in the description"]);
    assert!(!ran.out.contains('\u{1b}'), "colours in a pipe");
}

#[test]
fn a_list_that_is_none_is_told() {
    fails(&init(&["-"], "{}"), "`<stdin>` is no list of tools");
    fails(&init(&["-"], "[]"), "there are no tools");
    fails(&init(&["/nowhere/tools.json"], ""), "cannot read `/nowhere/tools.json`");
}

#[test]
fn a_wrong_command_line_has_its_own_status() {
    for wrong in [
        &[][..],
        &["a", "b"],
        &["a", "--server", "http://127.0.0.1/"],
        &["--server", "http://127.0.0.1/", "--stdio", "x"],
        &["a", "--header", "x: y"],
        &["a", "--force"],
        &["a", "--timeout", "0"],
    ] {
        assert_eq!(init(wrong, "").status, Some(2), "{wrong:?}");
    }
    assert!(init(&["--help"], "").out.contains("mcp-policy init tools.json > policy.json"));
}
