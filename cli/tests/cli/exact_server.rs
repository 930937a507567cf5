//! MCP servers that say of their tools, byte for byte, what a test gives them, over each of the transports.

use std::fs;

use axum::{
    Json, Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::broadcast;

use crate::mcp_server::Server;

/// What is answered to `initialize`.
fn initialized() -> Value {
    json!({
        "protocolVersion": "2025-06-18",
        "capabilities": { "tools": {} },
        "serverInfo": { "name": "exact", "version": "1" }
    })
}

/// The answer to a message, if it gets one. A cursor is the number of a page; each page is the text of an array.
fn answer(message: &Value, pages: &[&str]) -> Option<String> {
    let result = match message["method"].as_str()? {
        "initialize" => initialized().to_string(),
        "tools/list" => {
            let page = message["params"]["cursor"].as_str().map_or(0, |cursor| cursor.parse().unwrap());
            let next = page + 1;
            let next = if next < pages.len() { format!(r#","nextCursor":"{next}""#) } else { String::new() };
            format!(r#"{{ "tools": {}{next} }}"#, pages[page])
        }
        _ => return None,
    };
    Some(format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, message["id"]))
}

/// A server whose answers are JSON at `/json`, events at `/events`, and come over HTTP+SSE at `/sse`.
pub(crate) fn serve(pages: &'static [&'static str]) -> Server {
    let json = move |Json(message): Json<Value>| async move { one(&message, pages, "application/json", |text| text) };
    let events = move |Json(message): Json<Value>| async move { one(&message, pages, "text/event-stream", event) };
    let (answers, _) = broadcast::channel::<String>(8);
    let stream = answers.clone();
    let open = move || async move {
        let first = "event: endpoint\ndata: /messages\n\n".to_owned();
        let rest = futures_util::stream::unfold(stream.subscribe(), |mut answers| async {
            let text = answers.recv().await.ok()?;
            Some((event(text), answers))
        });
        let all = futures_util::StreamExt::chain(futures_util::stream::iter([first]), rest);
        let all = futures_util::StreamExt::map(all, Ok::<_, std::convert::Infallible>);
        ([(CONTENT_TYPE, "text/event-stream")], axum::body::Body::from_stream(all))
    };
    let deliver = move |Json(message): Json<Value>| async move {
        answer(&message, pages).map(|text| answers.send(text).unwrap());
        StatusCode::ACCEPTED
    };
    let router = Router::new()
        .route("/json", post(json))
        .route("/events", post(events))
        .route("/sse", get(open))
        .route("/messages", post(deliver));
    Server::serve(router)
}

fn event(text: String) -> String {
    format!(": hello\n\nid: 0\ndata:\n\nevent: message\ndata: {}\n\n", text.replace('\n', "\ndata: "))
}

fn one(message: &Value, pages: &[&str], kind: &'static str, body: impl FnOnce(String) -> String) -> Response {
    match answer(message, pages) {
        Some(text) => ([(CONTENT_TYPE, kind)], body(text)).into_response(),
        None => StatusCode::ACCEPTED.into_response(),
    }
}

/// A command that starts such a server, for as long as its folder is kept.
pub(crate) fn command(pages: &[&str]) -> (String, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let ask = |cursor: Value| json!({ "id": "ID", "method": "tools/list", "params": { "cursor": cursor } });
    let mut cases = String::new();
    // The shell takes the first pattern that matches: later pages are told by their cursor.
    for page in (0..pages.len()).rev() {
        let pattern = if page == 0 { r#""tools/list""#.to_owned() } else { format!(r#""cursor":"{page}""#) };
        let text = answer(&ask(page.to_string().into()), pages).unwrap().replace(r#""ID""#, "%s").replace('\n', " ");
        let file = folder.path().join(format!("{page}"));
        fs::write(&file, text + "\n").unwrap();
        cases.push_str(&format!("*'{pattern}'*) sed \"s/%s/$id/\" '{}';;\n", file.display()));
    }
    let hello =
        json!({ "jsonrpc": "2.0", "id": "ID", "result": initialized() }).to_string().replace(r#""ID""#, "'$id'");
    let script = format!(
        "while read -r line; do\nid=$(printf '%s' \"$line\" | sed 's/.*\"id\":\\([0-9]*\\).*/\\1/')\ncase $line in\n\
         *'\"initialize\"'*) printf '%s\\n' '{hello}';;\n{cases}esac\ndone\n"
    );
    let file = folder.path().join("server.sh");
    fs::write(&file, script).unwrap();
    (format!("sh '{}'", file.display()), folder)
}
