//! Whole sessions of the official Python client, over both transports that there are for them: at `server-everything`,
//! and at a server on the official Python SDK whose tools answer the same.

use anyhow::Result;
use envoy::{
    Config, Envoy,
    filters::PolicyFilter,
    real::{RealServer, python_client},
};
use serde_json::{Value, json};

/// What is allowed, what is hidden, and what no rule names.
fn calls() -> [(&'static str, Value); 4] {
    [
        ("echo", json!({ "message": "hello" })),
        ("get-env", json!({})),
        ("get-sum", json!({ "a": 1, "b": 2 })),
        ("echo", json!({ "message": "again" })),
    ]
}

/// The policy, on a route whose sessions speak `transport`.
fn configuration(transport: &str) -> Value {
    let policy = json!({ "version": "1", "default": "deny", "hide": ["get-env"], "tools": { "echo": {} } });
    json!({
        "policies": { "only": policy },
        "routes": [{ "policy": "only", "transport": transport }],
        "request_headers": "hold",
    })
}

/// What each call of a session came to: the code of an error, or the text of a result.
fn outcomes(session: &Value) -> Vec<&Value> {
    let calls = session["calls"].as_array().into_iter().flatten();
    calls.map(|call| call.pointer("/error/code").unwrap_or(&call["text"])).collect()
}

/// A session at `server` itself, and one through the filter.
async fn sessions(server: &RealServer, path: &str, transport: &str) -> Result<[Value; 2]> {
    let filter = PolicyFilter::new(configuration(transport))?;
    let envoy = Envoy::start(&Config::new(server.address()).policy(filter)).await?;
    let straight = python_client(&format!("http://{}{path}", server.address()), &calls()).await?;
    Ok([straight, python_client(&envoy.url(path), &calls()).await?])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamable_session_is_policed() -> Result<()> {
    let server = RealServer::everything_streamable().await?;
    let [straight, policed] = sessions(&server, "/mcp", "streamable").await?;
    assert_eq!(outcomes(&straight)[2], "The sum of 1 and 2 is 3.");
    assert_eq!(outcomes(&policed)[..2], [&json!("Echo: hello"), &json!(-32602)]);
    assert_eq!(policed["calls"][2]["meta"]["rule"], "(default deny)", "{policed}");
    assert_eq!(outcomes(&policed)[3], "Echo: again");
    assert!(straight["tools"].to_string().contains("get-env"), "{straight}");
    assert!(!policed["tools"].to_string().contains("get-env"), "{policed}");
    Ok(())
}

/// What is refused is answered on the event stream, where only the server can write: it does not know the method that
/// it is sent instead, and says so with this code.
async fn a_session_of_2024_is_policed(server: RealServer, unknown: i32) -> Result<()> {
    let [straight, policed] = sessions(&server, "/sse", "sse").await?;
    assert_eq!(outcomes(&straight)[2], "The sum of 1 and 2 is 3.");
    let unknown = json!(unknown);
    assert_eq!(outcomes(&policed), [&json!("Echo: hello"), &unknown, &unknown, &json!("Echo: again")]);
    assert!(straight["tools"].to_string().contains("get-env"), "{straight}");
    assert!(!policed["tools"].to_string().contains("get-env"), "{policed}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_2024_is_policed_at_server_everything() -> Result<()> {
    a_session_of_2024_is_policed(RealServer::everything_sse().await?, -32601).await
}

/// The Python SDK reads what it does not know as a request with bad parameters. The session goes on all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_2024_is_policed_at_a_python_server() -> Result<()> {
    a_session_of_2024_is_policed(RealServer::python_sse().await?, -32602).await
}
