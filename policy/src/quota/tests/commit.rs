//! All or none, under contention and failure.

use std::cell::Cell;
use std::sync::Barrier;
use std::thread;

use proptest::prelude::*;

use super::*;

const WORKERS: usize = 8;

#[test]
fn eight_workers_admit_exactly_max() {
    for round in 0..60 {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Deny);
        let max = 1 + round * 7 % 50;
        let barrier = Barrier::new(WORKERS);
        let admissions: u64 = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        let charges = [charge("a", Window::MINUTE, max), charge("b", Window::HOUR, 1_000)];
                        (0..20).filter(|_| admitted(quota.take(&store, grant("g"), &charges, START))).count() as u64
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(admissions, max.min(160), "round {round}");
        let rest = taken(quota.look(&store, grant("g"), &[charge("b", Window::HOUR, 1_000)], START));
        assert_eq!(rest.remaining, [999 - admissions], "a refused call took something");
    }
}

#[test]
fn workers_over_several_shards_never_exceed_max_and_lose_no_count() {
    for round in 0..40 {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Deny);
        let barrier = Barrier::new(WORKERS);
        let admissions: u64 = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|worker| {
                    let (quota, store, barrier) = (&quota, &store, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        let name = format!("grant {}", worker % 3);
                        let charges = [
                            charge("own", Window::MINUTE, 1_000),
                            Charge { scope: ScopeValue::Global, ..charge("all", Window::MINUTE, 37) },
                        ];
                        let take = || quota.take(store, grant(&name), &charges, START);
                        (0..12).filter(|_| admitted(take())).count() as u64
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        // Own counts never refuse and the global one is settled last, so no undo hides a free place.
        assert_eq!(admissions, 37, "round {round}");
        let own: u64 = (0..3)
            .map(|n| {
                let name = format!("grant {n}");
                let rest = quota.look(&store, grant(&name), &[charge("own", Window::MINUTE, 1_000)], START);
                999 - taken(rest).remaining[0]
            })
            .sum();
        assert_eq!(own, 37, "an undo lost or left a count");
    }
}

#[test]
fn a_refused_call_takes_nothing_anywhere() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let charges =
        [charge("own", Window::MINUTE, 10), Charge { scope: ScopeValue::Global, ..charge("all", Window::MINUTE, 1) }];
    assert!(admitted(quota.take(&store, grant("g"), &charges, START)));
    let before = store.lock().clone();
    assert_eq!(refusal(quota.take(&store, grant("g"), &charges, START)).charge, 1);
    assert_eq!(*store.lock(), before);
}

#[test]
fn giving_back_frees_what_was_taken_and_no_more() {
    for window in [Window::MINUTE, Window::calendar(CalendarUnit::Day)] {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Deny);
        let charges = [charge("a", window, 2), Charge { scope: ScopeValue::Global, ..charge("b", window, 9) }];
        let first = taken(quota.take(&store, grant("g"), &charges, START));
        let second = taken(quota.take(&store, grant("g"), &charges, after(START, 3_000)));
        assert!(!admitted(quota.take(&store, grant("g"), &charges, after(START, 6_000))));
        quota.give_back(&store, &first, |charge| charge == 0).unwrap();
        let third = taken(quota.take(&store, grant("g"), &charges, after(START, 6_000)));
        assert_eq!(third.remaining, [0, 6], "only charge 0 was given back");
        for taken in [&second, &third] {
            quota.give_back(&store, taken, |_| true).unwrap();
        }
        assert_eq!(taken(quota.look(&store, grant("g"), &charges, after(START, 9_000))).remaining, [1, 7]);
    }
}

#[test]
fn a_counter_of_two_limits_is_given_back_only_if_both_say_so() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let charges = [charge("c", Window::MINUTE, 1), charge("c", Window::MINUTE, 5)];
    let first = taken(quota.take(&store, grant("g"), &charges, START));
    quota.give_back(&store, &first, |charge| charge == 0).unwrap();
    assert!(!admitted(quota.take(&store, grant("g"), &charges, START)));
    quota.give_back(&store, &first, |_| true).unwrap();
    assert!(admitted(quota.take(&store, grant("g"), &charges, START)));
}

#[test]
fn giving_back_late_does_not_touch_the_next_window() {
    for window in [Window::MINUTE, Window::calendar(CalendarUnit::Minute)] {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Deny);
        let charges = [charge("c", window, 1)];
        let first = taken(quota.take(&store, grant("g"), &charges, START));
        let later = after(START, 120_000);
        assert!(admitted(quota.take(&store, grant("g"), &charges, later)));
        quota.give_back(&store, &first, |_| true).unwrap();
        assert!(!admitted(quota.take(&store, grant("g"), &charges, later)));
    }
}

/// A store whose calls fail, or swaps lose, as a list of dice says.
struct Flaky {
    map: Map,
    dice: Vec<u8>,
    thrown: Cell<usize>,
}

impl Flaky {
    fn throw(&self) -> u8 {
        let n = self.thrown.get();
        self.thrown.set(n + 1);
        if self.dice.is_empty() { 9 } else { self.dice[n % self.dice.len()] }
    }
}

impl CounterStore for Flaky {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        if self.throw() == 0 { Err(StoreError { status: 10 }) } else { self.map.get(shard) }
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        match self.throw() {
            1 => Err(StoreError { status: 10 }),
            2..=5 => Ok(Swap::Mismatch),
            _ => self.map.compare_and_swap(shard, value, expected),
        }
    }
}

proptest! {
    #[test]
    fn a_store_that_fails_and_loses_races_never_admits_more(dice in prop::collection::vec(0..10u8, 1..300)) {
        let map = Map::default();
        let quota = open(&map, 16 << 10, WhenFull::Deny);
        let store = Flaky { map, dice, thrown: Cell::new(0) };
        let charges = [
            charge("own", Window::MINUTE, 9),
            Charge { scope: ScopeValue::Global, ..charge("all", Window::MINUTE, 6) },
            Charge { scope: ScopeValue::Claim { name: "team", value: Some("x") }, ..charge("team", Window::MINUTE, 7) },
        ];
        let takes = (0..20).map(|_| quota.take(&store, grant("g"), &charges, START));
        let admissions = takes.filter(|outcome| matches!(outcome, Ok(Outcome::Admitted(_)))).count() as u64;
        prop_assert!(admissions <= 6);
        // What is held covers what was admitted: an undo may have failed, but none took too much back.
        for charge in charges {
            let held = match quota.look(&store.map, grant("g"), &[charge], START).unwrap() {
                Outcome::Admitted(taken) => charge.max - taken.remaining[0] - 1,
                Outcome::Refused(refusal) => charge.max - refusal.remaining,
            };
            prop_assert!(held >= admissions, "{} of {admissions} held", held);
        }
    }
}

#[test]
fn a_swap_that_always_loses_is_an_error_and_ends() {
    let map = Map::default();
    let quota = open(&map, 16 << 10, WhenFull::Deny);
    let store = Flaky { map, dice: vec![3], thrown: Cell::new(0) };
    let outcome = quota.take(&store, grant("g"), &[charge("c", Window::MINUTE, 9)], START);
    assert_eq!(outcome, Err(QuotaError::Contended));
    assert_eq!(store.thrown.get(), 2 * ATTEMPTS);
}
