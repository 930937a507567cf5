//! Whose call it is: a header that something in front sets, alone and beside stronger sources.

use anyhow::Result;
use envoy::{
    Config, Envoy,
    filters::{PolicyFilter, jwt_authn},
    token::token,
    upstream::Upstream,
    wire,
};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

const LIMIT: &str = "/tools/get_runs/limits/reads";

async fn start(identity: Value, jwt: bool) -> Result<(Upstream, Envoy)> {
    let configuration = json!({
        "policies": { "only": { "version": "1", "default": "deny", "tools": {
            "get_runs": { "limits": [{ "counter": "reads", "window": "hour", "max": 2 }] },
        } } },
        "routes": [{ "policy": "only" }],
        "identity": identity,
        "request_headers": "hold",
    });
    let upstream = Upstream::json(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#).await?;
    let mut config = Config::new(upstream.address()).policy(PolicyFilter::new(configuration)?);
    if jwt {
        config = config.in_front(jwt_authn());
    }
    let envoy = Envoy::start(&config).await?;
    Ok((upstream, envoy))
}

fn call(envoy: &Envoy) -> RequestBuilder {
    wire::post(envoy.url("/mcp"), &wire::call("get_runs", &json!({})))
}

/// The rules that refuse three calls in a row.
async fn three(request: &RequestBuilder) -> Result<Vec<Option<String>>> {
    let mut rules = Vec::new();
    for _ in 0..3 {
        let request = request.try_clone().unwrap_or_else(|| panic!("the body is in memory"));
        rules.push(wire::rule(&request.send().await?.json().await?).map(str::to_owned));
    }
    Ok(rules)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_counted_for_each_value_of_a_header() -> Result<()> {
    let (upstream, envoy) = start(json!({ "grant": [{ "header": "X-Api-Key" }] }), false).await?;
    let limited = [None, None, Some(LIMIT.to_owned())];
    // Values are not folded: another case is another key.
    for key in ["ada", "Ada", "ada ltd"] {
        assert_eq!(three(&call(&envoy).header("x-api-key", key)).await?, limited, "{key}");
    }
    // Whatever its name's case, it is the same header.
    assert_eq!(three(&call(&envoy).header("X-API-KEY", "ada")).await?, vec![Some(LIMIT.to_owned()); 3]);
    // Calls without it share one count.
    assert_eq!(three(&call(&envoy)).await?, limited);
    assert_eq!(upstream.seen().len(), 8);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_repeated_or_empty_says_nothing_and_is_refused() -> Result<()> {
    let sources = json!({ "grant": [{ "header": "x-api-key" }, { "jwt_claim": "sub", "payload_in_metadata": "jwt" }] });
    let (upstream, envoy) = start(sources, true).await?;
    let call = || call(&envoy).bearer_auth(token("ada", &json!({})));
    for unclear in [
        call().header("x-api-key", "ada").header("x-api-key", "grace"),
        call().header("x-api-key", "ada").header("x-api-key", "ada"),
        call().header("x-api-key", ""),
    ] {
        assert_eq!(wire::rule(&unclear.send().await?.json().await?), Some("(no grant)"));
    }
    assert_eq!(upstream.seen(), []);
    // It is not there at all: the next source decides.
    assert_eq!(call().send().await?.status(), StatusCode::OK);
    assert_eq!(upstream.seen().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_values_of_different_sources_are_different_grants() -> Result<()> {
    let sources = json!({ "grant": [{ "header": "x-api-key" }, { "jwt_claim": "sub", "payload_in_metadata": "jwt" }] });
    let (_upstream, envoy) = start(sources, true).await?;
    let by_token = call(&envoy).bearer_auth(token("ada", &json!({})));
    let by_header = call(&envoy).bearer_auth(token("grace", &json!({}))).header("x-api-key", "ada");
    for request in [by_token, by_header] {
        assert_eq!(three(&request).await?, [None, None, Some(LIMIT.to_owned())]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_not_a_text_is_refused_and_a_missing_one_asks_for_sign_in() -> Result<()> {
    let metadata = "https://mcp.example.com/.well-known/oauth-protected-resource";
    let identity = json!({
        "grant": [{ "jwt_claim": "agent", "payload_in_metadata": "jwt" }, { "header": "x-api-key" }],
        "required": true,
        "resource_metadata": metadata,
    });
    let (upstream, envoy) = start(identity, true).await?;
    for agent in [json!(7), json!(["ada"]), json!(""), json!(null), json!({ "id": "ada" })] {
        let request = call(&envoy).bearer_auth(token("x", &json!({ "agent": agent }))).header("x-api-key", "ada");
        assert_eq!(wire::rule(&request.send().await?.json().await?), Some("(no grant)"), "{agent}");
    }
    let response = call(&envoy).bearer_auth(token("x", &json!({}))).send().await?;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let challenge =
        response.headers().get("www-authenticate").and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(challenge, format!("Bearer resource_metadata=\"{metadata}\""));
    assert_eq!(upstream.seen(), []);
    Ok(())
}
