//! Calls with several limits: what is said when more than one of them refuses.

use std::time::Duration;

use proptest::prelude::*;

use super::promise::assert_retry_is_exact;
use super::*;

/// So many shards that limits which all grants share seldom meet in one.
const MAX_BYTES: u64 = 128 << 10;

/// A limit, and what a call adds to it.
fn limit() -> impl Strategy<Value = Charge<'static>> {
    let window = prop::sample::select(vec![
        Window::SECOND,
        Window::MINUTE,
        Window::HOUR,
        Window::sliding(Duration::from_secs(7)).unwrap(),
        Window::calendar(CalendarUnit::Minute),
        Window::calendar(CalendarUnit::Hour),
    ]);
    let scope = prop::sample::select(vec![
        ScopeValue::Grant,
        ScopeValue::Session(Some("s")),
        ScopeValue::Header { name: "h", value: Some("v") },
        ScopeValue::Global,
    ]);
    (window, scope, 1..6u64, prop_oneof![4 => Just(1), 1 => 2..4u64]).prop_map(|(window, scope, max, amount)| Charge {
        scope,
        amount,
        ..charge("", window, max)
    })
}

/// Limits that all count for themselves.
fn limits() -> impl Strategy<Value = Vec<Charge<'static>>> {
    prop::collection::vec(limit(), 2..6).prop_map(|limits| {
        let names = ["a", "b", "c", "d", "e"].map(|counter| CounterName { policy: "p", counter });
        limits.into_iter().zip(names).map(|(limit, counter)| Charge { counter, ..limit }).collect()
    })
}

/// What a call is told if each of its limits would say so of itself.
fn told_of(alone: &[Outcome]) -> Option<Refusal> {
    let refusals = alone.iter().enumerate().filter_map(|(charge, outcome)| match outcome {
        Outcome::Admitted(_) => None,
        Outcome::Refused(refusal) => Some(Refusal { charge, ..*refusal }),
    });
    refusals.reduce(|first, other| {
        let wait = first.retry_after_ms.zip(other.retry_after_ms).map(|(one, other)| one.max(other));
        Refusal { retry_after_ms: wait, ..first }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Some limits have been used by other calls, so that any of them may refuse, and any may be the slowest.
    #[test]
    fn a_refusal_names_the_first_limit_and_waits_for_the_slowest(
        limits in limits(),
        calls in prop::collection::vec((0..3_000u64, prop::option::weighted(0.8, any::<prop::sample::Index>())), 1..40),
    ) {
        let store = Map::default();
        let quota = open(&store, MAX_BYTES, WhenFull::Deny);
        let mut now = START;
        for (wait, which) in calls {
            now = after(now, wait);
            if let Some(which) = which {
                quota.take(&store, grant("g"), &[*which.get(&limits)], now).unwrap();
            }
            let alone: Vec<_> =
                limits.iter().map(|limit| quota.look(&store, grant("g"), &[*limit], now).unwrap()).collect();
            let looked = quota.look(&store, grant("g"), &limits, now).unwrap();
            let told = if which.is_some() { looked } else { quota.take(&store, grant("g"), &limits, now).unwrap() };
            match (told, told_of(&alone)) {
                (Outcome::Admitted(_), None) => {}
                (Outcome::Refused(refusal), Some(expected)) => {
                    prop_assert_eq!(refusal, expected);
                    assert_retry_is_exact(&quota, &store, &limits, now, refusal);
                }
                (told, expected) => prop_assert!(false, "{told:?}, not {expected:?}"),
            }
        }
    }
}

/// Counts under ever new names until there is no room for another.
fn fill<'n>(quota: &Quota, store: &Map, scope: impl Fn(&'n str) -> ScopeValue<'n>, names: &'n [String]) {
    let filler = |name| [Charge { scope: scope(name), ..charge("filler", Window::MINUTE, 1) }];
    let denied = names.iter().find_map(|name| quota.take(store, grant("g"), &filler(name), START).err());
    assert_eq!(denied, Some(QuotaError::Full { charge: 0 }));
}

fn session(value: &str) -> ScopeValue<'_> {
    ScopeValue::Session(Some(value))
}

fn header(value: &str) -> ScopeValue<'_> {
    ScopeValue::Header { name: "h", value: Some(value) }
}

/// In one shard or in two, of which either may be the first, and whichever charge is.
#[test]
fn a_limit_that_refuses_is_told_before_one_without_room() {
    let names: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    for used in [ScopeValue::Grant, ScopeValue::Global] {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Deny);
        let refusing = Charge { scope: used, ..charge("used", Window::MINUTE, 1) };
        assert!(admitted(quota.take(&store, grant("g"), &[refusing], START)));
        fill(&quota, &store, session, &names);
        fill(&quota, &store, header, &names);
        for new in [session("new"), header("new")] {
            let full = Charge { scope: new, ..charge("full", Window::MINUTE, 1) };
            assert_eq!(quota.take(&store, grant("g"), &[full], START), Err(QuotaError::Full { charge: 0 }));
            for (charges, refused) in [([refusing, full], 0), ([full, refusing], 1)] {
                let told = refusal(quota.take(&store, grant("g"), &charges, START));
                assert_eq!(told.charge, refused, "{used:?} {new:?}");
                assert_eq!(refusal(quota.look(&store, grant("g"), &charges, START)), told);
            }
        }
    }
}

#[test]
fn the_first_charge_without_room_is_named() {
    let names: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    fill(&quota, &store, session, &names);
    fill(&quota, &store, header, &names);
    let full = |scope| Charge { scope, ..charge("full", Window::MINUTE, 1) };
    for (first, second) in [(session("new"), header("new")), (header("new"), session("new"))] {
        let charges = [full(first), full(second)];
        assert_eq!(quota.take(&store, grant("g"), &charges, START), Err(QuotaError::Full { charge: 0 }));
        assert_eq!(quota.look(&store, grant("g"), &charges, START), Err(QuotaError::Full { charge: 0 }));
    }
}
