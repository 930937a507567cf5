//! The promise of a window, held against a plain list of what was admitted when.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// One admitted addition: when, by the clock that never runs backwards, and how much.
type Admission = (u64, u64);

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    JumpBack(u64),
    Call(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..20_000u64).prop_map(Step::Wait),
        1 => (0..200_000u64).prop_map(Step::Wait),
        1 => (0..100_000u64).prop_map(Step::JumpBack),
        6 => (0..6u64).prop_map(Step::Call),
    ];
    prop::collection::vec(step, 1..120)
}

fn sum(admissions: &[Admission], from: u64) -> u64 {
    admissions.iter().filter(|(at, _)| *at >= from).map(|(_, amount)| amount).sum()
}

/// At the time that a refusal names the call is admitted, and a millisecond earlier it is not.
pub(super) fn assert_retry_is_exact(quota: &Quota, store: &Map, charges: &[Charge<'_>], now: Now, refusal: Refusal) {
    let Some(wait) = refusal.retry_after_ms else {
        assert!(charges.iter().any(|charge| charge.amount > charge.max));
        return;
    };
    assert!(wait > 0);
    assert!(admitted(quota.look(store, grant("g"), charges, after(now, wait))), "after {wait} ms");
    assert!(!admitted(quota.look(store, grant("g"), charges, after(now, wait - 1))), "before {wait} ms");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_sliding_window_keeps_its_promise(steps in steps(), max in 0..12u64, window_ms in 1_000..90_000u64) {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Deny);
        let window = Window::sliding(Duration::from_millis(window_ms)).unwrap();
        let (mut now, mut latest) = (START, 0);
        let mut admissions: Vec<Admission> = Vec::new();
        for step in steps {
            match step {
                Step::Wait(ms) => now = after(now, ms),
                Step::JumpBack(ms) => now.monotonic_ms -= ms,
                Step::Call(amount) => {
                    let charges = [Charge { amount, ..charge("c", window, max) }];
                    // The counter's time: the latest that an admitted addition brought.
                    let at = now.monotonic_ms.max(latest);
                    let looked = quota.look(&store, grant("g"), &charges, now).unwrap();
                    let outcome = quota.take(&store, grant("g"), &charges, now).unwrap();
                    match (&looked, &outcome) {
                        (Outcome::Refused(looked), Outcome::Refused(refusal)) => {
                            prop_assert_eq!(looked, refusal);
                            let held: Vec<_> = admissions
                                .iter()
                                .filter(|(then, _)| (at - then) * 15 < window_ms * 16)
                                .copied()
                                .collect();
                            prop_assert!(sum(&held, 0) + amount > max, "refused for no reason");
                            prop_assert!(refusal.remaining < amount);
                            assert_retry_is_exact(&quota, &store, &charges, now, *refusal);
                        }
                        (Outcome::Admitted(looked), Outcome::Admitted(taken)) => {
                            prop_assert_eq!(&looked.remaining, &taken.remaining);
                            if amount > 0 {
                                latest = at;
                                admissions.push((at, amount));
                                prop_assert!(sum(&admissions, (at + 1).saturating_sub(window_ms)) <= max);
                            }
                        }
                        _ => prop_assert!(false, "look and take differ"),
                    }
                }
            }
        }
    }

    #[test]
    fn steps_backwards_never_admit_more_in_real_time(steps in steps(), max in 1..8u64) {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Deny);
        let (mut real, mut behind) = (0, 0);
        let mut admissions: Vec<Admission> = Vec::new();
        for step in steps {
            match step {
                Step::Wait(ms) => real += ms,
                Step::JumpBack(ms) => behind += ms,
                Step::Call(amount) => {
                    let now = Now { monotonic_ms: START.monotonic_ms + 10_000_000 + real - behind, ..START };
                    let charges = [Charge { amount, ..charge("c", Window::MINUTE, max) }];
                    if admitted(quota.take(&store, grant("g"), &charges, now)) {
                        admissions.push((real, amount));
                        prop_assert!(sum(&admissions, (real + 1).saturating_sub(60_000)) <= max);
                    }
                }
            }
        }
    }

    #[test]
    fn a_calendar_window_admits_max_per_period(steps in steps(), max in 0..12u64) {
        for (unit, length) in [(CalendarUnit::Second, 1_000), (CalendarUnit::Minute, 60_000), (CalendarUnit::Hour, 3_600_000)] {
            let store = Map::default();
            let quota = open(&store, 16 << 10, WhenFull::Deny);
            let (mut now, mut latest) = (START, 0);
            let mut periods: HashMap<u64, u64> = HashMap::new();
            for step in &steps {
                match *step {
                    Step::Wait(ms) => now = after(now, ms),
                    Step::JumpBack(ms) => now.wall_ms -= ms,
                    Step::Call(amount) => {
                        let charges = [Charge { amount, ..charge("c", Window::calendar(unit), max) }];
                        let period = now.wall_ms.max(latest) / length;
                        let held = periods.entry(period).or_default();
                        let fits = amount == 0 || *held + amount <= max;
                        match quota.take(&store, grant("g"), &charges, now).unwrap() {
                            Outcome::Admitted(_) => {
                                prop_assert!(fits);
                                *held += amount;
                                if amount > 0 {
                                    latest = now.wall_ms.max(latest);
                                }
                            }
                            Outcome::Refused(refusal) => {
                                prop_assert!(!fits);
                                prop_assert_eq!(refusal.remaining, max - *held);
                                assert_retry_is_exact(&quota, &store, &charges, now, refusal);
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_max_of_zero_refuses_any_amount_and_no_wait_helps() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let refused = refusal(quota.take(&store, grant("g"), &[charge("c", Window::MINUTE, 0)], START));
    assert_eq!(refused, Refusal { charge: 0, retry_after_ms: None, remaining: 0 });
}

#[test]
fn an_amount_of_zero_is_admitted_and_takes_nothing() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let nothing = [Charge { amount: 0, ..charge("c", Window::MINUTE, 0) }];
    assert!(admitted(quota.take(&store, grant("g"), &nothing, START)));
    assert_eq!(store.shard_bytes(), (0, 0));
}

#[test]
fn the_largest_amounts_neither_overflow_nor_slip_through() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let huge = |amount| [Charge { amount, ..charge("c", Window::MINUTE, u64::MAX) }];
    assert!(admitted(quota.take(&store, grant("g"), &huge(u64::MAX), START)));
    let refused = refusal(quota.take(&store, grant("g"), &huge(1), START));
    assert_eq!((refused.remaining, refused.retry_after_ms.is_some()), (0, true));
    let twice = [huge(u64::MAX)[0], Charge { call: 1, ..huge(u64::MAX)[0] }];
    assert!(!admitted(quota.take(&store, grant("other"), &twice, START)));
}

#[test]
fn one_call_adds_to_a_counter_once_and_each_limit_judges_by_its_own_max() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let charges = [charge("c", Window::MINUTE, 10), charge("c", Window::MINUTE, 3)];
    for left in [[9, 2], [8, 1], [7, 0]] {
        assert_eq!(taken(quota.take(&store, grant("g"), &charges, START)).remaining(), left);
    }
    let refused = refusal(quota.take(&store, grant("g"), &charges, START));
    assert_eq!((refused.charge, refused.remaining), (1, 0));
}

#[test]
fn the_calls_of_a_batch_add_up() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let batch = |n| (0..n).map(|call| Charge { call, ..charge("c", Window::MINUTE, 5) }).collect::<Vec<_>>();
    let refused = refusal(quota.take(&store, grant("g"), &batch(6), START));
    assert_eq!(refused, Refusal { charge: 5, retry_after_ms: None, remaining: 0 });
    assert_eq!(taken(quota.take(&store, grant("g"), &batch(5), START)).remaining(), [4, 3, 2, 1, 0]);
    assert!(!admitted(quota.take(&store, grant("g"), &batch(1), START)));
}

#[test]
fn charges_that_contradict_each_other_are_an_error() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let one = charge("c", Window::MINUTE, 10);
    for other in [
        Charge { amount: 2, ..one },
        Charge { window: Window::HOUR, ..one },
        Charge { unit: Unit::Millionths, ..one },
        Charge { call: 1, window: Window::HOUR, ..one },
    ] {
        let outcome = quota.take(&store, grant("g"), &[one, other], START);
        assert_eq!(outcome, Err(QuotaError::Disagree { charge: 1 }));
    }
}

#[test]
fn a_worker_whose_clock_is_late_counts_at_the_counters_time() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let one = [charge("c", Window::MINUTE, 1)];
    assert!(admitted(quota.take(&store, grant("g"), &one, after(START, 5_000))));
    let refused = refusal(quota.take(&store, grant("g"), &one, START));
    assert_retry_is_exact(&quota, &store, &one, START, refused);
}
