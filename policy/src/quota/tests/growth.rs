//! Slots grow, as what they count falls into more cells: whose room that takes.

use proptest::prelude::*;

use super::share::neighbours;
use super::*;

/// Some of those whose slots grow call, so long after the ones before.
#[derive(Clone, Debug)]
struct Round {
    wait_ms: u64,
    first: usize,
    every: usize,
    amount: u64,
}

/// All of them call.
const ALL: Round = Round { wait_ms: 0, first: 0, every: 1, amount: 1 };

/// Fewer rounds than an hour has cells, so that nothing leaves its window. In each of them some call, or nearly all.
fn rounds() -> impl Strategy<Value = Vec<Round>> {
    let amount = prop_oneof![3 => Just(1), 1 => 1..300u64, 1 => Just(1_000_000_000_000)];
    let wait_ms = prop_oneof![1 => 0..240_000u64, 3 => Just(240_000)];
    let round = (wait_ms, 0..3usize, 1..4usize, amount);
    let round = round.prop_map(|(wait_ms, first, every, amount)| Round { wait_ms, first, every, amount });
    prop::collection::vec(round, 6..12)
}

/// Lets those of a name call whose turn it is. They may be denied.
fn grow<'n>(names: &'n [String], round: &Round, mut call: impl FnMut(&'n str, u64) -> Result<Outcome, QuotaError>) {
    for name in names.iter().skip(round.first).step_by(round.every) {
        match call(name, round.amount) {
            Ok(_) | Err(QuotaError::Full { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn when_full() -> impl Strategy<Value = WhenFull> {
    prop_oneof![Just(WhenFull::Deny), Just(WhenFull::Share)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// They stay in the part of the grant, which is half of a shard: others there count on, and begin to count.
    #[test]
    fn the_sessions_of_a_grant_do_not_grow_into_the_room_of_others(rounds in rounds(), when_full in when_full()) {
        let store = Map::default();
        let quota = open(&store, 16 << 10, when_full);
        let names: Vec<_> = neighbours(&quota).take(9).collect();
        let [greedy, others @ ..] = names.as_slice() else { panic!() };
        let (known, new) = others.split_at(4);
        let sessions: Vec<_> = (0..100).map(|n| format!("session {n}")).collect();
        let take = |who: &str, charge, now| quota.take(&store, grant(who), &[charge], now);
        let mut now = START;
        for name in known {
            prop_assert!(admitted(take(name, charge("known", Window::HOUR, 100), now)));
        }
        for round in [&ALL].into_iter().chain(&rounds) {
            now = after(now, round.wait_ms);
            grow(&sessions, round, |session, amount| {
                let scope = ScopeValue::Session(Some(session));
                take(greedy, Charge { scope, amount, ..charge("s", Window::HOUR, u64::MAX) }, now)
            });
            for name in known {
                let outcome = take(name, charge("known", Window::HOUR, 100), now);
                prop_assert!(matches!(outcome, Ok(Outcome::Admitted(_))), "{name}: {outcome:?}");
            }
        }
        // If they had to share, only the first would be admitted.
        for name in new {
            let outcome = take(name, charge("new", Window::HOUR, 1), now);
            prop_assert!(matches!(outcome, Ok(Outcome::Admitted(_))), "{name}: {outcome:?}");
        }
    }

    /// Values that a client invents may leave no room for new ones, but take none from those that are known. New ones
    /// are denied then, or share.
    #[test]
    fn invented_header_values_do_not_grow_into_the_room_of_known_ones(rounds in rounds(), when_full in when_full()) {
        let store = Map::default();
        let quota = open(&store, 16 << 10, when_full);
        let take = |value: &str, amount, now| {
            let scope = ScopeValue::Header { name: "h", value: Some(value) };
            let charges = [Charge { scope, amount, ..charge("c", Window::HOUR, u64::MAX) }];
            quota.take(&store, grant("g"), &charges, now)
        };
        let invented: Vec<_> = (0..200).map(|n| format!("invented {n}")).collect();
        let known = ["one", "two", "three"];
        let mut now = START;
        for value in known {
            prop_assert!(admitted(take(value, 1, now)));
        }
        for (n, round) in [&ALL].into_iter().chain(&rounds).enumerate() {
            now = after(now, round.wait_ms);
            grow(&invented, round, |value, amount| take(value, amount, now));
            for value in known {
                let outcome = take(value, 1, now);
                prop_assert!(matches!(outcome, Ok(Outcome::Admitted(_))), "{value}: {outcome:?}");
            }
            if when_full == WhenFull::Share {
                let outcome = take(&format!("new {n}"), 1, now);
                prop_assert!(matches!(outcome, Ok(Outcome::Admitted(_))), "new {n}: {outcome:?}");
            }
        }
    }
}

/// Lets others' counts grow in every cell of an hour, while a call runs.
fn run_beside(quota: &Quota, store: &Map, others: &[String], amount: u64, id: LeaseId) -> Now {
    let mut now = START;
    for cell in 0..15 {
        let amount = if cell == 0 { 1 } else { amount };
        for other in others {
            let filler = Charge { amount, ..charge("filler", Window::HOUR, u64::MAX) };
            assert!(matches!(quota.take(store, grant(other), &[filler], now), Ok(_) | Err(QuotaError::Full { .. })));
        }
        for _ in 0..12 {
            now = after(now, 20_000);
            quota.state_leases(store, id, 1, Left::default(), now).unwrap();
        }
    }
    now
}

#[test]
fn what_runs_on_another_worker_is_counted_beside_busy_neighbours() {
    for (neighbour_count, amount) in [(50, 15), (40, 200)] {
        let store = Map::default();
        let workers: Vec<_> = (0..8).map(|_| open(&store, 16 << 10, WhenFull::Deny)).collect();
        let [first, others @ ..] = workers.as_slice() else { panic!() };
        let names: Vec<_> = neighbours(first).take(neighbour_count + 1).collect();
        let [who, neighbours @ ..] = names.as_slice() else { panic!() };
        let running = [charge("run", Window::Running, 100)];
        let Ok(Outcome::Admitted(taken)) = first.take(&store, grant(who), &running, START) else { panic!() };
        let id = taken.leases().next().unwrap().id;
        let now = run_beside(first, &store, neighbours, amount, id);
        assert!(others.iter().all(|worker| admitted(worker.take(&store, grant(who), &running, now))), "{amount}");
    }
}

#[test]
fn a_count_keeps_its_room_when_its_window_changes() {
    for when_full in [WhenFull::Deny, WhenFull::Share] {
        let store = Map::default();
        let quota = open(&store, 16 << 10, when_full);
        let names: Vec<_> = neighbours(&quota).take(160).collect();
        let [who, others @ ..] = names.as_slice() else { panic!() };
        assert!(admitted(quota.take(&store, grant(who), &[charge("c", Window::HOUR, 1_000)], START)));
        let mut now = START;
        for amount in [1].into_iter().chain([1_000; 11]) {
            grow(others, &Round { amount, ..ALL }, |other, amount| {
                quota.take(&store, grant(other), &[Charge { amount, ..charge("filler", Window::HOUR, u64::MAX) }], now)
            });
            now = after(now, 240_000);
        }
        assert!(admitted(quota.take(&store, grant(who), &[charge("c", Window::DAY, 1_000)], now)), "{when_full:?}");
    }
}

/// A worker that finds no room for what was left behind counts it as if it ran, and other grants keep their room.
#[test]
fn what_clients_left_behind_stays_in_the_part_of_their_grant_and_counts_all_the_same() {
    const MAX: u64 = 20;
    for (linger_ms, step_ms) in [(300_000, 20_000), (60_000, 7_000)] {
        let store = Map::default();
        let [quota, second] = [(); 2].map(|()| open(&store, 16 << 10, WhenFull::Deny));
        let names: Vec<_> = neighbours(&quota).take(10).collect();
        let [greedy, others @ ..] = names.as_slice() else { panic!() };
        let known = [charge("known", Window::HOUR, 100)];
        assert!(others.iter().all(|other| admitted(quota.take(&store, grant(other), &known, START))));
        let sessions: Vec<_> = (0..60).map(|n| format!("session {n}")).collect();
        let run = |session| Charge { scope: ScopeValue::Session(Some(session)), ..charge("run", Window::Running, MAX) };
        let mut ids = Vec::new();
        for session in &sessions {
            let run = Charge { amount: MAX, ..run(session) };
            if let Ok(Outcome::Admitted(taken)) = quota.take(&store, grant(greedy), &[run], START) {
                ids.push((session, taken.leases().next().unwrap().id));
            }
        }
        assert!(ids.len() > 40);
        let mut now = START;
        for hung_up in 1..=8 {
            now = after(now, step_ms);
            for (_, id) in &ids {
                let left = Left { count: 1, linger_ms };
                // What has no room is to be said again, which this client of the counters forgets.
                assert!(matches!(
                    quota.state_leases(&store, *id, MAX - hung_up, left, now),
                    Ok(()) | Err(QuotaError::Full { .. })
                ));
            }
        }
        for (session, _) in &ids {
            let outcome = second.take(&store, grant(greedy), &[Charge { amount: MAX / 2, ..run(session) }], now);
            assert!(!matches!(outcome, Ok(Outcome::Admitted(_))), "{session}: {outcome:?}");
        }
        let later = after(START, 240_000);
        assert!(others.iter().all(|other| admitted(quota.take(&store, grant(other), &known, later))));
    }
}
