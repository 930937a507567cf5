//! Counters through reload, trap, damage and change.

use std::time::Duration;

use host_test::{FailPolicy, Fault};
use serde_json::{Value, json};

use crate::lab::{Lab, Request, call, envelope, filter, is_forwarded, message, tools};

fn limited(max: u32) -> Value {
    tools(json!({"create_run": {"limits": [{"counter": "runs", "window": "minute", "max": max}]}}))
}

fn admitted(lab: &Lab, calls: usize) -> usize {
    (0..calls).filter(|_| lab.admits("create_run")).count()
}

#[test]
fn counts_survive_another_configuration() {
    let lab = Lab::on_workers(2, &limited(5));
    assert_eq!(admitted(&lab, 3), 3);
    let mut changed = limited(5);
    changed["tools"]["other"] = json!({});
    lab.reconfigure(changed.to_string()).unwrap();
    assert!(lab.admits("other"));
    assert_eq!(admitted(&lab, 5), 2);
}

#[test]
fn another_maximum_counts_what_was_admitted_before() {
    let lab = Lab::new(&limited(5));
    assert_eq!(admitted(&lab, 9), 5);
    lab.reconfigure(limited(7).to_string()).unwrap();
    assert_eq!(admitted(&lab, 9), 2);
    lab.reconfigure(limited(3).to_string()).unwrap();
    assert_eq!(admitted(&lab, 9), 0);
    lab.advance(Duration::from_secs(64));
    assert_eq!(admitted(&lab, 9), 3);
}

#[test]
fn counts_survive_a_trap_and_the_rebuilt_machine() {
    // Enough for any call, and not for a body of a million numbers.
    let host = filter()
        .configuration(limited(5).to_string())
        .fail_policy(FailPolicy::Reload)
        .reload_backoff(Duration::from_secs(1))
        .fuel_limit(3_000_000)
        .start()
        .unwrap();
    let worker = host.worker(0);
    let admits = || is_forwarded(&Request::post().send(&worker, call("create_run", &json!({}))));
    assert_eq!((0..3).filter(|_| admits()).count(), 3);
    let stream = Request::post().send(&worker, call("create_run", &json!({"list": vec![1; 400_000]})));
    assert_eq!((stream.forwarded().text(), stream.received().status()), (String::new(), Some(503)));
    drop(stream);
    assert!(worker.has_failed());
    assert!(matches!(host.take_faults().as_slice(), [Fault::Trap { .. }]));
    assert!(!admits(), "until it is rebuilt nothing passes");
    host.advance(Duration::from_secs(2));
    assert_eq!((0..9).filter(|_| admits()).count(), 2);
}

#[test]
fn damaged_counters_deny_and_forward_nothing() {
    for damage in [&b""[..], b"x", b"\0\0\0\0", &[0xff; 4096]] {
        let lab = Lab::new(&limited(5));
        assert!(lab.admits("create_run"));
        for key in lab.shared_data().into_keys() {
            lab.set_shared_data(&key, damage);
        }
        let stream = lab.call("create_run");
        lab.assert_nothing_forwarded(&stream);
        assert_eq!(stream.received().status(), Some(503), "{damage:?}");
        assert!(message(&stream)["error"].is_object());
        assert!(lab.metric("uncounted") > 0 && lab.log().contains("count"));
    }
}

#[test]
fn flipped_bits_in_counters_never_admit_more_and_never_trap() {
    let lab = Lab::new(&limited(3));
    assert_eq!(admitted(&lab, 5), 3);
    let healthy = lab.shared_data();
    for (key, value) in &healthy {
        for position in 0..value.len() * 8 {
            let mut damaged = value.clone();
            damaged[position / 8] ^= 1 << (position % 8);
            lab.set_shared_data(key, &damaged);
            let stream = lab.call("create_run");
            assert!(stream.reply().is_some_and(|reply| reply.by_filter) || is_forwarded(&stream), "hung");
            for (key, value) in &healthy {
                lab.set_shared_data(key, value);
            }
        }
    }
    assert_eq!(admitted(&lab, 5), 0);
}

#[test]
fn policies_do_not_share_counters_of_the_same_name() {
    let lab = Lab::new(&json!({
        "policies": {"one": limited(2), "two": limited(2)},
        "routes": [{"host": "one.example", "policy": "one"}, {"host": "two.example", "policy": "two"}],
    }));
    let to = |host: &str| {
        is_forwarded(&Request::post().set(":authority", host).send(&lab.worker(0), call("create_run", &json!({}))))
    };
    assert_eq!((0..5).filter(|_| to("one.example")).count(), 2);
    assert_eq!((0..5).filter(|_| to("two.example")).count(), 2);
}

#[test]
fn plugins_of_other_names_count_apart() {
    let keys = |name: &str| -> Vec<String> {
        let host = filter().plugin_name(name).configuration(limited(2).to_string()).start().unwrap();
        assert!(is_forwarded(&Request::post().send(&host.worker(0), call("create_run", &json!({})))));
        host.shared_data().into_keys().map(|key| String::from_utf8(key).unwrap()).collect()
    };
    // As separators in a name could make one plugin's keys those of another, they are escaped.
    for (name, prefix) in [("one", "mcp_policy/1/mcp/one/"), ("a/b%", "mcp_policy/1/mcp/a%2Fb%25/")] {
        assert!(keys(name).iter().all(|key| key.starts_with(prefix)), "{:?}", keys(name));
    }
}

#[test]
fn counters_of_other_plugins_and_foreign_keys_are_left_alone() {
    let lab = Lab::new(&limited(2));
    lab.set_shared_data(b"someone-elses", b"value");
    assert_eq!(admitted(&lab, 5), 2);
    let data = lab.shared_data();
    assert_eq!(data.get(&b"someone-elses"[..]).map(Vec::as_slice), Some(&b"value"[..]));
    let ours = data.keys().filter(|key| *key != b"someone-elses");
    assert!(ours.clone().count() > 0);
    assert!(ours.into_iter().all(|key| key.starts_with(b"mcp_policy/1/mcp/")), "{data:?}");
}

#[test]
fn configuring_touches_no_counters() {
    let lab = Lab::on_workers(3, &limited(2));
    assert!(lab.shared_data().is_empty());
    lab.reconfigure(limited(3).to_string()).unwrap();
    assert!(lab.shared_data().is_empty());
}

#[test]
fn the_stamp_of_shared_data_may_wrap_around() {
    let lab = Lab::new(&limited(20));
    assert!(lab.admits("create_run"));
    lab.set_next_cas(u32::MAX - 3);
    assert_eq!(admitted(&lab, 30), 19);
}

#[test]
fn a_call_that_loses_every_race_is_denied_and_counted_as_that() {
    let two = json!([{"counter": "runs", "window": "minute", "max": 5},
        {"counter": "all", "window": "minute", "max": 5, "scope": "global"}]);
    for policy in [limited(5), tools(json!({"create_run": {"limits": two}}))] {
        for counted_before in [1, 0] {
            let lab = Lab::new(&policy);
            assert_eq!(admitted(&lab, counted_before), counted_before);
            lab.set_contended(true);
            let meta = lab.assert_denied(&lab.call("create_run"), "This cannot be counted at the moment.");
            assert_eq!(meta, json!({"rule": "/tools/create_run/limits/runs"}));
            assert_eq!((lab.metric("counters_contended"), lab.metric("uncounted")), (1, 1));
            assert_eq!((lab.metric("limited"), lab.metric("failed")), (1, 0));
            lab.set_contended(false);
            assert_eq!(admitted(&lab, 9), 5 - counted_before, "what was denied is counted");
        }
    }
}

#[test]
fn counters_that_are_full_deny_or_share_and_are_never_over() {
    for (when_full, least) in [("deny", 0), ("share", 1)] {
        let policy = tools(json!({"create_run": {"limits": [{"counter": "runs", "window": "hour", "max": 1}]}}));
        let members = json!({"counters": {"max_bytes": "16KiB", "when_full": when_full},
            "identity": {"grant": [{"header": "x-key"}]}});
        let lab = Lab::new(&envelope(policy, members));
        let admits = |who: u32| {
            let request = Request::post().set("x-key", format!("client-{who}"));
            is_forwarded(&request.send(&lab.worker(0), call("create_run", &json!({}))))
        };
        let first: Vec<u32> = (0..2000).filter(|&who| admits(who)).collect();
        assert!(first.len() >= 100, "{when_full}: only {} fit", first.len());
        assert!(first.len() < 2000, "{when_full}: the bound holds nothing back");
        assert!(first.iter().all(|&who| !admits(who)), "{when_full}: admitted twice");
        let size: usize = lab.shared_data().iter().map(|(key, value)| key.len() + value.len()).sum();
        assert!(size <= 24 << 10, "{size} bytes");
        assert!(first.len() > least);
    }
}
