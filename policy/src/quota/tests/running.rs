//! How many calls run at once, held against a list of those that do.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const LINGER_MS: u64 = 60_000;

/// Workers that state what they hold as the plugin does.
pub(super) struct Pool<'s> {
    store: &'s Map,
    workers: Vec<Worker>,
}

struct Worker {
    quota: Quota,
    held: BTreeMap<LeaseId, u64>,
}

fn at_once(max: u64) -> [Charge<'static>; 1] {
    [charge("at once", Window::Running, max)]
}

impl<'s> Pool<'s> {
    pub(super) fn new(store: &'s Map, workers: usize, when_full: WhenFull) -> Self {
        let worker = |_| Worker { quota: open(store, 16 << 10, when_full), held: BTreeMap::new() };
        Self { store, workers: (0..workers).map(worker).collect() }
    }

    pub(super) fn begin(&mut self, worker: usize, who: &str, max: u64, now: Now) -> Result<Lease, Refusal> {
        let worker = &mut self.workers[worker];
        match worker.quota.take(self.store, grant(who), &at_once(max), now).unwrap() {
            Outcome::Refused(refusal) => Err(refusal),
            Outcome::Admitted(taken) => {
                let lease = taken.leases().next().unwrap();
                *worker.held.entry(lease.id).or_default() += lease.count;
                Ok(lease)
            }
        }
    }

    pub(super) fn end(&mut self, worker: usize, id: LeaseId, left: Left, now: Now) {
        let worker = &mut self.workers[worker];
        let held = worker.held.get_mut(&id).unwrap();
        *held -= 1;
        worker.quota.state_leases(self.store, id, *held, left, now).unwrap();
    }

    pub(super) fn state(&mut self, now: Now) {
        for worker in &self.workers {
            for (id, held) in &worker.held {
                worker.quota.state_leases(self.store, *id, *held, Left::default(), now).unwrap();
            }
        }
    }
}

#[test]
fn a_slot_is_free_again_when_its_call_ends() {
    let store = Map::default();
    let mut pool = Pool::new(&store, 2, WhenFull::Deny);
    let first = pool.begin(0, "g", 2, START).unwrap();
    pool.begin(1, "g", 2, START).unwrap();
    let refused = pool.begin(1, "g", 2, START).unwrap_err();
    assert_eq!(refused, Refusal { charge: 0, retry_after_ms: None, remaining: 0 });
    assert!(pool.begin(1, "other", 2, START).is_ok());
    pool.end(0, first.id, Left::default(), START);
    assert!(pool.begin(1, "g", 2, START).is_ok());
    assert!(pool.begin(0, "g", 2, START).is_err());
}

#[test]
fn a_lease_lasts_as_long_as_its_worker_states_it() {
    let store = Map::default();
    let mut pool = Pool::new(&store, 2, WhenFull::Deny);
    pool.begin(0, "g", 1, START).unwrap();
    for minutes in 0..600 {
        let now = after(START, minutes * 20_000);
        pool.state(now);
        assert!(pool.begin(1, "g", 1, now).is_err(), "{minutes}");
    }
}

#[test]
fn what_a_lost_worker_held_is_free_after_its_lease() {
    let store = Map::default();
    let mut pool = Pool::new(&store, 2, WhenFull::Deny);
    pool.begin(0, "g", 1, START).unwrap();
    assert!(pool.begin(1, "g", 1, after(START, LEASE_MS - 1)).is_err());
    assert!(pool.begin(1, "g", 1, after(START, LEASE_MS + 1_000)).is_ok());
}

#[test]
fn hanging_up_gains_no_slot_before_it_has_lingered() {
    let store = Map::default();
    let mut pool = Pool::new(&store, 2, WhenFull::Deny);
    for round in 0..3 {
        let now = after(START, round * 100_000);
        for _ in 0..2 {
            let lease = pool.begin(0, "g", 2, now).unwrap();
            pool.end(0, lease.id, Left { count: 1, linger_ms: LINGER_MS }, now);
        }
        assert!(pool.begin(1, "g", 2, now).is_err());
        assert!(pool.begin(1, "g", 2, after(now, LINGER_MS - 1)).is_err());
    }
}

#[test]
fn a_statement_that_was_lost_is_made_good_by_the_next() {
    let store = Map::default();
    let mut pool = Pool::new(&store, 1, WhenFull::Deny);
    let lease = pool.begin(0, "g", 2, START).unwrap();
    pool.begin(0, "g", 2, START).unwrap();
    // The end of one call could not be written.
    *pool.workers[0].held.get_mut(&lease.id).unwrap() -= 1;
    assert!(pool.begin(0, "g", 2, START).is_err());
    pool.state(START);
    assert!(pool.begin(0, "g", 2, START).is_ok());
}

#[test]
fn a_call_takes_its_rates_and_its_slot_together_or_nothing() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    // One name for both: they are two counters all the same.
    let both = [charge("c", Window::MINUTE, 5), charge("c", Window::Running, 2)];
    let first = taken(quota.take(&store, grant("g"), &both, START));
    assert_eq!(first.remaining(), [4, 1]);
    taken(quota.take(&store, grant("g"), &both, START));
    assert_eq!(refusal(quota.take(&store, grant("g"), &both, START)).charge, 1);
    quota.give_back(&store, &first, |_| true).unwrap();
    assert_eq!(taken(quota.take(&store, grant("g"), &both, START)).remaining(), [3, 0]);
}

#[test]
fn sixty_four_workers_find_room_in_one_slot() {
    let store = Map::default();
    let mut pool = Pool::new(&store, 64, WhenFull::Deny);
    for worker in 0..64 {
        pool.begin(worker, "g", 64, START).unwrap();
    }
    assert!(pool.begin(0, "g", 64, START).is_err());
    assert!(store.shard_bytes().1 <= 2_048);
}

#[test]
fn those_without_a_slot_share_one_and_leaving_it_admits_no_more() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Share);
    for n in 0..2_000 {
        quota.take(&store, grant(&n.to_string()), &[charge("filler", Window::SECOND, 1)], START).unwrap();
    }
    let mut running = 0;
    let mut leases = Vec::new();
    for second in 0..4 {
        let now = after(START, second * 1_000);
        for _ in 0..4 {
            if let Outcome::Admitted(taken) = quota.take(&store, grant("late"), &at_once(3), now).unwrap() {
                leases.extend(taken.leases());
                running += 1;
            }
        }
    }
    assert_eq!(running, 3);
    // What ends in the shared slot is free again there.
    let one = leases[0].id;
    let held = leases.iter().filter(|lease| lease.id == one).count() as u64;
    quota.state_leases(&store, one, held - 1, Left::default(), after(START, 5_000)).unwrap();
    assert!(admitted(quota.take(&store, grant("late"), &at_once(3), after(START, 5_000))));
    assert!(!admitted(quota.take(&store, grant("late"), &at_once(3), after(START, 5_000))));
}

#[test]
fn damaged_leases_deny() {
    let store = Map::default();
    let quota = open(&store, 16 << 10, WhenFull::Deny);
    let first = taken(quota.take(&store, grant("g"), &at_once(2), START));
    let key = store.lock().keys().find(|key| !key.ends_with("layout")).unwrap().clone();
    store.lock().get_mut(&key).unwrap().0.push(0);
    assert!(matches!(quota.take(&store, grant("g"), &at_once(2), START), Err(QuotaError::Corrupt { .. })));
    let id = first.leases().next().unwrap().id;
    let stated = quota.state_leases(&store, id, 0, Left::default(), START);
    assert!(matches!(stated, Err(QuotaError::Corrupt { .. })));
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Begin { worker: usize, who: u8 },
    End(usize),
    HangUp(usize),
    Lose(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..4_900u64).prop_map(Step::Wait),
        6 => (0..3usize, 0..2u8).prop_map(|(worker, who)| Step::Begin { worker, who }),
        4 => (0..20usize).prop_map(Step::End),
        1 => (0..20usize).prop_map(Step::HangUp),
        1 => (0..3usize).prop_map(Step::Lose),
    ];
    prop::collection::vec(step, 1..150)
}

/// A call of the model: until when it counts at least, and at most; `None` while it runs.
struct Call {
    worker: usize,
    who: u8,
    id: LeaseId,
    until: Option<(u64, u64)>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_more_than_max_run_and_nobody_is_refused_for_less(steps in steps(), max in 1..4u64) {
        let store = Map::default();
        let mut pool = Pool::new(&store, 3, WhenFull::Deny);
        let mut now = START;
        let mut calls: Vec<Call> = Vec::new();
        for step in steps {
            let at = now.monotonic_ms;
            match step {
                Step::Wait(ms) => {
                    now = after(now, ms);
                    pool.state(now);
                }
                Step::Begin { worker, who } => {
                    let counting = |call: &&Call, least: bool| call.who == who
                        && call.until.is_none_or(|(from, to)| at < if least { from } else { to });
                    let least = calls.iter().filter(|call| counting(call, true)).count() as u64;
                    let most = calls.iter().filter(|call| counting(call, false)).count() as u64;
                    match pool.begin(worker, &who.to_string(), max, now) {
                        Ok(lease) => {
                            prop_assert!(least < max, "{least} already");
                            calls.push(Call { worker, who, id: lease.id, until: None });
                        }
                        Err(_) => prop_assert!(most >= max, "only {most}"),
                    }
                }
                Step::End(n) | Step::HangUp(n) => {
                    let mut running: Vec<&mut Call> = calls.iter_mut().filter(|call| call.until.is_none()).collect();
                    let count = running.len();
                    let Some(call) = running.get_mut(n % count.max(1)) else { continue };
                    let hangs_up = matches!(step, Step::HangUp(_));
                    let left = if hangs_up { Left { count: 1, linger_ms: LINGER_MS } } else { Left::default() };
                    pool.end(call.worker, call.id, left, now);
                    let most = LINGER_MS + LINGER_MS / 8 + 2_000;
                    call.until = Some(if hangs_up { (at + LINGER_MS, at + most) } else { (0, 0) });
                }
                Step::Lose(worker) => {
                    // Another takes its place, with another number.
                    pool.workers[worker] = Pool::new(&store, 1, WhenFull::Deny).workers.remove(0);
                    for call in calls.iter_mut().filter(|call| call.worker == worker && call.until.is_none()) {
                        // It has stated what it held less than five seconds ago.
                        call.until = Some((at + LEASE_MS - 5_000, at + LEASE_MS + 1_000));
                    }
                }
            }
        }
        // In the end all are over, and nothing is left of them.
        now = after(now, LEASE_MS + 2 * LINGER_MS);
        pool.workers.iter_mut().for_each(|worker| worker.held.clear());
        for who in 0..2u8 {
            for _ in 0..max {
                prop_assert!(pool.begin(0, &who.to_string(), max, now).is_ok());
            }
        }
    }
}
