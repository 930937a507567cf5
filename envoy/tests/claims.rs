//! What a checked token says of its bearer, in conditions and in the choice of a policy.

use anyhow::Result;
use envoy::{
    Config, Envoy,
    filters::{PolicyFilter, jwt_authn},
    policed::held,
    token::token,
    upstream::Upstream,
    wire,
};
use serde_json::{Value, json};

async fn start(configuration: &Value) -> Result<(Upstream, Envoy)> {
    let upstream = Upstream::json(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#).await?;
    let config = Config::new(upstream.address()).in_front(jwt_authn()).policy(PolicyFilter::new(configuration)?);
    let envoy = Envoy::start(&config).await?;
    Ok((upstream, envoy))
}

/// The rule that refuses the call of `tool` by a bearer of `claims`.
async fn refusal(envoy: &Envoy, tool: &str, claims: &Value) -> Result<Option<String>> {
    let call = wire::call(tool, &json!({}));
    let response = wire::post(envoy.url("/mcp"), &call).bearer_auth(token("ada", claims)).send().await?;
    assert_eq!(response.status(), 200, "{claims}");
    Ok(wire::rule(&response.json().await?).map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_on_a_claim_wants_the_claims_own_type() -> Result<()> {
    let require = |path: &str, op: &str, value: Value| json!({ "require": [{ "conditions": [{ "path": path, "op": op, "value": value }], "on_deny": "No." }] });
    let (upstream, envoy) = start(&held(&json!({ "version": "1", "default": "deny", "tools": {
        "by_group": require("identity.claims.groups", "contains", json!("robotics")),
        "by_level": require("identity.claims.level", "gte", json!(3)),
        "by_role": require("identity.claims.realm_access.roles", "contains", json!("operator")),
        "by_odd_name": require(r#"identity.claims["https://lab.example/team"]"#, "eq", json!("wet-lab")),
        "by_staff": require("identity.claims.staff", "eq", json!(true)),
    } })))
    .await?;
    let cases = [
        ("by_group", json!({ "groups": ["wet-lab", "robotics"] }), true),
        ("by_group", json!({ "groups": ["finance"] }), false),
        ("by_group", json!({ "groups": [] }), false),
        ("by_group", json!({ "groups": { "robotics": true } }), false),
        ("by_group", json!({}), false),
        ("by_level", json!({ "level": 3 }), true),
        ("by_level", json!({ "level": 3.5 }), true),
        ("by_level", json!({ "level": 2 }), false),
        ("by_level", json!({ "level": -4 }), false),
        ("by_level", json!({ "level": "9" }), false),
        ("by_level", json!({ "level": null }), false),
        ("by_level", json!({}), false),
        ("by_role", json!({ "realm_access": { "roles": ["reader", "operator"] } }), true),
        ("by_role", json!({ "realm_access": { "roles": ["reader"] } }), false),
        ("by_role", json!({ "realm_access": ["operator"] }), false),
        ("by_role", json!({ "realm_access.roles": ["operator"] }), false),
        ("by_odd_name", json!({ "https://lab.example/team": "wet-lab" }), true),
        ("by_odd_name", json!({ "https://lab.example/team": "Wet-Lab" }), false),
        ("by_staff", json!({ "staff": true }), true),
        ("by_staff", json!({ "staff": "true" }), false),
    ];
    for (tool, claims, admitted) in &cases {
        let refusal = refusal(&envoy, tool, claims).await?;
        assert_eq!(refusal.is_none(), *admitted, "{tool}: {claims}: {refusal:?}");
    }
    assert_eq!(upstream.seen().len(), cases.iter().filter(|(_, _, admitted)| *admitted).count());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_route_whose_claims_hold_gives_the_policy() -> Result<()> {
    let policy = |tool: &str| json!({ "version": "1", "default": "deny", "tools": { tool: {} } });
    let (_upstream, envoy) = start(&json!({
        "policies": { "operators": policy("create_run"), "readers": policy("get_runs") },
        "routes": [
            { "when": { "claims.realm_access.roles": "operator", "claims.lab": "west" }, "policy": "operators" },
            { "when": { "claims.realm_access.roles": "reader" }, "policy": "readers" },
        ],
        "identity": { "grant": [{ "jwt_claim": "sub", "payload_in_metadata": "jwt" }] },
        "request_headers": "hold",
        "unmatched": "pass",
    }))
    .await?;
    let roles = |roles: Value, lab: &str| json!({ "realm_access": { "roles": roles }, "lab": lab });
    for (claims, create_run, get_runs) in [
        (roles(json!(["operator"]), "west"), None, Some("(default deny)")),
        (roles(json!(["reader", "operator"]), "west"), None, Some("(default deny)")),
        (roles(json!(["reader", "operator"]), "east"), Some("(default deny)"), None),
        (roles(json!("reader"), "east"), Some("(default deny)"), None),
        // Never passed: the place is policed, and no policy is for this bearer.
        (roles(json!(["operator"]), "east"), Some("(no policy)"), Some("(no policy)")),
        (roles(json!(["Reader"]), "west"), Some("(no policy)"), Some("(no policy)")),
        (json!({}), Some("(no policy)"), Some("(no policy)")),
    ] {
        assert_eq!(refusal(&envoy, "create_run", &claims).await?.as_deref(), create_run, "{claims}");
        assert_eq!(refusal(&envoy, "get_runs", &claims).await?.as_deref(), get_runs, "{claims}");
    }
    Ok(())
}
