//! Eight workers on eight threads, thousands of races, each for counts that are new: what is admitted is exactly the
//! limit, and what one limit refuses takes nothing from the others. And that this test would tell.

use std::sync::Barrier;
use std::thread;

use host_test::{Builder, Host, Worker};
use serde_json::{Value, json};

use crate::lab::{Request, call, envelope, filter, is_forwarded};

const WORKERS: usize = 8;
/// How many calls each worker makes in a race.
const CALLS: usize = 3;
const RACES: usize = 2_000;
/// In every so many of them it is looked at what is left of each counter.
const LOOKED_AT: usize = 5;

/// The limit that decides a race.
#[derive(Clone, Copy, Debug)]
struct Tight {
    counter: &'static str,
    max: usize,
    /// How many grants call; each race has others.
    grants: usize,
}

const TIGHT: [Tight; 3] = [
    Tight { counter: "grant", max: 13, grants: 1 },
    Tight { counter: "session", max: 5, grants: 1 },
    // Of another shard than the grants' own counters: what it refuses has to be given back there.
    Tight { counter: "tenant", max: 7, grants: 3 },
];

/// A limit that never refuses in these races.
const LOOSE: usize = 1_000;

fn limit(counter: &str, max: usize) -> Value {
    let scope = if counter == "tenant" { "header:x-tenant" } else { counter };
    json!({"counter": counter, "window": "hour", "max": max, "scope": scope})
}

/// A tool for each race, whose three limits count together; and a tool for each counter, to see what is left of it.
fn policy(global: usize) -> Value {
    let mut tools = json!({});
    for tight in TIGHT {
        let limits =
            TIGHT.map(|other| limit(other.counter, if other.counter == tight.counter { tight.max } else { LOOSE }));
        tools[format!("by_{}", tight.counter)] = json!({"limits": limits});
        for counter in TIGHT.map(|other| other.counter) {
            tools[left_of(counter, tight)] = json!({"limits": [limit(counter, tight.max + 1)]});
        }
    }
    json!({"version": "1", "default": "deny", "tools": tools,
        "all_tools": {"limits": [{"counter": "all", "window": "day", "max": global, "scope": "global"}]}})
}

/// The tool whose limit is one more than the race admits.
fn left_of(counter: &str, tight: Tight) -> String {
    format!("left_of_{counter}_after_{}", tight.max)
}

fn configuration(global: usize) -> String {
    envelope(policy(global), json!({"identity": {"grant": [{"header": "x-grant"}]}})).to_string()
}

fn workers() -> Builder {
    filter().workers(WORKERS).configuration(configuration(1_000_000))
}

/// One race, by its number.
#[derive(Clone, Copy)]
struct Race {
    number: usize,
    tight: Tight,
}

impl Race {
    fn new(number: usize) -> Self {
        Self { number, tight: TIGHT[number % TIGHT.len()] }
    }

    fn request(self, grant: usize) -> Request {
        let Self { number, .. } = self;
        let grant = grant % self.tight.grants;
        Request::post()
            .set("x-grant", format!("grant-{number}-{grant}"))
            .set("mcp-session-id", format!("session-{number}"))
            .set("x-tenant", format!("tenant-{number}"))
    }

    /// How many calls of a worker are admitted.
    fn call(self, worker: &Worker, index: usize) -> usize {
        let (request, body) = (self.request(index), call(&format!("by_{}", self.tight.counter), &json!({})));
        (0..CALLS).filter(|_| is_forwarded(&request.send(worker, &body))).count()
    }

    /// How many calls a grant's counter still admits, of one more than the race does.
    fn left(self, host: &Host, counter: &str, grant: usize) -> usize {
        let (request, body) = (self.request(grant), call(&left_of(counter, self.tight), &json!({})));
        let admits = || is_forwarded(&request.send(&host.worker(0), &body));
        (0..).take_while(|_| admits()).count()
    }
}

/// Runs races until `goes_on` says no to what one admitted; how many were run.
fn run(host: &Host, races: usize, mut goes_on: impl FnMut(Race, usize) -> bool) -> usize {
    let start = Barrier::new(WORKERS + 1);
    let (start, workers) = (&start, host.workers());
    thread::scope(|scope| {
        let (to, from): (Vec<_>, Vec<_>) = workers
            .iter()
            .enumerate()
            .map(|(index, worker)| {
                let (to, races) = std::sync::mpsc::channel::<Race>();
                let (admitted, from) = std::sync::mpsc::channel();
                scope.spawn(move || {
                    for race in races {
                        start.wait();
                        admitted.send(race.call(worker, index)).unwrap();
                    }
                });
                (to, from)
            })
            .unzip();
        for number in 0..races {
            let race = Race::new(number);
            to.iter().for_each(|to| to.send(race).unwrap());
            start.wait();
            let admitted = from.iter().map(|from| from.recv().unwrap()).sum();
            if !goes_on(race, admitted) {
                return number + 1;
            }
        }
        races
    })
}

#[test]
fn eight_workers_admit_exactly_the_limit_in_thousands_of_races() {
    let host = workers().start().unwrap();
    let mut counted = 0;
    run(&host, RACES, |race, admitted| {
        let Race { number, tight } = race;
        assert_eq!(admitted, tight.max, "race {number} for {tight:?}");
        counted += admitted;
        // Every counter holds what was admitted: what the tight one refused was added to none.
        for other in TIGHT.iter().filter(|_| number % LOOKED_AT == 0) {
            let owners = if other.counter == "tenant" { 1 } else { tight.grants };
            let left: usize = (0..owners).map(|grant| race.left(&host, other.counter, grant)).sum();
            assert_eq!(
                left,
                owners * (tight.max + 1) - tight.max,
                "{} after race {number} for {tight:?}",
                other.counter
            );
            counted += left;
        }
        true
    });
    // And so does the one that all calls of all races are counted by: it admits what it is then given, and no more.
    host.reconfigure(configuration(counted + 2)).unwrap();
    assert_eq!(Race::new(RACES).left(&host, "grant", 0), 2);
    assert_eq!(host.metrics()["mcp_policy.uncounted"], 0);
}

#[test]
fn the_races_find_a_store_that_ignores_a_mismatch() {
    let host = workers().lose_late_writes().start().unwrap();
    // One after the other, so that the workers agree on the layout: the counts alone are to go wrong.
    for (index, worker) in host.workers().iter().enumerate() {
        Race::new(RACES).call(worker, index);
    }
    let mut over = false;
    run(&host, RACES, |race, admitted| {
        over = admitted > race.tight.max;
        !over
    });
    assert!(over, "{RACES} races admitted no more than the limit");
}
