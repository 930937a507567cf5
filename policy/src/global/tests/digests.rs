//! Whose count it is.

use proptest::prelude::*;

use super::*;

fn digest_for(principal: Principal<'_>, charge: &Charge<'_>) -> String {
    settings().digest_key.digest(principal, charge)
}

fn digest(scope: ScopeValue<'_>) -> String {
    digest_for(ROBOT, &Charge { scope, ..charge() })
}

fn ip(text: &str) -> ScopeValue<'static> {
    ScopeValue::ClientIp(Some(text.parse().unwrap()))
}

/// Computed apart, with Python's `hmac`: what a digest is must not change, or a fleet counts in two places while it is
/// rolled over.
#[test]
fn digests_stay_what_they_are() {
    assert_eq!(digest(ScopeValue::Grant), "16f30d62f688aa418ed5f0d1d3d9803c");
    assert_eq!(digest(ip("2001:db8:1:2:3:4:5:6")), "a3fcda0401f737ad0136a2b8191dbbfa");
    assert_eq!(digest(ScopeValue::Session(None)), "a17f630f6547de796f37abec61a561e1");
}

#[test]
fn different_values_have_different_digests() {
    let claim = |name, value| ScopeValue::Claim { name, value };
    let header = |name, value| ScopeValue::Header { name, value };
    let scopes = [
        ScopeValue::Grant,
        ScopeValue::Session(None),
        ScopeValue::Session(Some("")),
        ScopeValue::Session(Some("none")),
        ScopeValue::Session(Some("a")),
        ScopeValue::ClientIp(None),
        ip("10.0.0.1"),
        ip("10.0.0.2"),
        ip("2001:db8:1:2::1"),
        ip("2001:db8:1:3::1"),
        ScopeValue::Global,
        claim("team", None),
        claim("team", Some("")),
        claim("team", Some("a")),
        claim("tea", Some("ma")),
        header("team", Some("a")),
        header("team", None),
    ];
    let mut digests: Vec<String> = scopes.into_iter().map(digest).collect();
    let grant = |source, issuer, value| digest_for(Principal::Grant { source, issuer, value }, &charge());
    digests.extend([grant("ab", "c", "d"), grant("a", "bc", "d"), grant("a", "b", "cd"), grant("", "", "")]);
    digests.push(digest_for(Principal::Anonymous, &charge()));
    let named = |policy, counter| digest_for(ROBOT, &Charge { counter: CounterName { policy, counter }, ..charge() });
    digests.extend([named("a", "bc"), named("ab", "c"), named("", "abc")]);
    let count = digests.len();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), count);
}

#[test]
fn a_digest_shows_nothing_but_hexadecimal() {
    for scope in [ScopeValue::Grant, ScopeValue::Global, ScopeValue::ClientIp(None)] {
        let digest = digest(scope);
        assert!(
            digest.len() == 32 && digest.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
            "{digest}"
        );
    }
    let request = question(&charge()).request().to_vec();
    for secret in ["robot-7", "https://idp", KEY] {
        assert!(!request.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret}");
    }
    assert!(!format!("{:?}", settings()).contains("secret"));
}

#[test]
fn an_address_counts_by_its_network_and_as_what_it_is() {
    assert_eq!(digest(ip("2001:db8:1:2::1")), digest(ip("2001:db8:1:2:ffff::7")));
    assert_eq!(digest(ip("::ffff:10.0.0.1")), digest(ip("10.0.0.1")));
}

#[test]
fn sessions_belong_to_their_grant_and_all_else_to_nobody() {
    let other = Principal::Grant { source: "jwt_claim:sub", issuer: "https://idp", value: "robot-8" };
    let differs = |scope| {
        let charge = Charge { scope, ..charge() };
        digest_for(ROBOT, &charge) != digest_for(other, &charge)
    };
    assert!(
        differs(ScopeValue::Grant) && differs(ScopeValue::Session(Some("a"))) && differs(ScopeValue::Session(None))
    );
    for scope in [ip("10.0.0.1"), ScopeValue::Global, ScopeValue::Claim { name: "a", value: Some("b") }] {
        assert!(!differs(scope), "{scope:?}");
    }
}

#[test]
fn another_key_gives_other_digests() {
    let key = DigestKey::new("another secret that all of a fleet have").unwrap();
    assert_ne!(key.digest(ROBOT, &charge()), digest(ScopeValue::Grant));
}

#[test]
fn keys_are_long_enough_and_not_too_long() {
    for (length, fits) in [(0, false), (31, false), (32, true), (64, true), (65, true), (256, true), (257, false)] {
        assert_eq!(DigestKey::new(&"ä".repeat(length)).is_some(), fits, "{length}");
    }
}

proptest! {
    #[test]
    fn grants_that_differ_are_counted_apart(one in ["[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}"], other in ["[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}"]) {
        let of = |[source, issuer, value]: &[String; 3]| digest_for(Principal::Grant { source, issuer, value }, &charge());
        prop_assert_eq!(of(&one) == of(&other), one == other);
    }
}
