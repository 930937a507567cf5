//! The short way of the usual call, beside the long way that judges everything.

use proptest::prelude::*;

use super::super::hash;
use super::super::shard::Table;
use super::super::single;
use super::super::weigh::{Change, Job, Terms, Verdict, weigh};
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
        4 => Window::HOUR,
        5 => Window::calendar(CalendarUnit::Second),
        _ => Window::MINUTE,
    };
    // Two limits share a name, as if the policy had been changed meanwhile.
    Charge { amount, ..charge(["c0", "c1", "c2", "c3", "c0", "c5", "c6"][usize::from(kind)], window, 9) }
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
            let mut read = Kept { bytes: bytes.clone().unwrap_or_default(), place: None };
            if let Some(bytes) = bytes && let Some(short) = single::take(&mut read, &job, now, quota.worker()) {
                let terms = Terms { seed: quota.seed(), when_full, worker: quota.worker() };
                let table = Table::read(Some(&bytes), now).unwrap();
                match (short, weigh(&table, &[job], now, terms).unwrap()) {
                    (Verdict::Admitted { change, taken }, Verdict::Admitted { change: expected, taken: all }) => {
                        let change = if change == Change::InPlace { Change::New(read.bytes) } else { change };
                        prop_assert_eq!(change, expected);
                        prop_assert_eq!(taken, all);
                    }
                    _ => prop_assert!(false, "one of them refuses"),
                }
            }
            quota.take(&store, grant(&name), &[charge], now).unwrap();
        }
    }

    #[test]
    fn no_bytes_bring_the_short_way_down(bytes: Vec<u8>) {
        let store = Map::default();
        let quota = open(&store, MAX_BYTES, WhenFull::Deny);
        let charge = limit(0, 1);
        let spot = hash::spot(quota.seed(), grant("agent"), &charge, quota.shards());
        let mut read = Kept { bytes, place: None };
        single::take(&mut read, &Job { index: 0, charge: &charge, spot }, START, quota.worker());
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
    let mut read = Kept { bytes: bytes.clone(), place: None };
    assert!(single::take(&mut read, &Job { charge: &tenth, ..job }, later, quota.worker()).is_none());
    assert_eq!(read.bytes, bytes);
    assert!(single::take(&mut read, &job, later, quota.worker()).is_some());
}

#[test]
fn calls_in_a_row_are_counted_in_place() {
    let store = Map::default();
    let quota = open(&store, MAX_BYTES, WhenFull::Deny);
    let charge = Charge { max: 1_000_000, ..limit(0, 1) };
    let spot = hash::spot(quota.seed(), grant("agent"), &charge, quota.shards());
    let job = Job { index: 0, charge: &charge, spot };
    assert!(admitted(quota.take(&store, grant("agent"), &[charge], START)));
    let bytes = store.lock()[&format!("mcp_policy/1/test/{}", spot.shard)].0.clone();
    let mut kept = Kept { bytes, place: None };
    let mut rewritten = 0;
    for _ in 0..1_000 {
        match single::take(&mut kept, &job, after(START, 1), quota.worker()) {
            Some(Verdict::Admitted { change: Change::InPlace, .. }) => assert!(kept.place.is_some()),
            Some(Verdict::Admitted { change: Change::New(bytes), .. }) => {
                rewritten += 1;
                kept = Kept { bytes, place: None };
            }
            _ => panic!("it is not counted"),
        }
    }
    // The number grows a byte longer at 15 and at 15 + 128.
    assert_eq!(rewritten, 2);
}

/// What a worker does next with the shard that it keeps: count a call so many ms later, of this amount, for a limit of
/// this max; of another limit now and then. The clocks may be behind by so many ms.
fn next_call() -> impl Strategy<Value = (u8, u64, u64, u64, u64)> {
    let later = prop_oneof![5 => Just(0), 3 => 0..500u64, 1 => 0..5_000u64, 1 => 0..90_000u64];
    let amount = prop_oneof![6 => 1..3u64, 1 => 100..200u64];
    let max = prop_oneof![4 => Just(1_000_000), 1 => 1..40u64];
    let behind = prop_oneof![5 => Just(0), 1 => 0..5_000u64];
    (prop_oneof![8 => Just(0u8), 1 => 1..7u8, 1 => Just(6)], amount, later, max, behind)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// A worker that knows the place says and writes what one says that looks for it in the same bytes.
    #[test]
    fn the_place_that_is_known_is_the_one_that_is_found(
        others in prop::collection::vec(1..7u8, 0..3),
        long: bool,
        calls in prop::collection::vec(next_call(), 1..60),
        ahead in 0..60_000u64,
    ) {
        let store = Map::default();
        let quota = open(&store, MAX_BYTES, WhenFull::Deny);
        // Cells, leases and periods end at times that have nothing to do with each other.
        let mut latest = Now { monotonic_ms: START.monotonic_ms + ahead / 7, wall_ms: START.wall_ms + ahead };
        // In an hour's cells of four minutes, leases and periods end as well.
        let own = if long { 4 } else { 0 };
        for kind in others.into_iter().chain([own]) {
            quota.take(&store, grant("agent"), &[limit(kind, 1)], latest).unwrap();
        }
        let mut kept: Option<Kept> = None;
        for (kind, amount, later, max, behind) in calls {
            latest = after(latest, later);
            let now = Now { monotonic_ms: latest.monotonic_ms - behind, wall_ms: latest.wall_ms - behind };
            let charge = Charge { max, ..limit(if kind == 0 { own } else { kind }, amount) };
            let spot = hash::spot(quota.seed(), grant("agent"), &charge, quota.shards());
            let job = Job { index: 0, charge: &charge, spot };
            let key = format!("mcp_policy/1/test/{}", spot.shard);
            let (bytes, cas) = store.lock()[&key].clone();
            // What is kept of another state of the shard would not be swapped in.
            let mut known = kept.take().filter(|kept| kept.bytes == bytes).unwrap_or_default();
            known.bytes = bytes.clone();
            let mut found = Kept { bytes, place: None };
            let said = single::add_in_place(&mut known, &job, now);
            prop_assert_eq!(said, single::add_in_place(&mut found, &job, now));
            prop_assert_eq!(&known.bytes, &found.bytes);
            if said.is_some() {
                store.lock().insert(key, (known.bytes.clone(), cas + 1));
                kept = Some(known);
            } else {
                quota.take(&store, grant("agent"), &[charge], now).unwrap();
            }
        }
    }
}
