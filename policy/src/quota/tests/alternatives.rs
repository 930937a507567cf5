//! Why a window is a ring: the promise, held against the schemes that are usual, which break it.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

use super::mutants::{Gcra, TwoWindows};
use super::*;

const MAX: u64 = 5;
const WINDOW_MS: u64 = 60_000;

/// Whether a call at this moment, in ms, is admitted.
type Limiter = Box<dyn FnMut(u64) -> bool>;

/// Waits between calls, in ms.
fn histories() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![Just(0), 0..20_000u64, 0..200_000u64], 1..60)
}

/// Runs a limiter through random histories; the one in which some window held more than [`MAX`], if there is any.
fn broken_promise(limiter: impl Fn() -> Limiter) -> Option<Vec<u64>> {
    let mut runner = TestRunner::deterministic();
    let result = runner.run(&histories(), |waits| {
        let mut admits = limiter();
        let mut now = START.monotonic_ms;
        let mut admissions = Vec::new();
        for wait in waits {
            now += wait;
            if admits(now) {
                admissions.push(now);
                let held = admissions.iter().filter(|&&at| at + WINDOW_MS > now).count() as u64;
                prop_assert!(held <= MAX);
            }
        }
        Ok(())
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(_, waits)) => Some(waits),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_ring_keeps_the_promise() {
    let ring = || -> Limiter {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Deny);
        let window = Window::sliding(Duration::from_millis(WINDOW_MS)).unwrap();
        Box::new(move |monotonic_ms| {
            let now = Now { monotonic_ms, ..START };
            admitted(quota.take(&store, grant("g"), &[charge("c", window, MAX)], now))
        })
    };
    assert_eq!(broken_promise(ring), None);
}

#[test]
fn gcra_in_its_place_is_found_to_break_it() {
    let gcra = || -> Limiter {
        let mut gcra = Gcra::new(MAX, WINDOW_MS);
        Box::new(move |now| gcra.admits(now))
    };
    // A whole burst, and one more as soon as an interval has passed.
    let waits = broken_promise(gcra).unwrap();
    assert_eq!((waits.len() as u64, waits.iter().skip(1).sum()), (MAX + 1, WINDOW_MS / MAX));
}

#[test]
fn two_weighted_windows_in_its_place_are_found_to_break_it() {
    let two = || -> Limiter {
        let mut two = TwoWindows::new(MAX, WINDOW_MS);
        Box::new(move |now| two.admits(now))
    };
    assert!(broken_promise(two).is_some());
}
