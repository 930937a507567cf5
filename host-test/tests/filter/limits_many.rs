//! Memory stays as it is, whatever number of principals passes through the filter.

use std::time::Duration;

use serde_json::json;

use crate::lab::{Lab, Request, call, envelope, is_forwarded, tools};

const PRINCIPALS: usize = 50_000;
/// After so many everything that is ever needed has been asked for: the worker remembers two thousand of them, in places
/// that chance fills.
const WARM: usize = 10_000;

#[test]
fn fifty_thousand_principals_pass_and_neither_machine_nor_counters_grow() {
    let policy = tools(json!({"t": {"limits": [{"counter": "c", "window": "second", "max": 1}]}}));
    let members = json!({"counters": {"max_bytes": "16KiB"}, "identity": {"grant": [{"header": "x-key"}]}});
    let lab = Lab::new(&envelope(policy, members));
    let (worker, body) = (lab.worker(0), call("t", &json!({})));
    let mut warm = 0;
    for who in 0..PRINCIPALS {
        // A hundred are live in a window.
        lab.advance(Duration::from_millis(10));
        assert!(is_forwarded(&Request::post().set("x-key", who.to_string()).send(&worker, &body)), "principal {who}");
        if who == WARM {
            warm = worker.memory_bytes();
        }
    }
    assert_eq!(worker.memory_bytes(), warm);
    let shards = lab.shared_data().into_iter().filter(|(key, _)| !key.ends_with(b"layout"));
    assert!(shards.map(|(_, value)| value.len()).sum::<usize>() <= 16 << 10);
    assert_eq!(lab.metric("uncounted"), 0);
}
