//! What a limited call costs in this crate, without the host's get and set.
//!
//! `cargo bench -p policy --bench quota`: ns per call, for shards that hold the slots of a few
//! principals up to full ones.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Instant;

use policy::quota::{
    Cas, Charge, CounterName, CounterStore, Expected, Now, Outcome, Principal, Quota, ScopeValue, Settings, ShardId,
    StoreError, Swap, Unit, WhenFull, Window,
};

const CALLS: u64 = 200_000;

/// The shards by the number at the end of their key; its own cost is the copy that a host makes, too.
struct Memory(RefCell<Vec<Option<Version>>>);

type Version = (Vec<u8>, u32);

fn place(shard: ShardId<'_>) -> usize {
    shard.to_string().rsplit('/').next().and_then(|n| n.parse::<usize>().ok()).map_or(0, |n| n + 1)
}

impl CounterStore for Memory {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        Ok(self.0.borrow()[place(shard)].as_ref().map(|(bytes, cas)| (bytes.clone(), Cas(*cas))))
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], _: Expected) -> Result<Swap, StoreError> {
        self.0.borrow_mut()[place(shard)] = Some((value.to_vec(), 1));
        Ok(Swap::Done)
    }
}

fn main() {
    for (principals, limits) in [(7, 1), (7, 4), (28, 4), (70, 4)] {
        let store = Memory(RefCell::new(vec![None; 9]));
        let settings = Settings::new(16 << 10, WhenFull::Deny).expect("16 KiB are allowed");
        let quota = Quota::open(&store, "bench", settings, [7; 16]).expect("a new store");
        let windows = [Window::MINUTE, Window::HOUR, Window::DAY, Window::SECOND];
        let charges: Vec<Charge<'_>> = ["rate", "hourly", "daily", "burst"]
            .iter()
            .zip(windows)
            .take(limits)
            .map(|(counter, window)| Charge {
                call: 0,
                counter: CounterName { policy: "company", counter },
                scope: ScopeValue::Grant,
                window,
                unit: Unit::Calls,
                max: u64::MAX,
                amount: 1,
            })
            .collect();
        let names: Vec<String> = (0..principals).map(|n| format!("agent-{n}@example.com")).collect();
        let call = |n: u64| {
            let value = names[usize::try_from(n).expect("few calls") % names.len()].as_str();
            let grant = Principal::Grant { source: "jwt_claim:sub", issuer: "https://idp.example.com", value };
            let now = Now { monotonic_ms: 9_000_000 + n / 10, wall_ms: 1_780_000_000_000 + n / 10 };
            quota.take(&store, grant, &charges, now)
        };
        (0..CALLS / 10).for_each(|n| assert!(matches!(call(n), Ok(Outcome::Admitted(_))), "warm-up"));
        let begun = Instant::now();
        (CALLS / 10..CALLS).for_each(|n| assert!(black_box(call(n)).is_ok(), "call {n}"));
        let ns = begun.elapsed().as_nanos() / u128::from(CALLS - CALLS / 10);
        let bytes: usize = store.0.borrow().iter().skip(1).flatten().map(|(bytes, _)| bytes.len()).sum();
        println!("{limits} limits, {principals} principals in 7 shards of {} bytes: {ns} ns", bytes / 7);
    }
}
