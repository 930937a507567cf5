//! Which policies hold where: by Envoy's own choice, by host and by path; and several at once.

use anyhow::Result;
use envoy::{Cluster, Config, Envoy, Route, config::UPSTREAM, filters::PolicyFilter, upstream::Upstream, wire};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const TOOLS: [&str; 3] = ["get_runs", "create_run", "home_robot"];

/// A policy that allows only these tools.
fn only(tools: &[&str]) -> Value {
    let tools: Value =
        tools.iter().map(|tool| ((*tool).to_owned(), json!({}))).collect::<serde_json::Map<_, _>>().into();
    json!({ "version": "1", "default": "deny", "tools": tools })
}

/// Envoy with two clusters and two named routes, `/robot` and `/store`; everything else goes to the first cluster.
async fn start(policies: Value, routes: Value) -> Result<(Upstream, Envoy)> {
    let tools: Vec<Value> =
        TOOLS.iter().map(|name| json!({ "name": name, "inputSchema": { "type": "object" } })).collect();
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": tools } }).to_string();
    let upstream = Upstream::json(&answer).await?;
    let configuration = json!({ "policies": policies, "routes": routes, "request_headers": "hold" });
    let config = Config::new(upstream.address())
        .cluster(Cluster::new("second", upstream.address()))
        .route(Route::new("robot", "/robot", UPSTREAM))
        .route(Route::new("store", "/store", "second"))
        .policy(PolicyFilter::new(configuration)?);
    let envoy = Envoy::start(&config).await?;
    Ok((upstream, envoy))
}

/// The rules that refuse the three tools at `path` of `host`.
async fn refusals(envoy: &Envoy, host: &str, path: &str) -> Result<Vec<String>> {
    let mut rules = Vec::new();
    for tool in TOOLS {
        let request = wire::post(envoy.url(path), &wire::call(tool, &json!({}))).header("host", host);
        rules.push(wire::rule(&request.send().await?.json().await?).unwrap_or_default().to_owned());
    }
    Ok(rules)
}

const DENIED: &str = "(default deny)";
const UNCOVERED: [&str; 3] = ["(no policy)"; 3];

#[tokio::test(flavor = "multi_thread")]
async fn each_of_route_cluster_host_and_path_chooses_a_policy() -> Result<()> {
    let policies =
        json!({ "reads": only(&["get_runs"]), "runs": only(&["create_run"]), "home": only(&["home_robot"]) });
    let (reads, runs, home) = (["", DENIED, DENIED], [DENIED, "", DENIED], [DENIED, DENIED, ""]);
    let (_upstream, envoy) = start(
        policies,
        json!([
            { "route": "robot", "policy": "reads" },
            { "cluster": "second", "policy": "runs" },
            { "host": "lab.example", "path": "/mlflow/*", "policy": "home" },
            { "host": "lab.example", "policy": "reads" },
            { "path": "/exact", "policy": "runs" },
        ]),
    )
    .await?;
    for (host, path, expected) in [
        ("any.example", "/robot/mcp", reads),
        ("any.example", "/store/mcp", runs),
        // Envoy's choice is named first, so the host does not matter.
        ("lab.example", "/store/mcp", runs),
        ("lab.example", "/mlflow/mcp", home),
        ("LAB.example.:8443", "/mlflow/mcp?x=/exact", home),
        ("lab.example", "/elsewhere", reads),
        ("any.example", "/exact", runs),
        ("any.example", "/exact/", runs),
        ("any.example", "/%65xact", runs),
        ("any.example", "/a/../exact", runs),
        ("any.example", "/exactly", UNCOVERED),
        ("any.example", "/Exact", UNCOVERED),
        ("not-lab.example", "/mlflow/mcp", UNCOVERED),
    ] {
        assert_eq!(refusals(&envoy, host, path).await?, expected, "{host}{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_policies_all_must_allow_and_lists_show_what_all_show() -> Result<()> {
    let company = json!({ "version": "1", "default": "allow", "hide": ["home_*"], "all_tools": {
        "limits": [{ "counter": "all", "window": "hour", "max": 3, "scope": "global" }],
    } });
    let team = json!({ "version": "1", "default": "deny", "listing": "allowed", "tools": {
        "get_runs": { "limits": [{ "counter": "reads", "window": "hour", "max": 2, "scope": "global" }] }, "home_robot": {},
    } });
    let policies = json!({ "company": company, "team": team });
    let (upstream, envoy) = start(
        policies,
        json!([
            { "route": "robot", "policy": ["company", "team"] },
            { "route": "store", "policy": "company" },
        ]),
    )
    .await?;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    for (path, expected) in [("/robot", vec!["get_runs"]), ("/store", vec!["get_runs", "create_run"])] {
        let listing: Value = wire::post(envoy.url(path), &list).send().await?.json().await?;
        let names: Vec<&str> = listing["result"]["tools"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tool| tool["name"].as_str())
            .collect();
        assert_eq!(names, expected, "{path}");
    }
    let before = upstream.seen().len();
    let outcome = async |path: &str, tool: &str| -> Result<Value> {
        Ok(wire::post(envoy.url(path), &wire::call(tool, &json!({}))).send().await?.json().await?)
    };
    // One hides it, the other has it: it is unknown.
    assert_eq!(outcome("/robot", "home_robot").await?["error"]["code"], -32602);
    // One allows it, the other lists only what it names: unknown too.
    assert_eq!(outcome("/robot", "create_run").await?["error"]["code"], -32602);
    assert_eq!(upstream.seen().len(), before);
    for rule in [None, None, Some("/tools/get_runs/limits/reads"), Some("/tools/get_runs/limits/reads")] {
        assert_eq!(wire::rule(&outcome("/robot", "get_runs").await?), rule);
    }
    // What the team's limit refused was not taken from the company's.
    for rule in [None, Some("/all_tools/limits/all")] {
        assert_eq!(wire::rule(&outcome("/store", "create_run").await?), rule);
    }
    assert_eq!(upstream.seen().len(), before + 3);
    Ok(())
}

/// Posts `body` to a path just as it is spelled, and says whether the server saw it.
async fn reaches(envoy: &Envoy, upstream: &Upstream, path: &str, body: &str) -> Result<bool> {
    let before = upstream.seen().len();
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: lab.example\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect(envoy.address()).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = vec![];
    // Not to the end: Envoy lingers before it closes.
    stream.read_buf(&mut answer).await?;
    assert!(answer.starts_with(b"HTTP/1.1 "), "{path}: no answer");
    Ok(upstream.seen().len() > before)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_path_dodges_its_route() -> Result<()> {
    let configuration = json!({
        "policies": {"strict": {"version": "1", "default": "deny", "tools": {"get_runs": {}}}},
        "routes": [{"path": "/lab/mcp", "policy": "strict"}],
        "unmatched": "pass",
        "request_headers": "hold",
    });
    let denied = wire::call("home_robot", &json!({})).to_string();
    let allowed = wire::call("get_runs", &json!({})).to_string();
    for normal in [true, false] {
        let upstream = Upstream::json("{}").await?;
        let config = Config::new(upstream.address()).policy(PolicyFilter::new(&configuration)?);
        let config = if normal { config } else { config.raw_paths() };
        let envoy = Envoy::start(&config).await?;
        assert!(reaches(&envoy, &upstream, "/lab/mcp", &allowed).await?);
        // What is not the route's passes unjudged, so that what follows means something.
        assert!(reaches(&envoy, &upstream, "/elsewhere", &denied).await?);
        for path in [
            "/lab/mcp",
            "/lab/mcp/",
            "/lab//mcp",
            "//lab/mcp",
            "/lab/./mcp",
            "/x/../lab/mcp",
            "/lab/%2e/mcp",
            "/x/%2e%2e/lab/mcp",
            "/%6cab/mc%70",
            "/lab%2fmcp",
            "/lab%5cmcp",
            "/lab\\mcp",
            "/x/..%2flab/mcp",
            "/x/..;/lab/mcp",
            "/lab/mcp;v=1",
            "/lab;v=1/mcp",
            "/LAB/mcp",
            "/lab/MCP",
            "/lab/mc%50",
            "/lab/mcp?x",
            "/lab/mcp%3fx",
            "/lab/mcp%23",
            "/%256cab/mcp",
            "/lab/mcp%00",
        ] {
            assert!(!reaches(&envoy, &upstream, path, &denied).await?, "{path} (normal: {normal})");
        }
    }
    Ok(())
}
