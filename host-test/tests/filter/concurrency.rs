//! How many calls run at once: each counts until its answer has ended, whoever else is lost or hangs up.

use std::time::Duration;

use host_test::{FailPolicy, Stream};
use serde_json::{Value, json};

use crate::lab::{Lab, Request, call, envelope, filter, is_forwarded, tools};

/// Longer than a lease, shorter than nothing else.
const LEASE: Duration = Duration::from_secs(32);

fn at_most(max: u32) -> Value {
    tools(json!({"get_run": {"concurrency": {"max": max}}, "free": {}}))
}

fn begin(lab: &Lab, worker: usize) -> Stream {
    Request::post().send(&lab.worker(worker), call("get_run", &json!({})))
}

#[track_caller]
fn running(lab: &Lab, worker: usize) -> Stream {
    let stream = begin(lab, worker);
    assert!(is_forwarded(&stream), "{}", stream.received().text());
    stream
}

#[track_caller]
fn assert_refused(lab: &Lab, worker: usize) -> Value {
    lab.assert_denied(&begin(lab, worker), "run at once")
}

fn answer(stream: &mut Stream) {
    stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
    stream.response_body(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#, true);
}

/// Every worker's tick, as often as it asks for, over so many seconds.
fn pass(lab: &Lab, seconds: u64) {
    pass_in_steps(lab, seconds, 5);
}

/// With ticks that come late.
fn pass_in_steps(lab: &Lab, seconds: u64, step: u64) {
    for _ in 0..seconds / step {
        lab.advance(Duration::from_secs(step));
        lab.workers().iter().filter(|worker| worker.tick_period().is_some()).for_each(host_test::Worker::tick);
    }
}

#[test]
fn a_call_counts_until_its_answer_ends() {
    let lab = Lab::on_workers(2, &at_most(2));
    let mut first = running(&lab, 0);
    let second = running(&lab, 1);
    let meta = assert_refused(&lab, 1);
    assert_eq!(meta, json!({"rule": "/tools/get_run/concurrency", "remaining": 0}));
    assert!(lab.admits("free"));
    first.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
    assert_refused(&lab, 0);
    first.response_body(r#"{"jsonrpc":"2.0","#, false);
    assert_refused(&lab, 0);
    first.response_body(r#""id":1,"result":{}}"#, true);
    let third = running(&lab, 1);
    assert_refused(&lab, 0);
    drop((second, third));
}

#[test]
fn it_ends_with_a_bodyless_answer_with_trailers_and_with_an_event_stream() {
    let lab = Lab::new(&at_most(1));
    let mut stream = running(&lab, 0);
    stream.response_without_body(&[(":status", "202")]);
    let mut stream = running(&lab, 0);
    stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
    stream.response_body("{}", false);
    stream.response_trailers(&[("x", "y")]);
    let mut stream = running(&lab, 0);
    stream.response_headers(&[(":status", "200"), ("content-type", "text/event-stream")]);
    stream.response_body("data: {}\n\n", false);
    assert_refused(&lab, 0);
    stream.response_body("data: {}\n\n", true);
    running(&lab, 0);
}

#[test]
fn a_refused_call_holds_nothing() {
    let lab = Lab::new(&tools(json!({"get_run": {
        "concurrency": {"max": 5},
        "limits": [{"counter": "c", "window": "hour", "max": 1}]}})));
    let mut first = running(&lab, 0);
    for _ in 0..9 {
        lab.assert_denied(&begin(&lab, 0), "used up");
    }
    answer(&mut first);
    assert!(!held(&lab), "something is held");
}

/// Whether any counter holds leases: the window code 6 of a slot.
fn held(lab: &Lab) -> bool {
    let shards = lab.shared_data().into_iter().filter(|(key, _)| !key.ends_with(b"layout"));
    shards
        .flat_map(|(_, shard)| shard.windows(4).map(<[u8]>::to_vec).collect::<Vec<_>>())
        .any(|code| code == [6, 0, 0, 0])
}

#[test]
fn a_call_that_runs_for_hours_goes_on_counting() {
    let lab = Lab::on_workers(2, &at_most(1));
    let mut stream = running(&lab, 0);
    for _ in 0..6 {
        pass(&lab, 3_600);
        assert_refused(&lab, 1);
    }
    answer(&mut stream);
    assert!(is_forwarded(&begin(&lab, 1)));
}

#[test]
fn ticks_go_on_only_while_something_runs() {
    let lab = Lab::new(&at_most(1));
    assert_eq!(lab.worker(0).tick_period(), None);
    let mut stream = running(&lab, 0);
    assert_eq!(lab.worker(0).tick_period(), Some(5_000));
    answer(&mut stream);
    lab.worker(0).tick();
    assert_eq!(lab.worker(0).tick_period(), None);
}

#[test]
fn a_client_that_hangs_up_gains_no_slot_while_the_server_may_work() {
    let lab = Lab::on_workers(2, &at_most(2));
    for _ in 0..2 {
        running(&lab, 0).reset();
    }
    assert_refused(&lab, 1);
    pass(&lab, 55);
    assert_refused(&lab, 1);
    pass(&lab, 20);
    running(&lab, 1);
}

#[test]
fn how_long_it_counts_then_is_for_the_policy_to_say() {
    for (linger, seconds) in [("0s", 0), ("10s", 10), ("1h", 3_600)] {
        let lab = Lab::new(&tools(json!({"get_run": {"concurrency": {"max": 1, "linger": linger}}})));
        running(&lab, 0).reset();
        if seconds > 0 {
            pass(&lab, seconds - 5);
            assert_refused(&lab, 0);
        }
        pass(&lab, seconds / 8 + 10);
        running(&lab, 0);
    }
}

#[test]
fn an_answer_of_envoys_own_counts_on_unless_the_call_was_never_sent() {
    for (details, address, flags, is_free) in [
        ("no_healthy_upstream", "", 0x2_i64, true),
        ("upstream_reset_before_response_started{connection_failure}", "10.0.0.1:80", 0x20, true),
        ("response_timeout", "10.0.0.1:80", 0x4, false),
        ("upstream_reset_before_response_started{connection_termination}", "10.0.0.1:80", 0x40, false),
    ] {
        let lab = Lab::new(&at_most(1));
        let request = Request::post().property(&["response", "code_details"], details);
        let request = request.property(&["upstream", "address"], address).property(&["response", "flags"], flags);
        let mut stream = request.send(&lab.worker(0), call("get_run", &json!({})));
        assert!(is_forwarded(&stream));
        stream.response_headers(&[(":status", "503")]);
        stream.response_body("upstream connect error", true);
        assert_eq!(is_forwarded(&begin(&lab, 0)), is_free, "{details}");
    }
}

#[test]
fn what_a_lost_worker_held_is_free_after_its_lease_and_not_before() {
    let host = filter()
        .configuration(at_most(1).to_string())
        .fail_policy(FailPolicy::Reload)
        .reload_backoff(Duration::from_secs(1))
        .fuel_limit(3_000_000)
        .workers(2)
        .start()
        .unwrap();
    let (lost, other) = (host.worker(0), host.worker(1));
    let send = |worker: &host_test::Worker| Request::post().send(worker, call("get_run", &json!({})));
    let stream = send(&lost);
    assert!(is_forwarded(&stream));
    drop(Request::post().send(&lost, call("free", &json!({"list": vec![1; 400_000]}))));
    assert!(lost.has_failed());
    host.take_faults();
    host.advance(Duration::from_secs(25));
    assert!(!is_forwarded(&send(&other)));
    host.advance(LEASE - Duration::from_secs(25));
    assert!(is_forwarded(&send(&other)));
    drop(stream);
}

#[test]
fn another_policy_counts_what_runs_under_the_one_before() {
    let lab = Lab::new(&at_most(2));
    let mut streams = [running(&lab, 0), running(&lab, 0)];
    lab.reconfigure(at_most(3).to_string()).unwrap();
    let new = running(&lab, 0);
    assert_refused(&lab, 0);
    // The old configuration goes on stating its calls, as long as any runs.
    pass(&lab, 300);
    assert_refused(&lab, 0);
    streams.iter_mut().for_each(answer);
    let more = [running(&lab, 0), running(&lab, 0)];
    assert_refused(&lab, 0);
    drop((new, more));
}

#[test]
fn scopes_and_names_say_what_is_counted_together() {
    let policy = tools(json!({
        "get_run": {"concurrency": {"max": 1}},
        "get_runs": {"concurrency": {"max": 2, "counter": "heavy", "scope": "global"}},
        "compare_*": {"concurrency": {"max": 2, "counter": "heavy", "scope": "global"}},
    }));
    let lab = Lab::new(&envelope(policy, json!({"identity": {"grant": [{"header": "x-key"}]}})));
    let send = |who: &str, tool: &str| Request::post().set("x-key", who).send(&lab.worker(0), call(tool, &json!({})));
    let own = [send("a", "get_run"), send("b", "get_run")];
    assert!(own.iter().all(is_forwarded));
    assert!(!is_forwarded(&send("a", "get_run")));
    let heavy = [send("a", "get_runs"), send("b", "compare_runs")];
    assert!(heavy.iter().all(is_forwarded));
    assert!(!is_forwarded(&send("c", "compare_all")));
}

#[test]
fn a_batch_takes_a_slot_for_each_of_its_calls_or_none() {
    let lab = Lab::new(&at_most(2));
    let batch = |calls: u32| {
        let calls: Vec<Value> = (0..calls)
            .map(|id| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "get_run"}}))
            .collect();
        lab.post(json!(calls).to_string())
    };
    assert!(!is_forwarded(&batch(3)));
    let mut two = batch(2);
    assert!(is_forwarded(&two));
    assert_refused(&lab, 0);
    answer(&mut two);
    running(&lab, 0);
}

#[test]
fn where_answers_come_on_another_stream_it_cannot_be_asked_for() {
    let mut configuration = envelope(at_most(1), json!({}));
    configuration["routes"][0]["transport"] = "sse".into();
    let error = filter().configuration(configuration.to_string()).start().unwrap_err();
    assert!(error.to_string().contains("/routes/0"), "{error}");
}

#[test]
fn a_day_of_calls_leaves_nothing_behind() {
    let policy = tools(json!({"get_run": {"concurrency": {"max": 3}, "rate_limit": "100/minute"}}));
    let lab = Lab::on_workers(2, &envelope(policy, json!({"identity": {"grant": [{"header": "x-key"}]}})));
    let mut open: Vec<Stream> = Vec::new();
    let (mut most, mut memory) = (0, 0);
    for minute in 0..24 * 60_usize {
        for n in 0..6 {
            let request = Request::post().set("x-key", format!("client {}", (minute + n) % 40));
            let stream = request.send(&lab.worker(n % 2), call("get_run", &json!({})));
            if is_forwarded(&stream) {
                open.push(stream);
            }
        }
        // Some end, some hang up, some run for a while.
        while open.len() > 25 {
            let mut stream = open.remove(minute % 20);
            if minute % 3 == 0 { stream.reset() } else { answer(&mut stream) }
        }
        pass_in_steps(&lab, 60, 20);
        let size: usize = lab.shared_data().values().map(Vec::len).sum();
        if minute == 120 {
            (most, memory) = (size, lab.worker(0).memory_bytes());
        }
        assert!(minute < 120 || size <= 2 * most, "{size} bytes of counters after {minute} minutes, {most} before");
    }
    assert_eq!(lab.worker(0).memory_bytes(), memory, "the filter's memory has grown");
    open.iter_mut().for_each(answer);
    pass(&lab, 120);
    let all: Vec<Stream> = (0..3)
        .flat_map(|_| (0..40).map(|who| (who, who % 2)))
        .map(|(who, worker)| {
            let request = Request::post().set("x-key", format!("client {who}"));
            request.send(&lab.worker(worker), call("get_run", &json!({})))
        })
        .collect();
    assert!(all.iter().all(is_forwarded), "a lease has leaked");
}
