//! Workers that count without reading what they wrote last: they say what workers say that always read.

use std::cell::Cell;
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

impl StampedMap for &Stamped {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        let read = self.0.lock().unwrap().values.get(key).map(|(bytes, stamp)| (bytes.clone(), Cas(*stamp)));
        // Another worker may write before anything is made of it.
        thread::yield_now();
        Ok(read)
    }

    fn compare_and_swap(&self, key: &str, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        let mut written = self.0.lock().unwrap();
        match (written.values.get(key), expected) {
            (None, Expected::Absent) => {}
            (Some((_, present)), Expected::Version(Cas(read))) if *present == read => {}
            _ => return Ok(Swap::Mismatch),
        }
        written.latest += 1;
        let stamp = written.latest;
        written.values.insert(key.to_owned(), (value.to_vec(), stamp));
        drop(written);
        thread::yield_now();
        Ok(Swap::Done)
    }
}

/// A worker that reads whatever it counts in.
impl CounterStore for &Stamped {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        StampedMap::get(self, &shard.key())
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        StampedMap::compare_and_swap(self, &shard.key(), value, expected)
    }
}

/// A worker's map that counts reads.
struct Watched<'m> {
    map: &'m Stamped,
    reads: &'m Cell<usize>,
}

impl StampedMap for Watched<'_> {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        self.reads.set(self.reads.get() + 1);
        StampedMap::get(&self.map, key)
    }

    fn compare_and_swap(&self, key: &str, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        StampedMap::compare_and_swap(&self.map, key, value, expected)
    }
}

/// Takes a swap that lost for one that won.
struct IgnoresMismatch<'m>(&'m Stamped);

impl StampedMap for IgnoresMismatch<'_> {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        StampedMap::get(&self.0, key)
    }

    fn compare_and_swap(&self, key: &str, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        StampedMap::compare_and_swap(&self.0, key, value, expected)?;
        Ok(Swap::Done)
    }
}

fn begin<S: CounterStore>(store: &S) -> Quota {
    Quota::open(store, "test", Settings::new(MAX_BYTES, WhenFull::Deny).unwrap(), [42; 16]).unwrap()
}

/// What a worker is asked to do: count a call, or give back what it took last.
#[derive(Clone, Debug)]
enum Step {
    Take { worker: usize, who: u8, kinds: Vec<u8>, amount: u64, later_ms: u64 },
    GiveBack { worker: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let kinds = prop_oneof![
        4 => Just(vec![0]),
        4 => prop::collection::vec(0..4u8, 1),
        2 => Just(vec![0, 1, 3]),
    ];
    let later_ms = prop_oneof![2 => Just(0), 1 => 0..3_000u64, 1 => 0..90_000u64];
    let amount = prop_oneof![3 => Just(1), 1 => 0..4u64];
    prop_oneof![
        // Mostly the same worker and grant: that is where anything is recalled.
        9 => (prop_oneof![3 => Just(0), 1 => 0..3usize], prop_oneof![3 => Just(0), 1 => 0..4u8], kinds, amount, later_ms)
            .prop_map(|(worker, who, kinds, amount, later_ms)| Step::Take { worker, who, kinds, amount, later_ms }),
        1 => (0..3usize).prop_map(|worker| Step::GiveBack { worker }),
    ]
}

fn limit(kind: u8) -> Charge<'static> {
    match kind {
        0 => charge("minute", Window::MINUTE, 12),
        1 => charge("hour", Window::HOUR, 40),
        2 => charge("calendar", Window::calendar(CalendarUnit::Minute), 3),
        _ => Charge { scope: ScopeValue::Global, ..charge("all", Window::MINUTE, 12) },
    }
}

/// What three workers say to a history, one step after the other, with a wall clock so many ms ahead.
fn history<S: CounterStore>(stores: &[S; 3], steps: &[Step], ahead: u64) -> Vec<Result<Outcome, QuotaError>> {
    let quotas = [begin(&stores[0]), begin(&stores[1]), begin(&stores[2])];
    let mut taken: [Option<Taken>; 3] = Default::default();
    let mut now = Now { wall_ms: START.wall_ms + ahead, ..START };
    let mut said = vec![];
    for step in steps {
        match step {
            Step::Take { worker, who, kinds, amount, later_ms } => {
                now = after(now, *later_ms);
                let charges: Vec<_> = kinds.iter().map(|kind| Charge { amount: *amount, ..limit(*kind) }).collect();
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
    fn what_is_recalled_changes_nothing(steps in prop::collection::vec(step(), 1..80), ahead in 0..60_000u64) {
        let (reading, remembering) = (Stamped::default(), Stamped::default());
        let expected = history(&[0; 3].map(|_| &reading), &steps, ahead);
        let said = history(&[0; 3].map(|_| Remembering::new(&remembering)), &steps, ahead);
        prop_assert_eq!(said, expected);
        prop_assert_eq!(shards(remembering), shards(reading));
    }
}

#[test]
fn a_call_after_ones_own_is_counted_unread() {
    let (map, reads) = (Stamped::default(), Cell::new(0));
    let store = Remembering::new(Watched { map: &map, reads: &reads });
    let quota = begin(&store);
    let charge = charge("minute", Window::MINUTE, 100);
    let reads = |_| {
        let before = reads.get();
        assert!(admitted(quota.take(&store, grant("agent"), &[charge], START)));
        reads.get() - before
    };
    // The first finds that there is no shard.
    assert_eq!([0; 5].map(reads), [1, 0, 0, 0, 0]);
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

#[test]
fn what_a_worker_gives_back_it_does_not_remember() {
    let map = Stamped::default();
    let store = Remembering::new(&map);
    let quota = begin(&store);
    let charge = charge("minute", Window::MINUTE, 3);
    let call = || quota.take(&store, grant("agent"), &[charge], START);
    assert!(admitted(call()));
    let given_back = taken(call());
    quota.give_back(&store, &given_back, |_| true).unwrap();
    assert_eq!([0; 3].map(|_| admitted(call())), [true, true, false]);
}

#[test]
fn shards_that_want_one_place_in_memory_are_not_taken_for_each_other() {
    let map = Stamped::default();
    let charge = charge("minute", Window::MINUTE, 3);
    let name = |nth: usize| format!("agent-{nth}");
    let open = || Quota::open(&&map, "test", Settings::default(), [42; 16]).unwrap();
    let (one, store) = (open(), Remembering::new(&map));
    for _ in 0..3 {
        (0..400).for_each(|nth| assert!(admitted(one.take(&store, grant(&name(nth)), &[charge], START)), "{nth}"));
    }
    // Others find each count where it belongs, whoever came first.
    let (other, store) = (open(), Remembering::new(&map));
    for nth in (0..400).rev() {
        assert!(!admitted(other.take(&store, grant(&name(nth)), &[charge], START)), "{nth}");
        assert!(!admitted(other.take(&&map, grant(&name(nth)), &[charge], START)), "{nth}");
    }
}

#[test]
fn roots_over_one_memory_are_not_taken_for_each_other() {
    let map = Stamped::default();
    let store = Remembering::new(&map);
    let [one, other] = ["one", "other"]
        .map(|root| Quota::open(&store, root, Settings::new(MAX_BYTES, WhenFull::Deny).unwrap(), [42; 16]).unwrap());
    let charge = charge("minute", Window::MINUTE, 2);
    let mut call = |quota: &Quota| admitted(quota.take(&store, grant("agent"), &[charge], START));
    assert_eq!([&one, &other, &one, &other].map(&mut call), [true; 4]);
    assert_eq!([&one, &other].map(&mut call), [false; 2]);
}

/// While the worker idles, others write more than half of all stamps there are.
#[test]
fn a_worker_that_was_away_for_long_guesses_again() {
    let (map, reads) = (Stamped::default(), Cell::new(0));
    let store = Remembering::new(Watched { map: &map, reads: &reads });
    let quota = begin(&store);
    let charge = charge("minute", Window::MINUTE, 1_000);
    let call = || assert!(admitted(quota.take(&store, grant("agent"), &[charge], START)));
    call();
    map.0.lock().unwrap().latest += (1 << 31) + 100;
    (0..100).for_each(|_| call());
    let before = reads.get();
    (0..100).for_each(|_| call());
    assert_eq!(reads.get(), before);
}

/// Eight workers call at once, so often each, for two grants in turns; how many calls of each are admitted.
fn race<M: StampedMap>(map: &Stamped, worker: impl Fn() -> M + Sync, calls: usize, max: u64) -> [u64; 2] {
    begin(&map);
    let barrier = Barrier::new(8);
    let names = ["one", "other"];
    thread::scope(|scope| {
        let work = || {
            let store = Remembering::new(worker());
            let quota = begin(&store);
            let charge = [charge("tight", Window::MINUTE, max)];
            barrier.wait();
            let mut counts = [0; 2];
            for nth in 0..calls {
                let grant = nth / 3 % 2;
                let call = || quota.take(&store, super::grant(names[grant]), &charge, START);
                let is_admitted = admitted_at_last(call);
                counts[grant] += u64::from(is_admitted);
            }
            counts
        };
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        let counts = workers.into_iter().map(|worker| worker.join().unwrap());
        counts.fold([0; 2], |[one, other], [more, others]| [one + more, other + others])
    })
}

#[test]
fn workers_that_guess_admit_exactly_max() {
    for round in 0..300 {
        let max = 1 + round * 7 % 50;
        let map = Stamped::default();
        assert_eq!(race(&map, || &map, 20, max), [max; 2], "round {round}");
    }
    // So long that guessing begins anew.
    for round in 0..20 {
        let map = Stamped::default();
        assert_eq!(race(&map, || &map, 500, 1_500), [1_500; 2], "round {round}");
    }
    let is_over = |_| {
        let map = Stamped::default();
        race(&map, || IgnoresMismatch(&map), 20, 10) > [10; 2]
    };
    assert!((0..100).any(is_over), "the race would not tell");
}
