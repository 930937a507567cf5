//! Workers that count without reading what they wrote last: they say what workers say that always read.

use std::cell::RefCell;
use std::sync::Barrier;
use std::thread;

use proptest::prelude::*;

use super::*;

/// Few shards, so that counters of several grants meet in one.
const MAX_BYTES: u64 = 16 * 1024;

/// A map as Envoy's shared data is: every value that is written, under whatever key, is given the next stamp.
#[derive(Default)]
struct Stamped(Mutex<Written>);

#[derive(Default)]
struct Written {
    values: HashMap<String, (Vec<u8>, u32)>,
    latest: u32,
}

impl CounterStore for Stamped {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        Ok(self.0.lock().unwrap().values.get(&shard.key()).map(|(bytes, stamp)| (bytes.clone(), Cas(*stamp))))
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        let mut written = self.0.lock().unwrap();
        match (written.values.get(&shard.key()), expected) {
            (None, Expected::Absent) => {}
            (Some((_, present)), Expected::Version(Cas(read))) if *present == read => {}
            _ => return Ok(Swap::Mismatch),
        }
        written.latest += 1;
        let stamp = written.latest;
        written.values.insert(shard.key(), (value.to_vec(), stamp));
        Ok(Swap::Done)
    }
}

/// A worker's view of the map. It guesses always, also where it was wrong before.
struct Remembering<'m> {
    map: &'m Stamped,
    last: RefCell<Option<(String, Vec<u8>, Cas)>>,
    reads: RefCell<usize>,
    /// Takes a swap that lost for one that won.
    ignores_mismatch: bool,
}

impl<'m> Remembering<'m> {
    fn new(map: &'m Stamped) -> Self {
        Self { map, last: RefCell::default(), reads: RefCell::default(), ignores_mismatch: false }
    }
}

impl CounterStore for Remembering<'_> {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        *self.reads.borrow_mut() += 1;
        self.map.get(shard)
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        let swapped = self.map.compare_and_swap(shard, value, expected)?;
        Ok(if self.ignores_mismatch { Swap::Done } else { swapped })
    }

    fn recall(&self, shard: ShardId<'_>) -> Option<(Vec<u8>, Cas)> {
        let (key, value, stamp) = self.last.borrow_mut().take()?;
        (key == shard.key()).then_some((value, stamp))
    }

    fn keep(&self, shard: ShardId<'_>, value: Vec<u8>, Cas(replaced): Cas) {
        *self.last.borrow_mut() = Some((shard.key(), value, Cas(replaced + 1)));
    }
}

fn begin<S: CounterStore>(store: &S) -> Quota {
    Quota::open(store, "test", Settings::new(MAX_BYTES, WhenFull::Deny).unwrap(), [42; 16]).unwrap()
}

/// What a worker is asked to do: count a call, or give back what it took last.
#[derive(Clone, Debug)]
enum Step {
    Take { worker: usize, who: u8, kinds: Vec<u8>, later_ms: u64 },
    GiveBack { worker: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let kinds = prop_oneof![4 => prop::collection::vec(0..4u8, 1), 1 => Just(vec![0, 1, 3])];
    let later_ms = prop_oneof![Just(0), 0..3_000u64, 0..90_000u64];
    prop_oneof![
        // Mostly the same worker and grant: that is where anything is recalled.
        9 => (prop_oneof![3 => Just(0), 1 => 0..3usize], prop_oneof![3 => Just(0), 1 => 0..4u8], kinds, later_ms)
            .prop_map(|(worker, who, kinds, later_ms)| Step::Take { worker, who, kinds, later_ms }),
        1 => (0..3usize).prop_map(|worker| Step::GiveBack { worker }),
    ]
}

fn limit(kind: u8) -> Charge<'static> {
    match kind {
        0 => charge("minute", Window::MINUTE, 5),
        1 => charge("hour", Window::HOUR, 40),
        2 => charge("calendar", Window::calendar(CalendarUnit::Minute), 3),
        _ => Charge { scope: ScopeValue::Global, ..charge("all", Window::MINUTE, 12) },
    }
}

/// What three workers say to a history, one step after the other.
fn history<S: CounterStore>(stores: &[S; 3], steps: &[Step]) -> Vec<Result<Outcome, QuotaError>> {
    let quotas = [begin(&stores[0]), begin(&stores[1]), begin(&stores[2])];
    let mut taken: [Option<Taken>; 3] = Default::default();
    let mut now = START;
    let mut said = vec![];
    for step in steps {
        match step {
            Step::Take { worker, who, kinds, later_ms } => {
                now = after(now, *later_ms);
                let charges: Vec<_> = kinds.iter().map(|kind| limit(*kind)).collect();
                let name = format!("agent-{who}");
                let outcome = quotas[*worker].take(&stores[*worker], grant(&name), &charges, now);
                if let Ok(Outcome::Admitted(all)) = &outcome {
                    taken[*worker] = Some(all.clone());
                }
                said.push(outcome);
            }
            Step::GiveBack { worker } => {
                if let Some(all) = taken[*worker].take() {
                    quotas[*worker].give_back(&stores[*worker], &all, |_| true).unwrap();
                }
            }
        }
    }
    said
}

fn shards(map: Stamped) -> HashMap<String, Vec<u8>> {
    map.0.into_inner().unwrap().values.into_iter().map(|(key, (bytes, _))| (key, bytes)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_recalled_changes_nothing(steps in prop::collection::vec(step(), 1..80)) {
        let (reading, remembering) = (Stamped::default(), Stamped::default());
        let expected = history(&[0; 3].map(|_| &reading), &steps);
        let said = history(&[0; 3].map(|_| Remembering::new(&remembering)), &steps);
        prop_assert_eq!(said, expected);
        prop_assert_eq!(shards(remembering), shards(reading));
    }
}

impl<S: CounterStore> CounterStore for &S {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        (**self).get(shard)
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        (**self).compare_and_swap(shard, value, expected)
    }
}

#[test]
fn a_call_after_ones_own_is_counted_unread() {
    let map = Stamped::default();
    let store = Remembering::new(&map);
    let quota = begin(&store);
    let charge = charge("minute", Window::MINUTE, 100);
    let reads = |_| {
        let before = *store.reads.borrow();
        assert!(admitted(quota.take(&store, grant("agent"), &[charge], START)));
        *store.reads.borrow() - before
    };
    // The first makes the shard, which has no stamp to go by, and the second reads what it got.
    assert_eq!([0; 5].map(reads), [1, 1, 0, 0, 0]);
}

#[test]
fn a_refusal_is_told_from_what_is_there_now() {
    let map = Stamped::default();
    let (one, other) = (Remembering::new(&map), Remembering::new(&map));
    let (first, second) = (begin(&one), begin(&other));
    let charge = charge("minute", Window::MINUTE, 2);
    let call = |quota: &Quota, store| quota.take(store, grant("agent"), &[charge], START);
    let given_back = taken(call(&first, &one));
    assert!(admitted(call(&first, &one)));
    second.give_back(&other, &given_back, |_| true).unwrap();
    assert!(admitted(call(&first, &one)), "the worker remembers two calls, but one was given back");
}

/// Eight workers call at once for one grant; how many calls are admitted.
fn race(ignores_mismatch: bool, max: u64) -> u64 {
    let map = Stamped::default();
    begin(&map);
    let barrier = Barrier::new(8);
    thread::scope(|scope| {
        let worker = || {
            let store = Remembering { ignores_mismatch, ..Remembering::new(&map) };
            let quota = begin(&Remembering::new(&map));
            barrier.wait();
            let calls = 0..20;
            let charge = [charge("tight", Window::MINUTE, max)];
            let is_admitted = |_: &i32| {
                thread::yield_now();
                admitted(quota.take(&store, grant("g"), &charge, START))
            };
            calls.filter(is_admitted).count() as u64
        };
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    })
}

#[test]
fn workers_that_guess_admit_exactly_max() {
    for round in 0..300 {
        let max = 1 + round * 7 % 50;
        assert_eq!(race(false, max), max, "round {round}");
    }
    assert!((0..100).any(|_| race(true, 10) > 10), "the race would not tell");
}
