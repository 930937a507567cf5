//! `mcp-policy run` and `mcp-policy export envoy`: a real Envoy with a policy inside.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::common::mcp_policy;

const POLICY: &str = r#"{ "version": "1", "default": "deny", "description": "für {{port}}",
    "tools": { "get_run": {}, "create_run": { "rate_limit": "2/minute" } } }"#;

/// The Envoy that the project's tests use.
fn envoy() -> PathBuf {
    let named = std::env::var_os("ENVOY_BIN").map(PathBuf::from);
    let target = PathBuf::from(env!("CARGO_BIN_EXE_mcp-policy")).parent().unwrap().parent().unwrap().to_path_buf();
    named.unwrap_or_else(|| fetch::envoy_into(&target.join(format!("envoy-{}", fetch::ENVOY_VERSION))).unwrap())
}

/// A server that answers every request with what host and path it was asked for.
fn server() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            thread::spawn(move || {
                let (head, _) = message(&mut BufReader::new(&stream))?;
                let path = head.lines().next()?.split(' ').nth(1)?.to_owned();
                let host = head.lines().find_map(|line| line.strip_prefix("host: "))?.to_owned();
                let body =
                    format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[],"path":"{path}","host":"{host}"}}}}"#);
                let length = body.len();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n");
                stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).ok()
            });
        }
    });
    address
}

/// One HTTP message: its head in lower case, and its body.
fn message(reader: &mut impl BufRead) -> Option<(String, String)> {
    let mut head = String::new();
    while reader.read_line(&mut head).ok()? > 2 {}
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).ok()?))
}

/// What a call of a tool is answered.
fn call(address: &str, tool: &str) -> String {
    let (authority, path) = address.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    let body =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{{}}}}}}"#);
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    message(&mut BufReader::new(stream)).unwrap().1
}

/// A gate that runs, until it is dropped.
struct Gate {
    child: Child,
    url: String,
}

impl Gate {
    fn start(policy: &str, upstream: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-policy"))
            .args(["run", "--policy", "-", "--listen", "127.0.0.1:0", "--workers", "1", "--upstream", upstream])
            .env("ENVOY_BIN", envoy())
            .env("MCP_POLICY_WASM", host_test::filter_wasm().unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(policy.as_bytes()).unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }

    fn end(&mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.end();
        }
    }
}

#[test]
fn a_gate_that_runs_enforces_its_policy_until_it_is_ended() {
    let server = server();
    let mut gate = Gate::start(POLICY, &format!("http://{server}/some/mcp"));
    assert!(gate.url.ends_with("/some/mcp"), "{}", gate.url);
    let passed = call(&gate.url, "get_run");
    assert!(passed.contains(r#""path":"/some/mcp""#) && passed.contains(&format!(r#""host":"{server}""#)), "{passed}");
    assert!(call(&gate.url, "delete_run").contains("(default deny)"));
    let runs: Vec<bool> = (0..4).map(|_| call(&gate.url, "create_run").contains("[POLICY DENIED]")).collect();
    assert_eq!(runs, [false, false, true, true]);
    assert_eq!(gate.end(), Some(0));
    // Envoy has ended with it.
    let authority = gate.url.strip_prefix("http://").unwrap().split('/').next().unwrap();
    assert!(TcpStream::connect(authority).is_err());
}

#[test]
fn a_policy_that_does_not_check_starts_nothing() {
    let ran = mcp_policy(&["run", "--policy", "-", "--upstream", "http://127.0.0.1:9/"], r#"{"version": "1"}"#);
    assert_eq!((ran.status, ran.out.as_str()), (Some(1), ""));
    assert!(ran.said.contains("<stdin>:1:1: (document): missing field `default`"), "{ran:?}");
}

#[test]
fn a_filter_or_an_envoy_that_is_not_there_is_named() {
    let run = |more: &[&str]| {
        let arguments = [&["run", "--policy", "-", "--upstream", "http://127.0.0.1:9/"], more].concat();
        mcp_policy(&arguments, POLICY)
    };
    let ran = run(&["--filter", "/nowhere/filter.wasm"]);
    assert!(ran.status == Some(1) && ran.said.contains("no filter at `/nowhere/filter.wasm`"), "{ran:?}");
    let module = host_test::filter_wasm().unwrap();
    let ran = run(&["--filter", module.to_str().unwrap(), "--envoy", "/nowhere/envoy"]);
    assert!(ran.status == Some(1) && ran.said.contains("cannot start `/nowhere/envoy`"), "{ran:?}");
}

#[test]
fn an_exported_configuration_is_one_that_envoy_takes() {
    let module = host_test::filter_wasm().unwrap();
    let configuration = format!(
        r#"{{ "policies": {{ "p": {POLICY} }}, "routes": [{{ "route": "lab: \"1\"", "cluster": "c", "policy": "p" }}], "request_headers": "hold" }}"#
    );
    for (upstream, document) in [("https://mcp.example.com/mcp", POLICY), ("http://[::1]:9000/mcp", &configuration)] {
        let arguments =
            ["export", "envoy", "--policy", "-", "--upstream", upstream, "--filter", module.to_str().unwrap()];
        let ran = mcp_policy(&arguments, document);
        assert_eq!((ran.status, ran.said.as_str()), (Some(0), ""));
        let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        std::fs::write(file.path(), &ran.out).unwrap();
        let output =
            Command::new(envoy()).args(["--mode", "validate", "--config-path"]).arg(file.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}\n{}", ran.out);
    }
}
