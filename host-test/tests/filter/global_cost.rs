//! A body is judged once, however much is asked about it.

use host_test::{Answer, Cluster};
use serde_json::{Value, json};

use crate::lab::{Request, filter, is_forwarded, tools};

/// `OK`, as 100 a day were applied.
const ADMITTED: [u8; 12] = [0x08, 1, 0x12, 8, 0x08, 1, 0x12, 4, 0x08, 100, 0x10, 4];

/// The instructions of a batch of so many calls, each with so many limits and some kilobytes of arguments, of which a
/// condition looks at each; and how often the service was asked.
fn spent(calls: usize, limits: usize, store: &str, service: Cluster) -> (u64, usize) {
    let list: Vec<u32> = (0..1_000).map(|n| n % 10 + 1_000).collect();
    let call = |id| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "t", "arguments": {"f": list}}});
    let body: Value = (0..calls).map(call).collect();
    let limit =
        |n| json!({"counter": format!("c{n}"), "window": "day", "align": "calendar", "max": 100, "store": store});
    let limits: Value = (0..limits).map(limit).collect();
    let rule = json!({"limits": limits, "deny_if": [{"conditions": [{"path": "args.f[*]", "op": "eq", "value": 7}]}]});
    let mut configuration = json!({"policies": {"p": tools(json!({"t": rule}))}, "routes": [{"policy": "p"}]});
    if store == "global" {
        let key = "0123456789abcdef0123456789abcdef";
        configuration["global_counters"] = json!({"cluster": "ratelimit", "digest_key": key, "on_error": "allow"});
    }
    let host = filter().configuration(configuration.to_string()).start().unwrap();
    host.set_cluster("ratelimit", Some(service));
    let worker = host.worker(0);
    let before = worker.fuel_used();
    let stream = Request::post().send(&worker, body.to_string());
    let mut asked = 0;
    while let Some(question) = host.pending_callouts().first() {
        host.answer(question.id, Answer::GrpcMessage(ADMITTED.to_vec())).unwrap();
        asked += 1;
    }
    assert!(is_forwarded(&stream), "{}", stream.received().text());
    (worker.fuel_used() - before, asked)
}

#[test]
fn a_batch_with_many_questions_is_judged_once() {
    let (local, _) = spent(25, 2, "local", Cluster::Up);
    let (global, asked) = spent(25, 2, "global", Cluster::Up);
    assert_eq!(asked, 50);
    // It is read once more when all is answered.
    assert!(global < local * 2, "{global} instructions, of {local} without a service");
    let (unreachable, _) = spent(25, 2, "global", Cluster::Down);
    assert!(unreachable < local * 2, "{unreachable} instructions in one callback, of {local} without a service");
}
