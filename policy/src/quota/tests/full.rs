//! What happens when there is no room.

use super::*;

/// Takes for new sessions of one grant until one is refused for want of room.
fn invent_sessions(quota: &Quota, store: &Map, who: &str, now: Now) -> usize {
    for n in 0..1_000 {
        let name = format!("session {n}");
        let scope = ScopeValue::Session(Some(&name));
        match quota.take(store, grant(who), &[Charge { scope, ..charge("s", Window::MINUTE, 2) }], now) {
            Ok(Outcome::Admitted(_)) => {}
            Ok(Outcome::Refused(_)) | Err(QuotaError::Full { charge: 0 }) => return n,
            other => panic!("{other:?}"),
        }
    }
    panic!("there was always room");
}

/// Takes once for each of many grants; how many were admitted.
fn crowd(quota: &Quota, store: &Map, grants: usize, now: Now) -> usize {
    let take = |n: &usize| {
        let outcome = quota.take(store, grant(&n.to_string()), &[charge("c", Window::MINUTE, 3)], now);
        match outcome {
            Ok(outcome) => matches!(outcome, Outcome::Admitted(_)),
            Err(QuotaError::Full { charge: 0 }) => false,
            Err(error) => panic!("{error}"),
        }
    };
    (0..grants).filter(take).count()
}

#[test]
fn a_grant_that_invents_sessions_fills_only_its_own_part() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let sessions = invent_sessions(&quota, &store, "greedy", START);
    assert!((50..100).contains(&sessions), "{sessions}");
    for n in 0..100 {
        assert!(admitted(quota.take(&store, grant(&format!("other {n}")), &[charge("c", Window::MINUTE, 1)], START)));
    }
    let later = after(START, 70_000);
    assert_eq!(invent_sessions(&quota, &store, "greedy", later), sessions, "what expired made room");
}

#[test]
fn sharing_gives_the_sessions_without_a_slot_together_what_one_gets() {
    let store = Map::default();
    let slots = {
        let store = Map::default();
        invent_sessions(&open(&store, 16 << 10, WhenFull::Deny), &store, "greedy", START)
    };
    let quota = open(&store, 16 << 10, WhenFull::Share);
    // Two more calls, by whichever session, and the shared slot is used up.
    assert_eq!(invent_sessions(&quota, &store, "greedy", START), slots + 2);
    assert!(admitted(quota.take(&store, grant("greedy"), &[charge("c", Window::MINUTE, 1)], after(START, 65_000))));
}

#[test]
fn a_full_shard_denies_new_grants_and_still_counts_those_it_has() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let got_in = crowd(&quota, &store, 2_000, START);
    assert!((7 * 55..7 * 70).contains(&got_in), "{got_in}");
    assert!(store.shard_bytes().1 <= 2_048);
    // Two more calls of those that have a slot, none of anybody else, and none beyond the limit.
    assert_eq!(crowd(&quota, &store, 2_000, START), got_in);
    assert_eq!(crowd(&quota, &store, 2_000, START), got_in);
    assert_eq!(crowd(&quota, &store, 2_000, START), 0);
    assert_eq!(crowd(&quota, &store, 2_000, after(START, 65_000)), got_in, "live slots left, so did the crowd");
}

#[test]
fn a_full_shard_that_shares_admits_as_much_as_one_more_grant_each() {
    let store = Map::default();
    let denying = crowd(&open(&store, 16 << 10, WhenFull::Deny), &store, 2_000, START);
    let sharing = crowd(&open(&store, 16 << 10, WhenFull::Share), &store, 2_000, START);
    // Each of the 7 shards for grants shares one slot of 3.
    assert_eq!(sharing, denying + 7 * 3);
}

#[test]
fn an_admission_tells_whether_it_is_counted_in_a_shared_slot() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Share);
    let shared = |n: usize| {
        let name = n.to_string();
        match quota.take(&store, grant(&name), &[charge("c", Window::MINUTE, 3)], START).unwrap() {
            Outcome::Admitted(taken) => taken.is_shared(),
            Outcome::Refused(_) => false,
        }
    };
    assert!(!(0..250).any(shared));
    assert_eq!((250..2_000).filter(|n| shared(*n)).count(), 7 * 3, "three for each shard");
}

#[test]
fn leaving_the_shared_slot_does_not_admit_twice() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Share);
    // Fill with short windows, so that there is room again while the shared slot still counts.
    for n in 0..2_000 {
        quota.take(&store, grant(&n.to_string()), &[charge("filler", Window::SECOND, 1)], START).unwrap();
    }
    let take = |ms| quota.take(&store, grant("late"), &[charge("c", Window::HOUR, 3)], after(START, ms));
    assert!(taken(take(0)).is_shared());
    let own = taken(take(2_000));
    assert_eq!((own.is_shared(), own.remaining()), (false, &[1][..]));
    // Its own slot is the only one that it is judged by from now on: that has taken over what it counted before.
    assert!(admitted(take(2_000)));
    assert!(!admitted(take(2_000)));
    assert!(store.shard_bytes().1 <= 2_048);
}

#[test]
fn room_for_growth_is_kept_free_of_new_slots() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    crowd(&quota, &store, 2_000, START);
    // Calls in ten more cells: the slots that are there grow into the reserve.
    let mut grew = 0;
    for step in 1..=10 {
        let now = after(START, step * 4_000);
        grew += u32::from(matches!(
            quota.take(&store, grant("0"), &[charge("c", Window::MINUTE, 100)], now),
            Ok(Outcome::Admitted(_))
        ));
    }
    assert_eq!(grew, 10);
}

/// Calls in every cell of an hour, once for each of these; how many were admitted, by their place.
fn call_in_every_cell(quota: &Quota, store: &Map, charges: &[(Principal<'_>, Charge<'_>)]) -> Vec<u32> {
    let mut admissions = vec![0; charges.len()];
    for cell in 0..15 {
        for ((who, charge), admissions) in charges.iter().zip(&mut admissions) {
            let outcome = quota.take(store, *who, &[*charge], after(START, cell * 240_000));
            *admissions += u32::from(matches!(outcome, Ok(Outcome::Admitted(_))));
        }
    }
    assert!(store.shard_bytes().1 <= 2_048);
    admissions
}

/// The slots of a grant with many sessions grow with each cell that they count in.
#[test]
fn a_grant_does_not_grow_into_the_room_of_others() {
    for when_full in [WhenFull::Deny, WhenFull::Share] {
        let store = Map::default();
        let quota = open(&store, 16 << 10, when_full);
        let names: Vec<String> = (0..70).map(|n| n.to_string()).collect();
        let session = |name| Charge { scope: ScopeValue::Session(Some(name)), ..charge("s", Window::HOUR, 99) };
        let sessions = names.iter().map(|name| (grant("greedy"), session(name)));
        let others = names.iter().map(|name| (grant(name), charge("c", Window::HOUR, 15)));
        let admissions = call_in_every_cell(&quota, &store, &sessions.chain(others).collect::<Vec<_>>());
        let (of_sessions, of_others) = admissions.split_at(names.len());
        assert!(of_sessions.iter().any(|admissions| *admissions < 15), "its part is full");
        assert!(of_others.iter().all(|admissions| *admissions == 15), "{when_full:?}: {of_others:?}");
    }
}

/// Every value of a header owns its count, so an attacker has as many owners as it likes.
#[test]
fn what_is_known_can_be_counted_in_a_full_shard() {
    for when_full in [WhenFull::Deny, WhenFull::Share] {
        let store = Map::default();
        let quota = open(&store, 16 << 10, when_full);
        let names: Vec<String> = (0..300).map(|n| n.to_string()).collect();
        let of = |name| {
            let scope = ScopeValue::Header { name: "x-tenant", value: Some(name) };
            (Principal::Anonymous, Charge { scope, ..charge("h", Window::HOUR, 200) })
        };
        let values: Vec<_> = names.iter().map(|name| of(name)).collect();
        let (known, invented) = values.split_at(20);
        assert!(known.iter().all(|(who, charge)| admitted(quota.take(&store, *who, &[*charge], START))));
        let in_turns: Vec<_> = invented.iter().chain(known).copied().collect();
        let admissions = call_in_every_cell(&quota, &store, &in_turns);
        let (of_invented, of_known) = admissions.split_at(invented.len());
        assert!(of_invented.iter().any(|admissions| *admissions < 15), "the shard is full");
        assert!(of_known.iter().all(|admissions| *admissions == 15), "{when_full:?}: {of_known:?}");
    }
}
