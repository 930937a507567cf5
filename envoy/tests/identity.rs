//! Whose call it is: claims that Envoy's own JWT filter checked.

use anyhow::Result;
use envoy::{
    Config, Envoy,
    client::Client,
    filters::{PolicyFilter, jwt_authn},
    lab::{Answers, LabServer},
    token::token,
};
use serde_json::{Value, json};

async fn start(configuration: &Value) -> Result<(LabServer, Envoy)> {
    let lab = LabServer::start(0, Answers::Events).await?;
    let config = Config::new(lab.address()).in_front(jwt_authn()).policy(PolicyFilter::new(configuration)?);
    let envoy = Envoy::start(&config).await?;
    Ok((lab, envoy))
}

async fn connect(envoy: &Envoy, subject: &str, claims: Value) -> Result<Client> {
    Ok(Client::connect_with_token(envoy.url("/mcp"), &token(subject, &claims)).await?)
}

fn robot() -> Value {
    json!({ "robot_ip": "10.0.0.7" })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_counted_for_each_subject() -> Result<()> {
    let (lab, envoy) = start(&json!({
        "policies": { "only": {
            "version": "1", "default": "deny",
            "tools": { "get_runs": { "limits": [{ "counter": "reads", "window": "hour", "max": 2, "scope": "grant" }] } },
        } },
        "routes": [{ "policy": "only" }],
        "identity": { "grant": [{ "jwt_claim": "sub", "payload_in_metadata": "jwt" }] },
        "request_headers": "hold",
    }))
    .await?;
    for subject in ["ada", "grace"] {
        // Two sessions of one subject are one grant.
        let (first, second) = (connect(&envoy, subject, json!({})).await?, connect(&envoy, subject, json!({})).await?);
        assert!(first.call("get_runs", robot()).await?.reached_the_tool());
        assert!(second.call("get_runs", robot()).await?.reached_the_tool());
        assert_eq!(first.call("get_runs", robot()).await?.rule(), Some("/tools/get_runs/limits/reads"));
    }
    assert_eq!(lab.times_executed("get_runs"), 4);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_chooses_the_policy_and_without_it_there_is_none() -> Result<()> {
    let (lab, envoy) = start(&json!({
        "policies": { "robotics": { "version": "1", "default": "allow" } },
        "routes": [{ "route": "everything", "when": { "claims.groups": "robotics" }, "policy": "robotics" }],
        "identity": { "grant": [{ "jwt_claim": "sub", "payload_in_metadata": "jwt" }] },
        "request_headers": "hold",
    }))
    .await?;
    let member = connect(&envoy, "ada", json!({ "groups": ["wet-lab", "robotics"] })).await?;
    assert!(member.call("get_runs", robot()).await?.reached_the_tool());
    // Not even a session: no policy says that this server may be talked to.
    let stranger = token("eve", &json!({ "groups": ["finance"] }));
    for (method, place) in [("initialize", "/error/data/rule"), ("tools/call", "/result/_meta/rule")] {
        let answer: Value = envoy::http()
            .post(envoy.url("/mcp"))
            .header("accept", "application/json, text/event-stream")
            .bearer_auth(&stranger)
            .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "name": "get_runs" } }))
            .send()
            .await?
            .json()
            .await?;
        assert_eq!(answer.pointer(place), Some(&json!("(no policy)")), "{method}: {answer}");
    }
    assert_eq!(lab.times_executed("get_runs"), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_may_ask_for_a_claim() -> Result<()> {
    let (_lab, envoy) = start(&json!({
        "policies": { "only": {
            "version": "1", "default": "deny",
            "tools": { "get_runs": { "require": [{
                "conditions": [{ "path": "identity.claims.team", "op": "eq", "value": "robotics" }],
                "on_deny": "Ask the robotics team.",
            }] } },
        } },
        "routes": [{ "policy": "only" }],
        "identity": { "grant": [{ "jwt_claim": "sub", "payload_in_metadata": "jwt" }] },
        "request_headers": "hold",
    }))
    .await?;
    let member = connect(&envoy, "ada", json!({ "team": "robotics" })).await?;
    assert!(member.call("get_runs", robot()).await?.reached_the_tool());
    for claims in [json!({}), json!({ "team": "finance" }), json!({ "team": ["robotics"] })] {
        let stranger = connect(&envoy, "eve", claims).await?;
        let outcome = stranger.call("get_runs", robot()).await?;
        assert_eq!(outcome.rule(), Some("/tools/get_runs/require/identity.claims.team-eq"), "{outcome:?}");
    }
    Ok(())
}
