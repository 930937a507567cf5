//! Whose count it is.

use super::*;

/// Whether a call of one exhausts the limit of the other.
fn share(one: (Principal<'_>, ScopeValue<'_>), other: (Principal<'_>, ScopeValue<'_>)) -> bool {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let with = |scope| [Charge { scope, ..charge("c", Window::MINUTE, 1) }];
    assert!(admitted(quota.take(&store, one.0, &with(one.1), START)));
    !admitted(quota.take(&store, other.0, &with(other.1), START))
}

#[test]
fn grants_differ_by_source_issuer_and_value() {
    let of = |source, issuer, value| (Principal::Grant { source, issuer, value }, ScopeValue::Grant);
    assert!(share(of("a", "b", "c"), of("a", "b", "c")));
    for other in [of("x", "b", "c"), of("a", "x", "c"), of("a", "b", "x"), of("ab", "", "c"), of("a", "bc", "")] {
        assert!(!share(of("a", "b", "c"), other));
    }
    assert!(!share(of("", "", ""), (Principal::Anonymous, ScopeValue::Grant)));
    assert!(share((Principal::Anonymous, ScopeValue::Grant), (Principal::Anonymous, ScopeValue::Grant)));
}

#[test]
fn a_session_is_its_grants_own() {
    let session = ScopeValue::Session(Some("s"));
    assert!(share((grant("a"), session), (grant("a"), session)));
    assert!(!share((grant("a"), session), (grant("b"), session)));
    assert!(!share((grant("a"), session), (grant("a"), ScopeValue::Session(None))));
}

#[test]
fn addresses_claims_headers_and_global_count_over_all_grants() {
    let address = |text: &str| ScopeValue::ClientIp(Some(text.parse().unwrap()));
    let claim = |value| ScopeValue::Claim { name: "team", value };
    let header = |value| ScopeValue::Header { name: "x-team", value };
    for (one, other, expected) in [
        (address("10.0.0.1"), address("10.0.0.1"), true),
        (address("10.0.0.1"), address("::ffff:10.0.0.1"), true),
        (address("10.0.0.1"), address("10.0.0.2"), false),
        (address("2001:db8:0:1::1"), address("2001:db8:0:1:ffff::9"), true),
        (address("2001:db8:0:1::1"), address("2001:db8:0:2::1"), false),
        (claim(Some("x")), claim(Some("x")), true),
        (claim(Some("x")), claim(Some("y")), false),
        (claim(Some("x")), header(Some("x")), false),
        (claim(None), claim(None), true),
        (claim(None), claim(Some("")), false),
        (header(None), header(None), true),
        (ScopeValue::ClientIp(None), ScopeValue::ClientIp(None), true),
        (ScopeValue::Global, ScopeValue::Global, true),
        (ScopeValue::Global, ScopeValue::Grant, false),
    ] {
        assert_eq!(share((grant("a"), one), (grant("b"), other)), expected, "{one:?} {other:?}");
    }
}

#[test]
fn counters_of_other_policies_names_and_units_are_others() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let one = charge("c", Window::MINUTE, 1);
    assert!(admitted(quota.take(&store, grant("g"), &[one], START)));
    for other in [
        Charge { counter: CounterName { policy: "q", counter: "c" }, ..one },
        Charge { counter: CounterName { policy: "p", counter: "d" }, ..one },
        Charge { counter: CounterName { policy: "pc", counter: "" }, ..one },
        Charge { unit: Unit::Millionths, ..one },
    ] {
        assert!(admitted(quota.take(&store, grant("g"), &[other], START)));
    }
}

#[test]
fn plugin_roots_do_not_share_counters() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let other = Quota::open(&store, "other", Settings::default(), [1; 16]).unwrap();
    let one = [charge("c", Window::MINUTE, 1)];
    assert!(admitted(quota.take(&store, grant("g"), &one, START)));
    assert!(admitted(other.take(&store, grant("g"), &one, START)));
}
