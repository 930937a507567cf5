//! A worker that counts a call after its own last one goes by what it wrote then, without reading it again.

use serde_json::json;

use crate::lab::{Lab, Request, call, is_forwarded, tools};

fn lab(workers: usize, max: usize) -> Lab {
    Lab::on_workers(workers, &tools(json!({"run": {"limits": [{"counter": "runs", "window": "hour", "max": max}]}})))
}

/// Whether a call on that worker is admitted, and how often shared data was read for it.
fn call_on(lab: &Lab, worker: usize) -> (bool, usize) {
    let before = lab.shared_data_reads();
    let stream = Request::post().send(&lab.worker(worker), call("run", &json!({})));
    (is_forwarded(&stream), lab.shared_data_reads() - before)
}

#[test]
fn an_agent_in_a_loop_is_counted_unread_up_to_its_limit() {
    let lab = lab(1, 6);
    let called = [0; 8].map(|_| call_on(&lab, 0));
    // The first opens the counters and makes the shard, the second sees its stamp. A refusal rests on what is there now.
    assert_eq!(called[1..6], [(true, 1), (true, 0), (true, 0), (true, 0), (true, 0)]);
    assert_eq!(called[6..], [(false, 1), (false, 1)]);
}

#[test]
fn what_another_worker_wrote_is_read_and_guessing_goes_on_behind_it() {
    let lab = lab(2, 100);
    for worker in [0, 1, 0, 0] {
        call_on(&lab, worker);
    }
    assert_eq!(call_on(&lab, 0), (true, 0));
    assert_eq!(call_on(&lab, 1), (true, 1));
    let behind = [0; 4].map(|_| call_on(&lab, 0));
    // It guesses wrong and reads; then it reads to see whether it would guess right; then it guesses.
    assert_eq!(behind, [(true, 1), (true, 1), (true, 0), (true, 0)]);
}

#[test]
fn workers_in_turns_admit_exactly_the_limit() {
    for pattern in [&[0, 1][..], &[0, 0, 1], &[0, 0, 0, 1, 1], &[1, 0, 0, 2, 2, 2, 0]] {
        let lab = lab(3, 20);
        let admitted = pattern.iter().cycle().take(60).filter(|worker| call_on(&lab, **worker).0).count();
        assert_eq!(admitted, 20, "{pattern:?}");
    }
}

#[test]
fn stamps_that_begin_anew_are_followed() {
    let lab = lab(1, 100);
    for _ in 0..3 {
        call_on(&lab, 0);
    }
    lab.set_next_cas(u32::MAX - 2);
    let called = [0; 9].map(|_| call_on(&lab, 0));
    assert_eq!(called.map(|(admitted, _)| admitted), [true; 9]);
    // Only where the stamps jump is anything read: the guess was wrong, and then it is seen that it is right again.
    assert_eq!(called.iter().map(|(_, reads)| reads).sum::<usize>(), 2);
}
