//! The short way of the usual call, beside the long way that judges everything.

use proptest::prelude::*;

use super::super::hash;
use super::super::shard::Table;
use super::super::single;
use super::super::weigh::{Job, Terms, Verdict, weigh};
use super::*;

/// Few shards, so that counters of several grants meet in one.
const MAX_BYTES: u64 = 16 * 1024;

/// A call: whose, on which limit, how much, how many ms later, and by how many its worker's clocks are behind.
fn call() -> impl Strategy<Value = (u8, u8, u64, u64, u64)> {
    (0..6u8, 0..5u8, 0..4u64, prop_oneof![0..3_000u64, 0..90_000u64], prop_oneof![Just(0), 0..5_000u64])
}

fn limit(kind: u8, amount: u64) -> Charge<'static> {
    let window = match kind {
        0 => Window::MINUTE,
        1 => Window::SECOND,
        2 => Window::calendar(CalendarUnit::Minute),
        3 => Window::Running,
        _ => Window::HOUR,
    };
    // Two limits share a name, as if the policy had been changed meanwhile.
    Charge { amount, ..charge(if kind == 4 { "c0" } else { ["c0", "c1", "c2", "c3"][usize::from(kind)] }, window, 9) }
}

/// So many grants that some find no room of their own.
fn crowd(store: &Map, quota: &Quota) {
    for who in 0..1_200 {
        let charge = Charge { amount: 1 + who % 3, ..limit(4, 1) };
        assert!(quota.take(store, grant(&format!("crowd-{who}")), &[charge], START).is_ok());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// It writes the same bytes, and leaves what it does not know to the long way.
    #[test]
    fn the_short_way_says_what_the_long_way_says(calls in prop::collection::vec(call(), 1..80), share: bool) {
        let store = Map::default();
        let when_full = if share { WhenFull::Share } else { WhenFull::Deny };
        let quota = open(&store, MAX_BYTES, when_full);
        if share {
            crowd(&store, &quota);
        }
        let mut latest = after(START, 5_000);
        for (who, kind, amount, later, behind) in calls {
            latest = after(latest, later);
            let now = Now { monotonic_ms: latest.monotonic_ms - behind, wall_ms: latest.wall_ms - behind };
            let name = format!("agent-{who}");
            let charge = limit(kind, amount);
            let spot = hash::spot(quota.seed(), grant(&name), &charge, quota.shards());
            let job = Job { index: 0, charge: &charge, spot };
            let key = format!("mcp_policy/1/test/{}", spot.shard);
            let bytes = store.lock().get(&key).map(|(bytes, _)| bytes.clone());
            if let Some(bytes) = bytes && let Some(short) = single::take(&mut bytes.clone(), &job, now, quota.worker()) {
                let terms = Terms { seed: quota.seed(), when_full, worker: quota.worker() };
                let table = Table::read(Some(&bytes), now).unwrap();
                match (short, weigh(&table, &[job], now, terms).unwrap()) {
                    (Verdict::Admitted { bytes, taken }, Verdict::Admitted { bytes: expected, taken: all }) => {
                        prop_assert_eq!(bytes, expected);
                        prop_assert_eq!(taken, all);
                    }
                    _ => prop_assert!(false, "one of them refuses"),
                }
            }
            quota.take(&store, grant(&name), &[charge], now).unwrap();
        }
    }

    #[test]
    fn no_bytes_bring_the_short_way_down(mut bytes: Vec<u8>) {
        let store = Map::default();
        let quota = open(&store, MAX_BYTES, WhenFull::Deny);
        let charge = limit(0, 1);
        let spot = hash::spot(quota.seed(), grant("agent"), &charge, quota.shards());
        single::take(&mut bytes, &Job { index: 0, charge: &charge, spot }, START, quota.worker());
    }
}

#[test]
fn the_usual_call_takes_the_short_way() {
    let store = Map::default();
    let quota = open(&store, MAX_BYTES, WhenFull::Deny);
    let charge = limit(0, 1);
    let spot = hash::spot(quota.seed(), grant("agent"), &charge, quota.shards());
    let job = Job { index: 0, charge: &charge, spot };
    assert!(admitted(quota.take(&store, grant("agent"), &[charge], START)));
    let bytes = store.lock()[&format!("mcp_policy/1/test/{}", spot.shard)].0.clone();
    let later = after(START, 30_000);
    // Nine at most in a minute: a tenth is left to the long way, which says how long to wait.
    let tenth = Charge { amount: 9, ..charge };
    let mut left = bytes.clone();
    assert!(single::take(&mut left, &Job { charge: &tenth, ..job }, later, quota.worker()).is_none());
    assert_eq!(left, bytes);
    assert!(single::take(&mut left, &job, later, quota.worker()).is_some());
}

#[test]
fn calls_in_a_row_are_counted_in_place() {
    let store = Map::default();
    let quota = open(&store, MAX_BYTES, WhenFull::Deny);
    let charge = Charge { max: 1_000_000, ..limit(0, 1) };
    let spot = hash::spot(quota.seed(), grant("agent"), &charge, quota.shards());
    let job = Job { index: 0, charge: &charge, spot };
    assert!(admitted(quota.take(&store, grant("agent"), &[charge], START)));
    let mut bytes = store.lock()[&format!("mcp_policy/1/test/{}", spot.shard)].0.clone();
    let mut moved = 0;
    for _ in 0..1_000 {
        let before = bytes.as_ptr();
        let verdict = single::take(&mut bytes, &job, after(START, 1), quota.worker());
        let Some(Verdict::Admitted { bytes: Some(counted), .. }) = verdict else { panic!("it is not counted") };
        // A new page is made beside the old one, so it lies elsewhere.
        moved += usize::from(counted.as_ptr() != before);
        bytes = counted;
    }
    // The number grows a byte longer at 15 and at 15 + 128.
    assert_eq!(moved, 2);
}
