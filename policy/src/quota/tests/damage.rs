//! Bytes that somebody else wrote.

use proptest::prelude::*;

use super::*;

fn with_shards(store: &Map, bytes: &[u8]) {
    for index in 0..8 {
        store.lock().insert(ShardId::of_shard(&"test".into(), index).key(), (bytes.to_vec(), 1));
    }
}

proptest! {
    #[test]
    fn any_bytes_in_a_shard_deny_or_count_but_never_panic(head in any::<[u8; 16]>(), bytes: Vec<u8>, short: bool) {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Share);
        with_shards(&store, &if short { bytes } else { [&head[..], &bytes].concat() });
        let charges = [charge("a", Window::MINUTE, 3), Charge { scope: ScopeValue::Global, ..charge("b", Window::DAY, 3) }];
        let looked = quota.look(&store, grant("g"), &charges, START);
        let outcome = quota.take(&store, grant("g"), &charges, START);
        prop_assert_eq!(looked.is_ok(), outcome.is_ok());
    }

    #[test]
    fn a_flipped_byte_denies_or_counts_but_never_panics_or_grows(at in 0..200usize, to: u8, n in 1..8u64) {
        let store = Map::default();
        let quota = open(&store, 16 << 10, WhenFull::Share);
        let windows = [Window::SECOND, Window::MINUTE, Window::calendar(CalendarUnit::Month), Window::DAY];
        let charges: Vec<_> = ["a", "b", "c", "d"].iter().zip(windows).map(|(name, window)| charge(name, window, 1_000)).collect();
        let mut last = Taken::default();
        for step in 0..n {
            last = taken(quota.take(&store, grant("g"), &charges, after(START, step * 400)));
        }
        for (key, (bytes, _)) in store.lock().iter_mut().filter(|(key, _)| !key.ends_with("layout")) {
            prop_assert!(!key.is_empty());
            let length = bytes.len();
            bytes[at % length] = to;
        }
        let now = after(START, n * 400);
        let looked = quota.look(&store, grant("g"), &charges, now);
        let outcome = quota.take(&store, grant("g"), &charges, now);
        prop_assert_eq!(looked.map(|looked| matches!(looked, Outcome::Admitted(_))), outcome.map(|outcome| matches!(outcome, Outcome::Admitted(_))));
        if let Err(error) = quota.give_back(&store, &last, |_| true) {
            let is_damage = matches!(error, QuotaError::Corrupt { .. });
            prop_assert!(is_damage, "{}", error);
        }
        prop_assert!(store.shard_bytes().1 <= 2_048);
    }
}

#[test]
fn a_damaged_shard_denies_and_is_left_as_it_is() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    for bytes in [&b""[..], b"not a shard", &[0xff; 64], &[0; 4_096]] {
        with_shards(&store, bytes);
        let outcome = quota.take(&store, grant("g"), &[charge("a", Window::MINUTE, 3)], START);
        assert!(matches!(outcome, Err(QuotaError::Corrupt { shard: Some(_) })), "{outcome:?}");
        assert!(store.lock().values().all(|(value, _)| value == bytes || value.len() == 24));
    }
}

#[test]
fn a_damaged_layout_is_an_error() {
    for bytes in [&b""[..], &[0; 20], &[0xff; 20], &[1; 21]] {
        let store = Map::default();
        store.lock().insert(ShardId::of_layout(&"test".into()).key(), (bytes.to_vec(), 1));
        let outcome = Quota::open(&store, "test", Settings::default(), [0; 16]).map(|_| ());
        assert_eq!(outcome, Err(QuotaError::Corrupt { shard: None }), "{bytes:?}");
    }
}
