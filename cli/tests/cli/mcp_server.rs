//! MCP servers made with the official SDK, to be asked by the command: over HTTP in this program, over standard input and
//! output in another run of it.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{
    Router,
    extract::Request,
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt,
    model::{ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool},
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, unix::pipe},
    runtime::Runtime,
};

/// Tools, as a server defines them.
pub(crate) const TOOLS: &str = r#"[
  { "name": "get_run", "description": "Get one run.",
    "inputSchema": { "type": "object", "properties": { "run_id": { "type": "string" } }, "required": ["run_id"] } },
  { "name": "create_note", "description": "Create a note.",
    "inputSchema": { "type": "object", "required": ["kind"], "properties": {
      "kind": { "enum": ["lab", "office"] }, "file_path": { "type": "string" } } } },
  { "name": "start_run", "description": "Start a run.", "inputSchema": { "type": "object" } },
  { "name": "delete_run", "description": "Delete a run.", "inputSchema": { "type": "object" } },
  { "name": "charge_card", "description": "Charge a card.", "inputSchema": { "type": "object" } }
]"#;

/// How a server misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It does not.
    Plain,
    /// One tool a page.
    Pages,
    /// Every page is followed by itself.
    Endless,
    /// Who does not say `X-Key: open` is turned away.
    Locked,
}

#[derive(Debug, Clone)]
struct Shelf(Manner);

impl ServerHandler for Shelf {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools: Vec<Tool> = serde_json::from_str(TOOLS).unwrap();
        if matches!(self.0, Manner::Plain | Manner::Locked) {
            return Ok(ListToolsResult::with_all_items(tools));
        }
        let at: usize = request.and_then(|request| request.cursor).map_or(0, |cursor| cursor.parse().unwrap());
        let mut page = ListToolsResult::with_all_items(vec![tools[at].clone()]);
        let next = if self.0 == Manner::Endless { at } else { at + 1 };
        page.next_cursor = (next < tools.len()).then(|| next.to_string());
        Ok(page)
    }
}

/// A server on a port of its own, for as long as it is kept.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Server {
    /// An MCP server at `/mcp`.
    pub(crate) fn start(manner: Manner) -> Self {
        let make = move || Ok(Shelf(manner));
        let service: StreamableHttpService<Shelf, LocalSessionManager> =
            StreamableHttpService::new(make, Arc::default(), StreamableHttpServerConfig::default());
        let mut router = Router::new().nest_service("/mcp", service);
        if manner == Manner::Locked {
            router = router.layer(middleware::from_fn(unlocked));
        }
        Self::serve(router)
    }

    /// Any server.
    pub(crate) fn serve(router: Router) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, _runtime: runtime }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn unlocked(request: Request, next: Next) -> Response {
    if request.headers().get("x-key").is_some_and(|key| key == "open") {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

/// The URL of a server that speaks HTTP+SSE only, for one client. It answers `initialize` and `tools/list`.
pub(crate) fn serve_events() -> String {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut stream: Option<std::net::TcpStream> = None;
        for connection in listener.incoming() {
            let mut connection = BufReader::new(connection.unwrap());
            let (line, body) = request(&mut connection);
            let mut connection = connection.into_inner();
            if line.starts_with("POST /messages?s=1 ") {
                connection
                    .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .unwrap();
                if let Some(answer) = answer(&body) {
                    write!(stream.as_mut().unwrap(), "event: message\r\ndata: {answer}\r\n\r\n").unwrap();
                }
            } else if line.starts_with("GET /sse ") {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
                write!(connection, "{head}: hello\n\nevent: endpoint\ndata: /messages?s=1\n\n").unwrap();
                stream = Some(connection);
            } else {
                let head = "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                connection.write_all(head.as_bytes()).unwrap();
            }
        }
    });
    format!("http://{address}/sse")
}

/// Reads a request: its first line and its body.
fn request(connection: &mut impl BufRead) -> (String, Value) {
    let (mut first, mut length) = (String::new(), 0);
    connection.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).unwrap();
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).unwrap();
    (first, serde_json::from_slice(&body).unwrap_or_default())
}

fn answer(request: &Value) -> Option<Value> {
    let result = match request["method"].as_str()? {
        "initialize" => json!({
            "protocolVersion": "2024-11-05",
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "old", "version": "1" }
        }),
        "tools/list" => json!({ "tools": serde_json::from_str::<Value>(TOOLS).unwrap() }),
        _ => return None,
    };
    Some(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
}

/// A command that starts this program again, as a server. What the test harness prints is kept out of its output.
pub(crate) fn command() -> String {
    let program = std::env::current_exe().unwrap();
    let program = program.to_str().unwrap();
    format!("sh -c \"exec '{program}' --exact mcp_server::serve_over_pipes --ignored --nocapture 3>&1 1>/dev/null\"")
}

#[test]
#[ignore = "a server, which other tests start"]
fn serve_over_pipes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (Ok(input), Ok(output)) = (File::open("/dev/stdin"), File::options().write(true).open("/dev/fd/3")) else {
            return;
        };
        let (Ok(input), Ok(output)) = (pipe::Receiver::from_file(input), pipe::Sender::from_file(output)) else {
            return;
        };
        if let Ok(service) = Shelf(Manner::Pages).serve((input, output)).await {
            service.waiting().await.unwrap();
        }
    });
}
