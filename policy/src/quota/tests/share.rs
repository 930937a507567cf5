//! The slots that those without one share.

use proptest::prelude::*;

use super::running::Pool;
use super::*;

/// Names of grants whose counts lie in one shard.
pub(super) fn neighbours(quota: &Quota) -> impl Iterator<Item = String> {
    let of_grant = charge("c", Window::MINUTE, 1);
    (0..).map(|n| format!("neighbour {n}")).filter(move |name| quota.spot(grant(name), &of_grant).shard == 0)
}

/// So many that a shard has no room for another, until their counts have left their window: in little more than a second.
fn crowd(quota: &Quota, store: &Map, names: &[String], now: Now) {
    for name in names {
        quota.take(store, grant(name), &[charge("filler", Window::SECOND, 1)], now).unwrap();
    }
}

const CROWD: usize = 150;

#[test]
fn a_counter_with_a_slot_of_another_window_does_not_count_in_the_shared_one() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Share);
    let names: Vec<_> = neighbours(&quota).take(CROWD + 1).collect();
    let [who, others @ ..] = names.as_slice() else { panic!() };
    // A minute would forget what the hour counts, so it wants a slot of its own, and there is no room for that.
    assert!(admitted(quota.take(&store, grant(who), &[charge("c", Window::HOUR, 3)], START)));
    crowd(&quota, &store, others, START);
    let mut admissions = 0;
    for _ in 0..10 {
        match quota.take(&store, grant(who), &[charge("c", Window::MINUTE, 3)], START) {
            Ok(Outcome::Admitted(taken)) => {
                assert!(!taken.is_shared());
                admissions += 1;
            }
            Ok(Outcome::Refused(_)) | Err(QuotaError::Full { charge: 0 }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert!(admissions <= 2, "{admissions} and the one of the hour");
}

/// The slot of the minute cannot take over what the hour still counts in the shared one.
#[test]
fn what_an_hour_shares_still_counts_when_the_counter_gets_a_slot_for_a_minute() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Share);
    let names: Vec<_> = neighbours(&quota).take(CROWD + 1).collect();
    let [who, others @ ..] = names.as_slice() else { panic!() };
    let take = |window, ms| quota.take(&store, grant(who), &[charge("c", window, 3)], after(START, ms));
    crowd(&quota, &store, others, START);
    for _ in 0..3 {
        assert!(taken(take(Window::HOUR, 0)).is_shared());
    }
    // Two policies, as while an old listener drains.
    assert!(!taken(take(Window::MINUTE, 600_000)).is_shared());
    assert!(!admitted(take(Window::HOUR, 600_000)));
}

/// Two windows in turns, as while an old listener drains.
#[test]
fn what_others_share_is_taken_over_no_more_than_once_for_each_window() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Share);
    let names: Vec<_> = neighbours(&quota).take(CROWD + 2).collect();
    let [who, other, others @ ..] = names.as_slice() else { panic!() };
    crowd(&quota, &store, others, START);
    for _ in 0..5 {
        assert!(taken(quota.take(&store, grant(other), &[charge("c", Window::DAY, 100)], START)).is_shared());
    }
    let now = after(START, 600_000);
    let in_turns = [Window::HOUR, Window::DAY].into_iter().cycle();
    let admissions =
        in_turns.take_while(|window| admitted(quota.take(&store, grant(who), &[charge("c", *window, 100)], now)));
    let admissions = admissions.take(200).count();
    assert!((90..=95).contains(&admissions), "{admissions}");
}

#[test]
fn what_a_grant_has_no_room_for_is_not_shared_with_other_grants() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Share);
    let names: Vec<_> = neighbours(&quota).take(CROWD + 2).collect();
    let [greedy, other, others @ ..] = names.as_slice() else { panic!() };
    let take = |who: &str, session: &str| {
        let scope = ScopeValue::Session(Some(session));
        quota.take(&store, grant(who), &[Charge { scope, ..charge("s", Window::MINUTE, 2) }], START)
    };
    let sessions: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let shared = sessions.iter().filter(|session| match take(greedy, session).unwrap() {
        Outcome::Admitted(taken) => taken.is_shared(),
        Outcome::Refused(_) => false,
    });
    assert_eq!(shared.count(), 2, "the part of the grant is full, and the slot that its sessions share is used up");
    assert!(!taken(take(other, "first")).is_shared(), "there is room for others");
    crowd(&quota, &store, others, START);
    for session in ["second", "third"] {
        assert!(taken(take(other, session)).is_shared(), "the shard is full");
    }
    assert!(!admitted(take(other, "fourth")));
}

#[test]
fn what_is_given_back_is_free_again_in_the_shared_slot() {
    for window in [Window::MINUTE, Window::calendar(CalendarUnit::Minute), Window::Running] {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Share);
        let names: Vec<_> = neighbours(&quota).take(CROWD + 2).collect();
        let [one, other, others @ ..] = names.as_slice() else { panic!() };
        crowd(&quota, &store, others, START);
        let take = |who| quota.take(&store, grant(who), &[charge("c", window, 1)], START);
        let shared = taken(take(one));
        assert!(shared.is_shared());
        assert!(!admitted(take(other)), "{window:?}");
        quota.give_back(&store, &shared, |_| true).unwrap();
        assert!(admitted(take(other)), "{window:?}");
        assert!(!admitted(take(one)), "{window:?}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Others fill the shard.
    Crowd,
    Wait(u64),
    Call {
        who: usize,
        amount: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => Just(Step::Crowd),
        3 => prop_oneof![0..1_000u64, 1_000..3_000u64, 0..30_000u64].prop_map(Step::Wait),
        6 => (0..3usize, 1..3u64).prop_map(|(who, amount)| Step::Call { who, amount }),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Wherever it is counted, and however often that changes.
    #[test]
    fn no_window_holds_more_than_max_of_anybody_who_shares_now_and_then(steps in steps(), max in 2..6u64) {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Share);
        let names: Vec<_> = neighbours(&quota).take(CROWD + 3).collect();
        let (some, others) = names.split_at(3);
        let mut now = START;
        let mut admissions: Vec<(usize, u64, u64)> = Vec::new();
        crowd(&quota, &store, others, now);
        for step in steps {
            match step {
                Step::Crowd => crowd(&quota, &store, others, now),
                Step::Wait(ms) => now = after(now, ms),
                Step::Call { who, amount } => {
                    let charges = [Charge { amount, ..charge("c", Window::MINUTE, max) }];
                    let at = now.monotonic_ms;
                    if admitted(quota.take(&store, grant(&some[who]), &charges, now)) {
                        admissions.push((who, at, amount));
                        let held = admissions.iter().filter(|(by, then, _)| *by == who && then + 60_000 > at);
                        prop_assert!(held.map(|(.., amount)| amount).sum::<u64>() <= max);
                    }
                }
            }
        }
        // Nothing is left of what was shared.
        now = after(now, 64_000);
        for who in some {
            let all = [Charge { amount: max, ..charge("c", Window::MINUTE, max) }];
            prop_assert!(admitted(quota.take(&store, grant(who), &all, now)));
        }
    }
}

#[derive(Clone, Debug)]
enum Moment {
    /// Others fill the shard.
    Crowd,
    Wait(u64),
    Begin {
        worker: usize,
        who: usize,
    },
    End(prop::sample::Index),
}

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    let moment = prop_oneof![
        1 => Just(Moment::Crowd),
        2 => (0..2_000u64).prop_map(Moment::Wait),
        6 => (0..2usize, 0..3usize).prop_map(|(worker, who)| Moment::Begin { worker, who }),
        4 => any::<prop::sample::Index>().prop_map(Moment::End),
    ];
    prop::collection::vec(moment, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_more_than_max_run_of_anybody_who_shares_now_and_then(moments in moments(), max in 1..4u64) {
        let store = Map::default();
        let mut pool = Pool::new(&store, 2, WhenFull::Share);
        let quota = open(&store, 16 << 10, WhenFull::Share);
        let names: Vec<_> = neighbours(&quota).take(CROWD + 3).collect();
        let (some, others) = names.split_at(3);
        let mut now = START;
        let mut running: Vec<(usize, usize, LeaseId)> = Vec::new();
        crowd(&quota, &store, others, now);
        for moment in moments {
            match moment {
                Moment::Crowd => crowd(&quota, &store, others, now),
                Moment::Wait(ms) => {
                    now = after(now, ms);
                    pool.state(now);
                }
                Moment::Begin { worker, who } => {
                    let of_them = running.iter().filter(|(_, by, _)| *by == who).count() as u64;
                    match pool.begin(worker, &some[who], max, now) {
                        Ok(lease) => {
                            prop_assert!(of_them < max, "{of_them} already");
                            running.push((worker, who, lease.id));
                        }
                        Err(_) => prop_assert!(!running.is_empty(), "all have ended"),
                    }
                }
                Moment::End(which) if !running.is_empty() => {
                    let (worker, _, id) = running.swap_remove(which.index(running.len()));
                    pool.end(worker, id, Left::default(), now);
                }
                Moment::End(_) => {}
            }
        }
    }
}
