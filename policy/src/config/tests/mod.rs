//! Whole configurations.

mod refused;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::document::model::Default as PolicyDefault;
use crate::quota::WhenFull;

const DENY: &str = r#"{"version": "1", "default": "deny"}"#;

fn config(text: &str) -> Config {
    load(text.as_bytes()).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// An envelope around one policy that holds everywhere, with these members besides.
fn envelope(members: &str) -> String {
    format!(r#"{{"policies": {{"p": {DENY}}}, "routes": [{{"policy": "p"}}], {members}}}"#)
}

/// An envelope around one policy with this tool.
fn with_rule(rule: &str, members: &str) -> String {
    let policy = format!(r#"{{"version": "1", "default": "deny", "tools": {{"t": {rule}}}}}"#);
    format!(r#"{{"policies": {{"p": {policy}}}, "routes": [{{"policy": "p"}}]{members}}}"#)
}

#[test]
fn a_bare_policy_holds_on_every_path() {
    let config = config(DENY);
    assert_eq!(config.policies.len(), 1);
    assert_eq!(&*config.policies[0].0, "");
    assert_eq!(config.policies[0].1.default, PolicyDefault::Deny);
    let [route] = config.routes.as_slice() else { panic!() };
    assert!(route.host.is_none() && route.path.is_none() && route.route.is_none() && route.cluster.is_none());
    assert_eq!((route.policies.as_slice(), route.transport), (&[0][..], Transport::Streamable));
}

#[test]
fn what_is_left_out_has_its_default() {
    for config in [config(DENY), config(&envelope(r#""description": "x", "$schema": "y""#))] {
        assert_eq!((config.mode, config.denial, config.disclose), (Mode::Enforce, Denial::ToolResult, Disclose::Rule));
        assert_eq!((config.request_headers, config.retries), (RequestHeaders::Stream, Retries::Off));
        assert_eq!((config.max_body_bytes, config.max_depth, config.max_event_bytes), (1_048_576, 64, 1_048_576));
        assert_eq!(config.counters, crate::quota::Settings::default());
        assert_eq!(config.unmatched, Unmatched::Deny);
        assert!(config.global_counters.is_none() && config.approvals.is_none() && config.pass_paths.is_empty());
        assert!(config.identity.grant.is_empty() && !config.identity.required);
        assert_eq!(config.needs, Needs::default());
    }
}

/// Every field at once.
const WHOLE: &str = r#"{
  "policies": {
    "company": { "version": "1", "default": "allow" },
    "robots": { "version": "1", "default": "deny", "tools": {
      "home_robot": { "action": "require_approval" },
      "create_run": { "limits": [{ "counter": "runs", "window": "day", "align": "calendar", "max": 5, "store": "global" }] } } },
    "mlflow-read": { "version": "1", "default": "deny" }
  },
  "routes": [
    { "route": "robots", "when": { "claims.groups": "robotics", "identity.claims[\"a.b\"].c": "d" }, "policy": ["company", "robots"] },
    { "host": "MCP.example.com.", "path": "/mlflow/mcp", "cluster": "mlflow", "policy": "mlflow-read", "transport": "sse", "sse_denial": "status" }
  ],
  "unmatched": "pass",
  "pass_paths": ["/.well-known/oauth-*"],
  "identity": {
    "grant": [
      { "jwt_claim": "sub", "payload_in_metadata": "payload" }, { "jwt_claim": "azp" },
      { "filter_state": "io.istio.peer_principal" }, { "peer_certificate": "uri_san" },
      { "header": "X-Api-Key" }, { "metadata": ["my.filter", "user", "id"] } ],
    "required": true, "resource_metadata": "https://mcp.example.com/.well-known/oauth-protected-resource" },
  "mode": "observe", "denial": "jsonrpc_error", "disclose": "reason", "request_headers": "hold", "retries": "route", "batches": "refuse",
  "max_body_bytes": "2MiB", "max_depth": 32.0, "max_event_bytes": 65536,
  "counters": { "max_bytes": "64MiB", "when_full": "share" },
  "global_counters": { "cluster": "ratelimit", "domain": "lab", "timeout": "20ms", "on_error": "allow",
    "digest_key": "0123456789abcdef0123456789abcdef" },
  "approvals": { "cluster": "approvals", "timeout": "10s" }
}"#;

#[test]
fn an_envelope_with_every_part_is_read() {
    let config = config(WHOLE);
    let names: Vec<_> = config.policies.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["company", "robots", "mlflow-read"]);
    let [robots, mlflow] = config.routes.as_slice() else { panic!() };
    assert_eq!((robots.route.as_deref(), robots.policies.as_slice()), (Some("robots"), &[0, 1][..]));
    assert_eq!(robots.when[0].path, ["groups".into()]);
    assert_eq!(&*robots.when[0].value, "robotics");
    assert_eq!(robots.when[1].path, ["a.b".into(), "c".into()]);
    assert_eq!((mlflow.host.as_deref(), mlflow.cluster.as_deref()), (Some("mcp.example.com"), Some("mlflow")));
    assert!(mlflow.path.as_ref().unwrap().matches("/mlflow/mcp"));
    assert_eq!(mlflow.transport, Transport::Sse(SseDenial::Status));
    assert_eq!(config.unmatched, Unmatched::Pass);
    assert!(config.pass_paths[0].matches("/.well-known/oauth-protected-resource"));
    assert_eq!(
        config.identity.grant,
        [
            GrantSource::JwtClaim { claim: "sub".into(), payload_in_metadata: "payload".into() },
            GrantSource::JwtClaim { claim: "azp".into(), payload_in_metadata: "jwt".into() },
            GrantSource::FilterState("io.istio.peer_principal".into()),
            GrantSource::PeerCertificate(Certificate::UriSan),
            GrantSource::Header("x-api-key".into()),
            GrantSource::Metadata { path: vec!["my.filter".into(), "user".into(), "id".into()] },
        ]
    );
    assert!(config.identity.required && config.identity.resource_metadata.is_some());
    assert_eq!(&*config.identity.payload_in_metadata, "payload");
    assert_eq!((config.mode, config.denial, config.disclose), (Mode::Observe, Denial::JsonRpcError, Disclose::Reason));
    assert_eq!((config.request_headers, config.retries), (RequestHeaders::Hold, Retries::Route));
    assert_eq!(config.batches, Batches::Refuse);
    assert_eq!((config.max_body_bytes, config.max_depth, config.max_event_bytes), (2 << 20, 32, 1 << 16));
    assert_eq!(config.counters, crate::quota::Settings::new(64 << 20, WhenFull::Share).unwrap());
    let global = config.global_counters.unwrap();
    assert_eq!((&*global.cluster, &*global.domain, global.allow_on_error), ("ratelimit", "lab", true));
    assert_eq!(global.timeout, Duration::from_millis(20));
    assert_eq!(config.approvals.unwrap().timeout, Duration::from_secs(10));
}

#[test]
fn services_have_defaults_of_their_own() {
    let rule = r#"{"action": "require_approval", "limits": [
        {"counter": "c", "window": "day", "max": 1, "align": "calendar", "store": "global"}]}"#;
    let members = r#", "global_counters": {"cluster": "rls", "digest_key": "0123456789abcdef0123456789abcdef"}, "approvals": {"cluster": "desk"}"#;
    let config = config(&with_rule(rule, members));
    let global = config.global_counters.unwrap();
    assert_eq!((&*global.domain, global.timeout, global.allow_on_error), ("mcp", Duration::from_millis(50), false));
    assert_eq!(config.approvals.unwrap().timeout, Duration::from_secs(2));
}

#[test]
fn the_digest_key_is_never_shown() {
    let limit = r#"{"counter": "c", "window": "day", "max": 1, "align": "calendar", "store": "global"}"#;
    let with_key = |key: &str| {
        let members = format!(r#", "global_counters": {{"cluster": "rls", "digest_key": {key}}}"#);
        with_rule(&format!(r#"{{"limits": [{limit}]}}"#), &members)
    };
    let long = "sesame".repeat(43);
    for key in [r#""open sesame""#, r#"["open sesame"]"#, &format!("\"{long}\""), r#""open sesame\q""#] {
        let errors = load(with_key(key).as_bytes()).expect_err(key);
        assert!(!format!("{errors} {errors:?}").contains("sesame"), "{errors:?}");
    }
    let config = config(&with_key(r#""open sesame, open sesame, open sesame""#));
    assert!(!format!("{config:?}").contains("sesame"));
}

#[test]
fn approval_without_a_service_is_a_denial_and_loads() {
    config(&with_rule(r#"{"action": "require_approval"}"#, ""));
}

#[test]
fn rules_are_reported_by_their_place_in_the_policy() {
    let config = config(&with_rule(r#"{"rate_limit": "1/day", "deny_if": [{"conditions": []}]}"#, ""));
    let rule = &config.policies[0].1.tools.exact["t"];
    assert_eq!(&*rule.pointer, "/tools/t");
    assert_eq!(&*rule.limits[0].pointer, "/tools/t/rate_limit");
    assert_eq!(&*rule.deny_if[0].pointer, "/tools/t/deny_if/0");
}

#[test]
fn only_what_some_rule_looks_at_is_needed() {
    let rule = |rule: &str| config(&with_rule(rule, "")).needs;
    let limit = |limit: &str| rule(&format!(r#"{{"limits": [{{"counter": "c", "max": 1, {limit}}}]}}"#));
    let condition = |condition: &str| rule(&format!(r#"{{"require": [{{"conditions": [{{{condition}}}]}}]}}"#));
    let none = Needs::default;
    assert_eq!(limit(r#""window": "day""#), none());
    assert_eq!(limit(r#""window": "day", "scope": "client_ip""#), Needs { client_ip: true, ..none() });
    assert_eq!(limit(r#""window": "day", "scope": "claim:team""#), Needs { metadata: true, ..none() });
    assert_eq!(limit(r#""window": "day", "align": "calendar""#), Needs { calendar: true, ..none() });
    assert_eq!(condition(r#""path": "time.hour", "op": "gt", "value": 8"#), Needs { wall_time: true, ..none() });
    assert_eq!(condition(r#""path": "args.a", "op": "exists""#), none());
    let claims = ["team".to_owned()].into();
    let needs = condition(r#""path": "identity.claims.team.name", "op": "exists""#);
    assert_eq!(needs, Needs { claims, metadata: true, ..none() });
    let route = |route: &str| {
        config(&format!(r#"{{"policies": {{"p": {DENY}}}, "routes": [{{"policy": "p", {route}}}]}}"#)).needs
    };
    assert_eq!(route(r#""route": "a""#), Needs { route: true, ..none() });
    assert_eq!(route(r#""cluster": "a""#), Needs { cluster: true, ..none() });
    assert_eq!(route(r#""host": "[::1]", "path": "/*""#), none());
    assert_eq!(route(r#""when": {"claims.a": "b"}"#), Needs { metadata: true, ..none() });
    let identity = |source: &str| config(&envelope(&format!(r#""identity": {{"grant": [{source}]}}"#))).needs;
    assert_eq!(identity(r#"{"jwt_claim": "sub"}"#), Needs { metadata: true, ..none() });
    assert_eq!(identity(r#"{"header": "x-key"}"#), none());
}

proptest! {
    #[test]
    fn no_mutation_makes_the_loader_panic(
        edits in proptest::collection::vec((0..WHOLE.len(), prop::sample::select(&b"\"{}[],:*?.\\/0198-ae\xc3 \n"[..]), 0..3_usize), 1..4)
    ) {
        let mut text = WHOLE.as_bytes().to_vec();
        for (at, byte, removed) in edits {
            let at = at.min(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, [byte]);
        }
        if let Err(errors) = load(&text) {
            prop_assert!(errors.iter().all(|error| error.offset() <= text.len()));
        }
    }
}
