//! A policy or a setting changes while counters run.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn windows() -> impl Strategy<Value = Window> {
    prop_oneof![
        Just(Window::SECOND),
        Just(Window::MINUTE),
        Just(Window::HOUR),
        Just(Window::sliding(Duration::from_secs(7)).unwrap()),
        Just(Window::calendar(CalendarUnit::Minute)),
        Just(Window::calendar(CalendarUnit::Hour)),
    ]
}

/// Whether both moments can count together in one window.
fn together(window: Window, then: Now, now: Now) -> bool {
    match window {
        Window::Sliding(_) => now.monotonic_ms - then.monotonic_ms < window.length_ms(),
        Window::Calendar(_) => then.wall_ms / window.length_ms() == now.wall_ms / window.length_ms(),
        Window::Running => unreachable!("not among these windows"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Two policies with other windows for one counter take turns, as while an old listener drains.
    #[test]
    fn no_window_ever_holds_more_of_its_own_calls_than_max(
        (one, other) in (windows(), windows()),
        calls in prop::collection::vec((0..40_000u64, any::<bool>()), 1..80),
    ) {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Deny);
        let mut now = START;
        let mut admissions: Vec<(Now, Window)> = Vec::new();
        for (wait, which) in calls {
            now = after(now, wait);
            let window = if which { one } else { other };
            let shorter = one.length_ms().min(other.length_ms());
            let charges = [charge("c", window, 5)];
            let looked = quota.look(&store, grant("g"), &charges, now).unwrap();
            let outcome = quota.take(&store, grant("g"), &charges, now).unwrap();
            prop_assert_eq!(matches!(looked, Outcome::Admitted(_)), matches!(outcome, Outcome::Admitted(_)));
            match outcome {
                Outcome::Admitted(_) => {
                    admissions.push((now, window));
                    let own = admissions.iter().filter(|(then, by)| *by == window && together(window, *then, now));
                    prop_assert!(own.count() <= 5);
                    // And whoever's calls: as long as both windows remember them.
                    let recent = admissions.iter().filter(|(then, by)| {
                        together(window, *then, now) && together(*by, *then, now) && now.monotonic_ms - then.monotonic_ms < shorter
                    });
                    prop_assert!(recent.count() <= 5);
                }
                Outcome::Refused(refusal) => {
                    let wait = refusal.retry_after_ms.unwrap();
                    prop_assert!(admitted(quota.look(&store, grant("g"), &charges, after(now, wait))));
                    prop_assert!(!admitted(quota.look(&store, grant("g"), &charges, after(now, wait - 1))));
                }
            }
        }
    }
}

#[test]
fn a_longer_window_carries_over_what_the_shorter_one_remembers() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    for _ in 0..3 {
        assert!(admitted(quota.take(&store, grant("g"), &[charge("c", Window::MINUTE, 3)], START)));
    }
    let hour = [charge("c", Window::HOUR, 4)];
    assert!(admitted(quota.take(&store, grant("g"), &hour, after(START, 1_000))));
    assert!(!admitted(quota.take(&store, grant("g"), &hour, after(START, 2_000))));
    assert!(
        !admitted(quota.take(&store, grant("g"), &hour, after(START, 1_800_000))),
        "the minute's calls are forgotten"
    );
    assert!(admitted(quota.take(&store, grant("g"), &hour, after(START, 3_900_000))));
}

#[test]
fn a_shorter_window_is_not_held_up_by_what_lies_before_it() {
    for window in [Window::DAY, Window::calendar(CalendarUnit::Month)] {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Deny);
        for _ in 0..100 {
            assert!(admitted(quota.take(&store, grant("g"), &[charge("c", window, 1_000)], START)));
        }
        let minute = [charge("c", Window::MINUTE, 10)];
        assert!(!admitted(quota.take(&store, grant("g"), &minute, after(START, 1_000))), "{window}");
        // A cell of a day is 96 minutes long: what it holds can be that young.
        let past = after(START, 98 * 60_000);
        assert!(admitted(quota.take(&store, grant("g"), &minute, past)), "{window}");
        // The long window goes on knowing of both.
        let rest = taken(quota.look(&store, grant("g"), &[charge("c", window, 1_000)], past));
        assert_eq!(rest.remaining(), [1_000 - 102], "{window}");
    }
}

#[test]
fn a_changed_max_judges_the_count_that_is_there() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    for _ in 0..5 {
        assert!(admitted(quota.take(&store, grant("g"), &[charge("c", Window::MINUTE, 5)], START)));
    }
    assert_eq!(refusal(quota.take(&store, grant("g"), &[charge("c", Window::MINUTE, 3)], START)).remaining, 0);
    assert_eq!(taken(quota.take(&store, grant("g"), &[charge("c", Window::MINUTE, 8)], START)).remaining(), [2]);
}

#[test]
fn another_max_bytes_waits_for_a_restart() {
    let store = Map::default();
    let before = open(&store, 16 << 10, WhenFull::Deny);
    let one = [charge("c", Window::MINUTE, 1)];
    assert!(admitted(before.take(&store, grant("g"), &one, START)));
    let settings = Settings::new(1 << 20, WhenFull::Share).unwrap();
    let reloaded = Quota::open(&store, "test", settings, [9; 16]).unwrap();
    assert!(reloaded.waits_for_restart() && !before.waits_for_restart());
    assert!(!admitted(reloaded.take(&store, grant("g"), &one, START)), "the count is not found again");
}

#[test]
fn settings_have_bounds() {
    assert_eq!(Settings::default().max_bytes(), 32 << 20);
    assert!(Settings::new((16 << 10) - 1, WhenFull::Deny).is_none());
    assert!(Settings::new((1 << 30) + 2_048, WhenFull::Deny).is_none());
    assert!(Settings::new(u64::MAX, WhenFull::Deny).is_none());
}
