//! A worker that counts a call after its own last one goes by what it wrote then, without reading it again.

use proptest::prelude::*;
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

/// How often shared data was read and written for a call that is admitted.
fn cost_on(lab: &Lab, worker: usize) -> (usize, usize) {
    let before = lab.shared_data_writes();
    let (admitted, reads) = call_on(lab, worker);
    assert!(admitted);
    (reads, lab.shared_data_writes() - before)
}

#[test]
fn an_agent_in_a_loop_is_counted_unread_up_to_its_limit() {
    let lab = lab(1, 6);
    let called = [0; 8].map(|_| call_on(&lab, 0));
    // The first opens the counters, sees the stamp of that, and makes the shard. A refusal rests on what is there now.
    assert_eq!(called[..6], [(true, 3), (true, 0), (true, 0), (true, 0), (true, 0), (true, 0)]);
    assert_eq!(called[6..], [(false, 1), (false, 1)]);
}

const TEAMS: [&str; 3] = ["red", "green", "blue"];

/// Counts by team.
fn teams(workers: usize, max: usize) -> Lab {
    let limit = json!({"counter": "runs", "window": "hour", "max": max, "scope": "header:x-team"});
    Lab::on_workers(workers, &tools(json!({"run": {"limits": [limit]}})))
}

/// Whether a team's call on that worker is admitted, and how often shared data was read for it.
fn team_on(lab: &Lab, worker: usize, team: &str) -> (bool, usize) {
    let before = lab.shared_data_reads();
    let stream = Request::post().set("x-team", team).send(&lab.worker(worker), call("run", &json!({})));
    (is_forwarded(&stream), lab.shared_data_reads() - before)
}

#[test]
fn agents_that_call_in_turns_are_counted_unread() {
    let lab = teams(1, 5);
    assert!(TEAMS.iter().all(|team| team_on(&lab, 0, team).0));
    for _ in 1..5 {
        assert_eq!(TEAMS.map(|team| team_on(&lab, 0, team)), [(true, 0); 3]);
    }
    assert_eq!(TEAMS.map(|team| team_on(&lab, 0, team)), [(false, 1); 3]);
}

#[test]
fn what_another_worker_wrote_is_read_and_guessing_goes_on_behind_it() {
    let lab = lab(2, 100);
    for worker in [0, 1, 0, 0] {
        call_on(&lab, worker);
    }
    assert_eq!(call_on(&lab, 0), (true, 0));
    assert_eq!(call_on(&lab, 1), (true, 1));
    assert_eq!([0; 3].map(|_| call_on(&lab, 0)), [(true, 1), (true, 0), (true, 0)]);
}

#[test]
fn where_agents_call_in_turns_guessing_goes_on_after_a_pause() {
    let lab = teams(2, 100);
    let round = || TEAMS.map(|team| team_on(&lab, 0, team)).map(|(_, reads)| reads);
    round();
    assert_eq!(round(), [0; 3]);
    team_on(&lab, 1, "white");
    // Each guess is one behind, and reading what was written three writes ago does not tell.
    let reads: usize = (0..27).map(|_| round().iter().sum::<usize>()).sum();
    // 64 writes after the third wrong guess one more read is made, of what was just written.
    assert!((65..=80).contains(&reads), "{reads}");
    assert_eq!(round(), [0; 3]);
}

#[test]
fn a_worker_that_guesses_wrong_three_times_reads_until_it_would_guess_right() {
    let lab = lab(2, 1_000);
    let turns: Vec<_> = [0, 1].repeat(100).into_iter().map(|worker| cost_on(&lab, worker)).collect();
    assert_eq!(turns[2..8], [(1, 2); 6]);
    let tries = turns[8..].iter().filter(|cost| **cost != (1, 1)).count();
    assert_eq!(tries, 2 * (1 + 3), "each reads once more after a pause, and then guesses thrice");
    // Alone again, it reads once to see that nobody wrote.
    assert_eq!([0; 4].map(|worker| cost_on(&lab, worker)), [(1, 1), (1, 1), (0, 1), (0, 1)]);
}

#[test]
fn workers_in_turns_admit_exactly_the_limit() {
    for pattern in [&[0, 1][..], &[0, 0, 1], &[0, 0, 0, 1, 1], &[1, 0, 0, 2, 2, 2, 0]] {
        let lab = lab(3, 20);
        let admitted = pattern.iter().cycle().take(60).filter(|worker| call_on(&lab, **worker).0).count();
        assert_eq!(admitted, 20, "{pattern:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever writes between, on whichever worker: in stretches, as guesses are right in some and wrong in others.
    #[test]
    fn whatever_the_order_every_team_is_admitted_exactly_its_limit(
        stretches in prop::collection::vec((0..3usize, 0..3usize, 1..8usize, 0..4usize), 40..80),
    ) {
        let lab = teams(3, 30);
        let (mut called, mut admitted) = ([0; 3], [0; 3]);
        for (worker, team, calls, teams) in stretches {
            for nth in 0..calls {
                let team = (team + nth % teams.max(1)) % TEAMS.len();
                called[team] += 1;
                admitted[team] += usize::from(team_on(&lab, worker, TEAMS[team]).0);
            }
        }
        prop_assert_eq!(admitted, called.map(|called: usize| called.min(30)));
    }
}

#[test]
fn stamps_that_begin_anew_are_followed() {
    let lab = lab(1, 100);
    lab.set_next_cas(u32::MAX - 4);
    let called = [0; 12].map(|_| call_on(&lab, 0));
    assert_eq!(called[1..], [(true, 0); 11]);
}
