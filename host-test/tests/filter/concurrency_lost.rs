//! Slots where Envoy ends a call by itself or the counters cannot be written: none is held for nothing, and none that is
//! held is forgotten.

use std::time::Duration;

use host_test::Stream;
use serde_json::json;

use crate::lab::{Lab, Request, call, envelope, is_forwarded, tools};

fn lab() -> Lab {
    Lab::on_workers(2, &tools(json!({"get_run": {"concurrency": {"max": 1}}})))
}

fn begin(lab: &Lab, worker: usize) -> Stream {
    Request::post().send(&lab.worker(worker), call("get_run", &json!({})))
}

#[track_caller]
fn running(lab: &Lab) -> Stream {
    let stream = begin(lab, 0);
    assert!(is_forwarded(&stream), "{}", stream.received().text());
    stream
}

/// Time passes, and the first worker ticks as often as it asks for.
fn pass(lab: &Lab, seconds: u64) {
    for _ in 0..seconds / 5 {
        lab.advance(Duration::from_secs(5));
        lab.worker(0).tick();
    }
}

#[test]
fn a_call_that_was_never_sent_is_free_though_its_client_does_not_wait_for_the_end() {
    for (details, flags, is_free) in [
        ("upstream_reset_before_response_started{connection_failure}", 0x20_i64, true),
        ("upstream_reset_before_response_started{overflow}", 0x80, true),
        ("upstream_reset_before_response_started{connection_termination}", 0x40, false),
    ] {
        let lab = lab();
        let request = Request::post().property(&["response", "code_details"], details);
        let request = request.property(&["upstream", "address"], "10.0.0.1:80");
        let request = request.property(&["response", "flags"], flags);
        let mut stream = request.send(&lab.worker(0), call("get_run", &json!({})));
        stream.response_headers(&[(":status", "503"), ("content-type", "text/plain")]);
        stream.response_body("upstream", false);
        assert!(!is_forwarded(&begin(&lab, 1)), "{details}: the answer has not ended");
        stream.reset();
        assert_eq!(is_forwarded(&begin(&lab, 1)), is_free, "{details}");
    }
}

#[test]
fn a_running_call_that_cannot_be_stated_is_stated_with_the_next_tick() {
    let lab = lab();
    let stream = running(&lab);
    lab.set_contended(true);
    pass(&lab, 10);
    lab.set_contended(false);
    assert_eq!((lab.metric("uncounted"), lab.metric("counters_contended")), (2, 2));
    assert!(lab.log().contains("running calls cannot be stated"), "{}", lab.log());
    assert!(lab.worker(0).tick_period().is_some());
    // Longer than what was stated first is believed.
    for _ in 0..10 {
        pass(&lab, 10);
        lab.assert_denied(&begin(&lab, 1), "run at once");
    }
    drop(stream);
}

#[test]
fn an_end_that_cannot_be_stated_is_stated_with_the_next_tick() {
    let lab = lab();
    let mut stream = running(&lab);
    lab.set_contended(true);
    stream.response_without_body(&[(":status", "202")]);
    assert!(stream.has_ended());
    lab.set_contended(false);
    lab.assert_denied(&begin(&lab, 1), "run at once");
    pass(&lab, 5);
    assert!(is_forwarded(&begin(&lab, 1)));
    pass(&lab, 5);
    assert_eq!(lab.worker(0).tick_period(), None, "nothing is left to state");
}

/// A server may answer the head alone, where that streams ahead. Nothing of the answer comes by the filter once the call is
/// judged.
#[test]
fn a_call_whose_answer_is_over_when_it_is_judged_has_ended() {
    let lab = Lab::new(&tools(json!({"get_run": {"concurrency": {"max": 1}}})));
    for has_body in [false, true] {
        let mut stream = Request::post().open(&lab.worker(0));
        if has_body {
            stream.response_headers(&[(":status", "200"), ("content-type", "application/json")]);
            stream.response_body("{}", true);
        } else {
            stream.response_without_body(&[(":status", "202")]);
        }
        stream.request_body(call("get_run", &json!({})), true);
        drop(stream);
        let mut next = lab.call("get_run");
        assert!(is_forwarded(&next), "has a body: {has_body}");
        next.response_without_body(&[(":status", "202")]);
    }
}

/// All sessions are of one grant, whose part of a shard has no room for what so many clients leave behind.
#[test]
fn what_finds_no_room_when_clients_hang_up_counts_as_if_it_ran() {
    let rule = json!({"concurrency": {"max": 3, "scope": "session", "linger": "5m"}});
    let configuration = envelope(tools(json!({"get_run": rule})), json!({"counters": {"max_bytes": "16KiB"}}));
    let lab = Lab::on_workers(2, &configuration);
    let begin = |session: usize, worker: usize| {
        let request = Request::post().set("mcp-session-id", format!("session-{session}"));
        request.send(&lab.worker(worker), call("get_run", &json!({})))
    };
    let three = |session| [(); 3].map(|()| begin(session, 0));
    let mut running: Vec<_> =
        (0..60).map(|session| (session, three(session))).filter(|(_, calls)| calls.iter().all(is_forwarded)).collect();
    assert!(running.len() > 40, "{}", running.len());
    for nth in 0..2 {
        running.iter_mut().for_each(|(_, calls)| calls[nth].reset());
        pass(&lab, 20);
    }
    assert!(lab.metric("counters_full") > 60, "there is no room");
    for (session, _) in &running {
        lab.assert_denied(&begin(*session, 1), "run at once");
    }
}
