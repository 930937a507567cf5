//! What somebody who invents sessions, header values, addresses, claims or credentials can do to the counts of others, and
//! what not. As little memory as can be set, and every call within one window.

use std::time::Duration;

use host_test::Value as Property;
use serde_json::{Value, json};

use crate::claims::jwt;
use crate::lab::{Lab, Request, call, envelope, filter, is_forwarded, tools};

/// How many values an attacker makes up: several times what there is room for.
const INVENTED: usize = 600;
const WHEN_FULL: [&str; 2] = ["deny", "share"];

/// A tool for each scope, with two calls in an hour; and `mine`, with three of a grant.
fn configuration(when_full: &str) -> Value {
    let limited =
        |scope: &str, max: u32| json!({"limits": [{"counter": scope, "window": "hour", "max": max, "scope": scope}]});
    let policy = tools(json!({
        "mine": limited("grant", 3),
        "by_session": limited("session", 2),
        "by_header": limited("header:x-tenant", 2),
        "by_address": limited("client_ip", 2),
        "by_claim": limited("claim:team", 2),
    }));
    envelope(
        policy,
        json!({"counters": {"max_bytes": "16KiB", "when_full": when_full},
        "identity": {"grant": [{"header": "x-key"}]}}),
    )
}

fn lab(when_full: &str) -> Lab {
    Lab::new(&configuration(when_full))
}

fn under(grant: &str) -> Request {
    Request::post().set("x-key", grant)
}

/// How many of so many calls are admitted.
fn admitted(lab: &Lab, request: &Request, tool: &str, calls: usize) -> usize {
    (0..calls).filter(|_| is_forwarded(&request.send(&lab.worker(0), call(tool, &json!({}))))).count()
}

/// A call for each of so many invented requests; how many were admitted.
fn invent(lab: &Lab, tool: &str, how_many: usize, request: impl Fn(usize) -> Request) -> usize {
    (0..how_many).map(|n| admitted(lab, &request(n), tool, 1)).sum()
}

/// Calls of others, who have called twice before: each is admitted once more, and no more.
#[track_caller]
fn assert_unharmed(lab: &Lab, others: &[Request]) {
    for (index, other) in others.iter().enumerate() {
        assert_eq!(admitted(lab, other, "mine", 3), 1, "grant {index}");
    }
}

fn others(lab: &Lab) -> Vec<Request> {
    let others: Vec<Request> = (0..40).map(|n| under(&format!("other-{n}"))).collect();
    assert!(others.iter().all(|other| admitted(lab, other, "mine", 2) == 2));
    others
}

#[test]
fn inventing_sessions_takes_nothing_from_anybody_else() {
    for when_full in WHEN_FULL {
        let lab = lab(when_full);
        let others = others(&lab);
        let sessions =
            invent(&lab, "by_session", INVENTED, |n| under("attacker").set("mcp-session-id", format!("invented-{n}")));
        assert!((40..100).contains(&sessions), "{when_full}: {sessions} sessions find room in a grant's part");
        assert_unharmed(&lab, &others);
        // Nor are new grants and their sessions locked out.
        for n in 0..20 {
            let newcomer = under(&format!("new-{n}"));
            assert_eq!(admitted(&lab, &newcomer, "mine", 5), 3, "{when_full}: newcomer {n}");
            assert_eq!(admitted(&lab, &newcomer.set("mcp-session-id", "s"), "by_session", 5), 2, "{when_full}: {n}");
        }
        let (full, shared) = (lab.metric("counters_full"), lab.metric("counters_shared"));
        match when_full {
            "deny" => assert_eq!((full, shared), ((INVENTED - sessions) as u64, 0)),
            // What no session of the attacker gets, all of them that find no room share.
            _ => assert_eq!((full, shared), (0, 2)),
        }
        assert_eq!(lab.metric("uncounted"), full);
    }
}

#[test]
fn inventing_header_values_addresses_and_claims_takes_nothing_from_grants() {
    let tenant = |n: usize| under("attacker").set("x-tenant", format!("invented-{n}"));
    let address =
        |n: usize| under("attacker").property(&["source", "address"], format!("10.1.{}.{}:1", n / 250, n % 250));
    let team = |n: usize| {
        under("attacker").property(&["metadata"], Property::Bytes(jwt(json!({"team": format!("invented-{n}")}))))
    };
    let attacks: [(&str, &dyn Fn(usize) -> Request); 3] =
        [("by_header", &tenant), ("by_address", &address), ("by_claim", &team)];
    for when_full in WHEN_FULL {
        for (tool, request) in attacks {
            let lab = lab(when_full);
            let others = others(&lab);
            // One value is known before, and has a call left.
            assert_eq!(admitted(&lab, &request(9_999), tool, 1), 1);
            let values = invent(&lab, tool, INVENTED, request);
            assert!((60..200).contains(&values), "{when_full} {tool}: {values} values find room");
            assert_unharmed(&lab, &others);
            assert_eq!(admitted(&lab, &request(9_999), tool, 5), 1, "{when_full} {tool}: pushed out");
            // What can be done: while the attack lasts, values that are new find no room of their own.
            assert_eq!(admitted(&lab, &request(8_888), tool, 2), 0, "{when_full} {tool}");
            lab.advance(Duration::from_secs(3_900));
            assert_eq!(admitted(&lab, &request(8_888), tool, 5), 2, "{when_full} {tool}: room does not come back");
        }
    }
}

#[test]
fn inventing_credentials_pushes_nobody_out() {
    for when_full in WHEN_FULL {
        let lab = lab(when_full);
        let others = others(&lab);
        let grants = invent(&lab, "mine", 2 * INVENTED, |n| under(&format!("invented-{n}")));
        assert!(grants < 2 * INVENTED, "{when_full}: there is room for all");
        assert_unharmed(&lab, &others);
        // What can be done where nothing in front checks credentials: new ones are refused, or share what one gets.
        let newcomers: usize = (0..20).map(|n| admitted(&lab, &under(&format!("new-{n}")), "mine", 3)).sum();
        assert_eq!(newcomers, 0, "{when_full}");
        // Counts that all grants share are elsewhere.
        assert_eq!(admitted(&lab, &under("x").set("x-tenant", "known"), "by_header", 5), 2, "{when_full}");
    }
}

#[test]
fn where_a_grant_counts_is_another_place_in_every_envoy_and_one_for_all_its_workers() {
    let places = |seed: u64| -> Vec<Vec<u8>> {
        let text = configuration("deny").to_string();
        let host = filter().random_seed(seed).workers(2).configuration(text).start().unwrap();
        let mut known = Vec::new();
        let mut order = Vec::new();
        for n in 0..12 {
            let request = under(&format!("grant-{n}"));
            assert!(host.workers().iter().all(|worker| is_forwarded(&request.send(worker, call("mine", &json!({}))))));
            // The key that has changed.
            let data = host.shared_data();
            let changed: Vec<_> =
                data.iter().filter(|entry| !known.contains(&(entry.0.clone(), entry.1.clone()))).collect();
            order.extend(changed.iter().map(|(key, _)| (*key).clone()).filter(|key| !key.ends_with(b"layout")));
            known = data.into_iter().collect();
        }
        assert_eq!(order.len(), 12, "workers count one grant in different places");
        order
    };
    assert_eq!(places(1), places(1));
    assert_ne!(places(1), places(2));
}
