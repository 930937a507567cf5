//! Workers that count at once: what is admitted is exactly the limit. And that this test would tell.

use std::sync::Barrier;
use std::thread;

use super::mutants::{IgnoresMismatch, Overwrites};
use super::*;

const WORKERS: usize = 8;
const CALLS: usize = 20;

/// Lets another worker run between reading and writing, wherever it can.
struct Interrupted<S>(S);

impl<S: CounterStore> CounterStore for Interrupted<S> {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        let read = self.0.get(shard);
        thread::yield_now();
        read
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        self.0.compare_and_swap(shard, value, expected)
    }
}

/// Eight workers call at once, each for the grant that `name` gives it; how many calls are admitted.
fn race<S: CounterStore + Sync>(store: &S, name: impl Fn(usize) -> String + Sync, charges: &[Charge<'_>]) -> u64 {
    let barrier = Barrier::new(WORKERS);
    thread::scope(|scope| {
        let (barrier, name) = (&barrier, &name);
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                scope.spawn(move || {
                    let (name, quota) = (name(worker), begin(store));
                    barrier.wait();
                    let is_admitted = |_: &usize| admitted_at_last(|| quota.take(store, grant(&name), charges, START));
                    (0..CALLS).filter(is_admitted).count() as u64
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    })
}

fn begin<S: CounterStore>(store: &S) -> Quota {
    Quota::open(store, "test", Settings::new(16 << 10, WhenFull::Deny).unwrap(), [42; 16]).unwrap()
}

fn everybody(counter: &str, max: u64) -> Charge<'_> {
    Charge { scope: ScopeValue::Global, ..charge(counter, Window::MINUTE, max) }
}

/// What a counter still admits: one less than before for each call that it counted.
fn rest<S: CounterStore>(store: &S, quota: &Quota, who: &str, charge: Charge<'_>) -> u64 {
    taken(quota.look(store, grant(who), &[charge], START)).remaining()[0]
}

/// One race for one grant's count. What it admitted, and what the other counter of each call then holds.
fn race_in_one_shard<S: CounterStore + Sync>(store: S, max: u64) -> [u64; 2] {
    let store = Interrupted(store);
    let quota = begin(&store);
    let loose = charge("loose", Window::HOUR, 1_000);
    let admissions = race(&store, |_| "g".into(), &[charge("tight", Window::MINUTE, max), loose]);
    [admissions, 999 - rest(&store, &quota, "g", loose)]
}

/// One race of three grants for a count of everybody. What it admitted, and what the grants' own counters then hold.
fn race_over_shards<S: CounterStore + Sync>(store: S, max: u64) -> [u64; 2] {
    let store = Interrupted(store);
    let quota = begin(&store);
    let name = |worker: usize| format!("grant {}", worker % 3);
    let own = charge("own", Window::MINUTE, 1_000);
    let admissions = race(&store, name, &[own, everybody("all", max)]);
    [admissions, (0..3).map(|n| 999 - rest(&store, &quota, &name(n), own)).sum()]
}

#[test]
fn eight_workers_admit_exactly_max() {
    for round in 0..300 {
        let max = 1 + round * 7 % 50;
        assert_eq!(race_in_one_shard(Map::default(), max), [max, max], "round {round}: a refused call took something");
    }
}

#[test]
fn workers_over_several_shards_never_exceed_max_and_lose_no_count() {
    for round in 0..200 {
        // Own counts never refuse and that of everybody is settled last, so no undo hides a free place.
        assert_eq!(race_over_shards(Map::default(), 37), [37, 37], "round {round}: an undo lost or left a count");
    }
}

#[test]
fn the_races_find_counters_that_ignore_a_mismatch() {
    let is_over = |[admissions, _]: [u64; 2], max| admissions > max;
    let found = |race: &dyn Fn() -> bool| (0..100).any(|_| race());
    assert!(found(&|| is_over(race_in_one_shard(IgnoresMismatch(Map::default()), 10), 10)));
    assert!(found(&|| is_over(race_in_one_shard(Overwrites(Map::default()), 10), 10)));
    assert!(found(&|| is_over(race_over_shards(IgnoresMismatch(Map::default()), 10), 10)));
    assert!(found(&|| is_over(race_over_shards(Overwrites(Map::default()), 10), 10)));
}
