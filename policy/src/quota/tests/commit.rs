//! All or none, and giving back; under failure.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;

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
        assert_eq!(third.remaining(), [0, 6], "only charge 0 was given back");
        for taken in [&second, &third] {
            quota.give_back(&store, taken, |_| true).unwrap();
        }
        assert_eq!(taken(quota.look(&store, grant("g"), &charges, after(START, 9_000))).remaining(), [1, 7]);
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
