//! Under which grant a call is made.

use host_test::Value as Property;
use serde_json::{Value, json};

use crate::claims::{jwt, metadata};
use crate::lab::{Lab, Request, SECRET, assert_forwarded, call, in_both_modes, is_forwarded, message, tools};

/// Lets only the call through whose grant is `alice`.
fn only_alice() -> Value {
    let is_alice = json!({"path": "identity.grant", "op": "eq", "value": "alice"});
    tools(json!({"who": {"require": [{"conditions": [is_alice], "on_deny": "Not alice."}]}}))
}

fn lab(sources: Value) -> Lab {
    Lab::with(only_alice(), json!({"identity": {"grant": sources}}))
}

fn is_alice(lab: &Lab, request: &Request) -> bool {
    is_forwarded(&request.send(&lab.worker(0), call("who", &json!({}))))
}

fn with_metadata(bytes: Vec<u8>) -> Request {
    Request::post().property(&["metadata"], Property::Bytes(bytes))
}

#[test]
fn a_claim_of_the_verified_token_is_a_grant() {
    let lab = lab(json!([{"jwt_claim": "sub"}]));
    assert!(is_alice(&lab, &with_metadata(jwt(json!({"iss": "https://idp", "sub": "alice"})))));
    assert!(!is_alice(&lab, &with_metadata(jwt(json!({"sub": "bob", "name": "alice"})))));
    assert!(!is_alice(&lab, &with_metadata(jwt(json!({"name": "alice"})))));
    assert!(!is_alice(&lab, &Request::post()));
    // What another filter wrote is no token.
    assert!(!is_alice(&lab, &with_metadata(metadata(&json!({"other.filter": {"jwt": {"sub": "alice"}}})))));
    assert!(!is_alice(
        &lab,
        &with_metadata(metadata(&json!({"envoy.filters.http.jwt_authn": {"other": {"sub": "alice"}}})))
    ));
}

#[test]
fn the_token_is_found_where_the_configuration_says() {
    let lab = lab(json!([{"jwt_claim": "azp", "payload_in_metadata": "token"}]));
    let at = |key: &str| {
        metadata(&json!({"envoy.filters.http.jwt_authn": {key: {"azp": "alice"}}, "x": {"y": [1, null, true]}}))
    };
    assert!(is_alice(&lab, &with_metadata(at("token"))));
    assert!(!is_alice(&lab, &with_metadata(at("jwt"))));
}

#[test]
fn other_metadata_filter_state_certificates_and_headers_are_grants() {
    let nested = lab(json!([{"metadata": ["my.filter", "user", "id"]}]));
    assert!(is_alice(&nested, &with_metadata(metadata(&json!({"my.filter": {"user": {"id": "alice"}}})))));
    assert!(!is_alice(&nested, &with_metadata(metadata(&json!({"my.filter": {"user": "alice"}})))));

    let state = lab(json!([{"filter_state": "io.istio.peer_principal"}]));
    assert!(is_alice(&state, &Request::post().property(&["filter_state", "io.istio.peer_principal"], "alice")));
    assert!(!is_alice(&state, &Request::post().property(&["filter_state", "other"], "alice")));

    for (word, attribute) in [
        ("uri_san", "uri_san_peer_certificate"),
        ("dns_san", "dns_san_peer_certificate"),
        ("subject", "subject_peer_certificate"),
    ] {
        let certificate = lab(json!([{"peer_certificate": word}]));
        assert!(is_alice(&certificate, &Request::post().property(&["connection", attribute], "alice")));
        assert!(!is_alice(&certificate, &Request::post().property(&["connection", attribute], "")));
    }

    let header = lab(json!([{"header": "X-User"}]));
    assert!(is_alice(&header, &Request::post().set("x-user", "alice")));
    assert!(!is_alice(&header, &Request::post().set("x-other", "alice")));
}

#[test]
fn the_first_source_that_is_present_decides() {
    let lab = lab(json!([{"jwt_claim": "sub"}, {"filter_state": "peer"}, {"header": "x-user"}]));
    let header = Request::post().set("x-user", "alice");
    let state = |value: &str| header.clone().property(&["filter_state", "peer"], value);
    assert!(is_alice(&lab, &header));
    assert!(!is_alice(&lab, &state("bob")));
    assert!(is_alice(&lab, &state("alice").set("x-user", "bob")));
    let token = state("alice").property(&["metadata"], Property::Bytes(jwt(json!({"sub": "bob"}))));
    assert!(!is_alice(&lab, &token));
    // A token without that claim has no such grant: the next source is asked.
    let token = state("alice").property(&["metadata"], Property::Bytes(jwt(json!({"scope": "x"}))));
    assert!(is_alice(&lab, &token));
}

#[test]
fn a_source_that_is_present_but_unclear_denies_and_never_falls_through() {
    let policy = json!({"version": "1", "default": "allow"});
    let identity =
        json!({"identity": {"grant": [{"jwt_claim": "sub"}, {"header": "x-user"}, {"filter_state": "peer"}]}});
    in_both_modes(&policy, &identity, |lab| {
        let weaker = Request::post().property(&["filter_state", "peer"], "alice");
        let token =
            |claims: Value| weaker.clone().set("x-user", "alice").property(&["metadata"], Property::Bytes(jwt(claims)));
        let unclear = [
            token(json!({"sub": 5})),
            token(json!({"sub": ["alice"]})),
            token(json!({"sub": {"id": "alice"}})),
            token(json!({"sub": null})),
            token(json!({"sub": true})),
            token(json!({"sub": ""})),
            weaker.clone().add("x-user", "alice").add("x-user", "bob"),
            weaker.clone().add("x-user", "alice").add("x-user", "alice"),
            weaker.clone().set("x-user", ""),
            weaker.clone().set("x-user", b"al\xffce"),
        ];
        for request in unclear {
            let stream = request.send(&lab.worker(0), call("any", &json!({})));
            assert!(!is_forwarded(&stream), "forwarded: {request:?}");
            lab.assert_nothing_forwarded(&stream);
        }
    });
}

#[test]
fn metadata_that_is_damaged_is_no_grant_that_passes() {
    let lab = lab(json!([{"jwt_claim": "sub"}, {"header": "x-user"}]));
    let whole = jwt(json!({"sub": "bob"}));
    for length in 0..whole.len() {
        let request = with_metadata(whole[..length].to_vec());
        let stream = request.send(&lab.worker(0), call("who", &json!({})));
        assert!(!is_forwarded(&stream), "{length}");
    }
}

#[test]
fn a_required_grant_asks_to_sign_in() {
    let url = "https://mcp.example.com/.well-known/oauth-protected-resource";
    let identity = json!({"identity": {"grant": [{"header": "x-user"}], "required": true, "resource_metadata": url}});
    in_both_modes(&json!({"version": "1", "default": "allow"}), &identity, |lab| {
        let without = Request::post();
        let stream = without.send(&lab.worker(0), call("any", &json!({})));
        lab.assert_refused(&stream, 401);
        let received = stream.received();
        let challenge = received.header("www-authenticate").unwrap();
        assert_eq!(challenge, format!("Bearer resource_metadata=\"{url}\""));
        let get = Request::get().send_without_body(&lab.worker(0));
        assert_eq!(get.received().status(), Some(401));
        assert_forwarded(
            &without.set("x-user", "alice").send(&lab.worker(0), call("any", &json!({}))),
            call("any", &json!({})),
        );
    });
}

#[test]
fn grants_of_different_sources_or_issuers_with_equal_values_do_not_share_counts() {
    let policy = tools(json!({"who": {"rate_limit": "1/hour"}}));
    let sources = json!([{"jwt_claim": "sub"}, {"filter_state": "peer"}, {"header": "x-user"}, {"header": "x-user-b"}]);
    let lab = Lab::with(policy, json!({"identity": {"grant": sources}}));
    let token = |issuer: &str| with_metadata(jwt(json!({"iss": issuer, "sub": "alice"})));
    let grants = [
        token("https://one"),
        token("https://two"),
        Request::post().property(&["filter_state", "peer"], "alice"),
        Request::post().set("x-user", "alice"),
        Request::post().set("x-user-b", "alice"),
        Request::post(),
    ];
    for round in [true, false] {
        for grant in &grants {
            assert_eq!(is_alice(&lab, grant), round, "{grant:?}");
        }
    }
}

#[test]
fn claims_are_what_conditions_see() {
    let condition = |path: &str, op: &str, value: Value| {
        let require = json!([{"conditions": [{"path": path, "op": op, "value": value}]}]);
        Lab::with(tools(json!({"who": {"require": require}})), json!({"identity": {"grant": [{"jwt_claim": "sub"}]}}))
    };
    let claims =
        json!({"sub": "s", "level": 3, "ratio": 0.5, "ok": true, "groups": ["a", "b"], "realm": {"roles": ["admin"]}});
    let request = with_metadata(jwt(claims));
    for (path, op, value, holds) in [
        ("identity.claims.level", "gte", json!(3), true),
        ("identity.claims.level", "gt", json!(3), false),
        ("identity.claims.ratio", "eq", json!(0.5), true),
        ("identity.claims.ok", "eq", json!(true), true),
        ("identity.claims.groups", "contains", json!("b"), true),
        ("identity.claims.groups", "contains", json!("c"), false),
        ("identity.claims.realm.roles[0]", "eq", json!("admin"), true),
        ("identity.claims.missing", "eq", json!("x"), false),
        ("identity.claims.level", "eq", json!("3"), false),
    ] {
        let lab = condition(path, op, value.clone());
        assert_eq!(is_alice(&lab, &request), holds, "{path} {op} {value}");
        assert!(!is_alice(&lab, &Request::post()), "without a token: {path} {op} {value}");
    }
}

#[test]
fn a_credential_never_appears_in_logs_replies_or_counters() {
    let policy = tools(json!({"who": {"rate_limit": "1/hour"}}));
    for identity in [json!([{"header": "x-key"}]), json!([{"filter_state": "peer"}])] {
        let lab = Lab::with(policy.clone(), json!({"identity": {"grant": identity}}));
        let request = Request::post().set("x-key", SECRET).property(&["filter_state", "peer"], SECRET);
        assert!(is_alice(&lab, &request));
        let limited = request.send(&lab.worker(0), call("who", &json!({})));
        assert!(message(&limited)["result"]["isError"].as_bool().unwrap());
        let denied = request.send(&lab.worker(0), call("other", &json!({})));
        let twice = request.clone().add("x-key", SECRET).send(&lab.worker(0), call("who", &json!({})));
        for stream in [limited, denied, twice] {
            assert!(!stream.received().text().contains(SECRET));
        }
        assert!(!lab.log().contains(SECRET));
        for (key, value) in lab.shared_data() {
            let text = String::from_utf8_lossy(&[key, value].concat()).into_owned();
            assert!(!text.contains(SECRET), "the credential itself stands in shared data");
        }
    }
}
