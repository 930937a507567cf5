//! All charges of a call, or none: one compare-and-swap per shard, and an undo where there is more than one.
//!
//! A shard is read, weighed and swapped; if somebody else wrote between, it is read and weighed
//! again. So what is swapped in always builds on what was judged, and a counter never holds more
//! than was admitted, whatever the number of workers. Counts over several shards are judged first
//! all together, then committed in the order of shards, each judged again by its own swap; if a
//! later one no longer fits, the earlier ones are taken back. For that moment they count for others
//! too, who can be refused by it: too early, never too late. An undo that fails leaves its counts
//! where they are, until they leave their windows.
//!
//! What a worker itself wrote last need not be read again if the store can tell by the swap alone that nobody else
//! wrote since ([`CounterStore::recall`]): an agent that calls in a loop costs one host call less, and no copy.

use smallvec::{SmallVec, smallvec};

use super::charge::{Charge, Now, Principal};
use super::layout::Quota;
use super::outcome::{Outcome, Part, QuotaError, Refusal, Taken};
use super::shard::{Table, is_dated};
use super::single;
use super::store::{Cas, CounterStore, Expected, Kept, ShardId, Swap};
use super::weigh::{Change, Job, Terms, Verdict, later, weigh};

/// How often a swap is tried.
///
/// A swap fails only when another succeeds between a read and a write, about 2 us apart. Eight
/// workers that do nothing but count in one shard would each lose 7 of 8 tries, and all of 128 in a
/// row with odds of 4e-8, unless the system takes the processor from one just there, again and again; workers that also
/// serve the request (50 us and more) hardly lose any. 128 tries take about a quarter of a millisecond.
pub const ATTEMPTS: usize = 128;

/// A shard as it was read, or recalled.
type Read = Option<(Kept, Cas)>;

/// A call's charges that count in one shard.
struct Group<'c> {
    shard: u32,
    jobs: Few<Job<'c>>,
}

/// Most calls have one limit.
type Few<T> = SmallVec<[T; 1]>;

impl Quota {
    /// Whether a call would be admitted now: what [`Quota::take`] would answer. Takes nothing.
    ///
    /// # Errors
    /// As for [`Quota::take`]; every error denies the call.
    pub fn look<S: CounterStore>(
        &self,
        store: &S,
        principal: Principal<'_>,
        charges: &[Charge<'_>],
        now: Now,
    ) -> Result<Outcome, QuotaError> {
        let groups = self.groups(principal, charges)?;
        let mut whole = Whole::default();
        for group in &groups {
            let read = read(store, self.shard(group.shard), now)?;
            whole.add(group, self.weigh(&read, group.shard, &group.jobs, now)?);
        }
        let mut outcome = whole.outcome(charges.len())?;
        if let Outcome::Admitted(taken) = &mut outcome {
            taken.parts.clear();
            taken.joined.clear();
        }
        Ok(outcome)
    }

    /// Takes every charge of a call, or none.
    ///
    /// # Errors
    /// When the store fails or holds damaged bytes, when there is no room to count
    /// ([`QuotaError::Full`]), when other workers win every race ([`QuotaError::Contended`]), or
    /// when two charges on one counter contradict each other. Nothing is taken then, and the call
    /// is to be denied.
    pub fn take<S: CounterStore>(
        &self,
        store: &S,
        principal: Principal<'_>,
        charges: &[Charge<'_>],
        now: Now,
    ) -> Result<Outcome, QuotaError> {
        if let [charge] = charges {
            return self.take_one(store, self.job(principal, 0, charge), now);
        }
        let groups = self.groups(principal, charges)?;
        if let [group] = groups.as_slice() {
            let recalled = recall(store, self.shard(group.shard), now);
            return outcome(self.settle(store, recalled, group.shard, &group.jobs, now)?);
        }
        for _ in 0..ATTEMPTS {
            if let refused @ Outcome::Refused(_) = self.look(store, principal, charges, now)? {
                return Ok(refused);
            }
            if let Some(outcome) = self.settle_all(store, &groups, charges.len(), now)? {
                return Ok(outcome);
            }
        }
        Err(QuotaError::Contended)
    }

    /// Takes the only charge of a call, where the call before was counted if nobody else wrote since.
    fn take_one<S: CounterStore>(&self, store: &S, job: Job<'_>, now: Now) -> Result<Outcome, QuotaError> {
        let id = self.shard(job.spot.shard);
        let recalled = match recall(store, id, now) {
            None => None,
            Some((mut kept, replaced)) => match single::add_in_place(&mut kept, &job, now) {
                None => Some((kept, replaced)),
                Some(counted) => {
                    if swap(store, id, kept, Some(replaced))? == Swap::Done {
                        return Ok(Outcome::Admitted(single::taken(&job, counted)));
                    }
                    None
                }
            },
        };
        outcome(self.settle(store, recalled, job.spot.shard, &[job], now)?)
    }

    fn job<'c>(&self, principal: Principal<'_>, index: usize, charge: &'c Charge<'c>) -> Job<'c> {
        Job { index, charge, spot: self.spot(principal, charge) }
    }

    /// The charges by shard, in the order of shards.
    fn groups<'c>(&self, principal: Principal<'_>, charges: &'c [Charge<'c>]) -> Result<Few<Group<'c>>, QuotaError> {
        let mut groups: Few<Group<'c>> = SmallVec::new();
        let mut before: &[Charge<'c>] = &[];
        for (index, charge) in charges.iter().enumerate() {
            if before.iter().any(|other| charge.contradicts(other)) {
                return Err(QuotaError::Disagree { charge: index });
            }
            before = charges.get(..=index).unwrap_or(charges);
            let job = self.job(principal, index, charge);
            match groups.binary_search_by_key(&job.spot.shard, |group| group.shard) {
                Ok(at) => {
                    if let Some(group) = groups.get_mut(at) {
                        group.jobs.push(job);
                    }
                }
                Err(at) => groups.insert(at, Group { shard: job.spot.shard, jobs: smallvec![job] }),
            }
        }
        Ok(groups)
    }

    fn weigh(&self, read: &Read, shard: u32, jobs: &[Job<'_>], now: Now) -> Result<Verdict, QuotaError> {
        let corrupt = QuotaError::Corrupt { shard: Some(shard) };
        let bytes = read.as_ref().map(|(kept, _)| kept.bytes.as_slice());
        let table = Table::read(bytes, now).ok_or(corrupt)?;
        let terms = Terms { seed: self.seed(), when_full: self.when_full(), worker: self.worker() };
        weigh(&table, jobs, now, terms).ok_or(corrupt)
    }

    /// Takes the charges of one shard.
    fn settle<S: CounterStore>(
        &self,
        store: &S,
        mut recalled: Read,
        shard: u32,
        jobs: &[Job<'_>],
        now: Now,
    ) -> Result<Verdict, QuotaError> {
        let id = self.shard(shard);
        if recalled.is_some() {
            let judged = self.judge(&mut recalled, shard, jobs, now);
            // Anything else may rest on what has changed since, so only an admission is believed, once it is swapped in.
            if let Ok(mut verdict @ Verdict::Admitted { change: Change::InPlace | Change::New(_), .. }) = judged
                && swap_in(store, id, &mut verdict, recalled)? == Swap::Done
            {
                return Ok(verdict);
            }
        }
        for _ in 0..ATTEMPTS {
            let mut read = read(store, id, now)?;
            let mut verdict = self.judge(&mut read, shard, jobs, now)?;
            if swap_in(store, id, &mut verdict, read)? == Swap::Done {
                return Ok(verdict);
            }
        }
        Err(QuotaError::Contended)
    }

    /// An admission may count in what was read.
    fn judge(&self, read: &mut Read, shard: u32, jobs: &[Job<'_>], now: Now) -> Result<Verdict, QuotaError> {
        if let ([job], Some((kept, _))) = (jobs, &mut *read)
            && let Some(verdict) = single::take(kept, job, now, self.worker())
        {
            return Ok(verdict);
        }
        self.weigh(read, shard, jobs, now)
    }

    /// Takes the charges of every shard. `None`: one no longer fitted, and all is undone.
    fn settle_all<S: CounterStore>(
        &self,
        store: &S,
        groups: &[Group<'_>],
        charges: usize,
        now: Now,
    ) -> Result<Option<Outcome>, QuotaError> {
        let mut whole = Whole::default();
        for group in groups {
            let recalled = recall(store, self.shard(group.shard), now);
            let settled = self.settle(store, recalled, group.shard, &group.jobs, now);
            if let Ok(verdict @ Verdict::Admitted { .. }) = settled {
                whole.add(group, verdict);
                continue;
            }
            // If this fails too, the counts stay until they leave their windows: that refuses too early, never too late.
            let undone = self.give_back(store, &whole.taken(charges), |_| true);
            return match settled? {
                Verdict::Full { charge } => Err(QuotaError::Full { charge }),
                _ => undone.map(|()| None),
            };
        }
        whole.outcome(charges).map(Some)
    }

    pub(super) fn shard(&self, number: u32) -> ShardId<'_> {
        ShardId::of_shard(self.root(), number)
    }
}

/// What is remembered of a shard, if it can be judged now.
fn recall<S: CounterStore>(store: &S, shard: ShardId<'_>, now: Now) -> Read {
    store.recall(shard).filter(|(kept, _)| !wants_wall_time(&kept.bytes, now))
}

fn read<S: CounterStore>(store: &S, shard: ShardId<'_>, now: Now) -> Result<Read, QuotaError> {
    let read = store.get(shard)?;
    if read.as_ref().is_some_and(|(bytes, _)| wants_wall_time(bytes, now)) {
        return Err(QuotaError::NoWallTime);
    }
    Ok(read.map(|(bytes, cas)| (Kept { bytes, place: None }, cas)))
}

/// Whether a shard has counts by the calendar, or had, and what day it is was not asked: those that are over would count as
/// if they had just come.
fn wants_wall_time(bytes: &[u8], now: Now) -> bool {
    now.wall_ms == 0 && is_dated(bytes)
}

/// Puts what a verdict has made of a shard, if anything, in the place of what was read.
fn swap_in<S: CounterStore>(
    store: &S,
    shard: ShardId<'_>,
    verdict: &mut Verdict,
    read: Read,
) -> Result<Swap, QuotaError> {
    let Verdict::Admitted { change, .. } = verdict else { return Ok(Swap::Done) };
    let (kept, replaced) = match (std::mem::replace(change, Change::None), read) {
        (Change::None, _) | (Change::InPlace, None) => return Ok(Swap::Done),
        (Change::InPlace, Some((kept, cas))) => (kept, Some(cas)),
        (Change::New(bytes), read) => (Kept { bytes, place: None }, read.map(|(_, cas)| cas)),
    };
    swap(store, shard, kept, replaced)
}

/// Puts a page in the place of the version that it was made of.
fn swap<S: CounterStore>(store: &S, shard: ShardId<'_>, kept: Kept, replaced: Option<Cas>) -> Result<Swap, QuotaError> {
    let swapped = store.compare_and_swap(shard, &kept.bytes, replaced.map_or(Expected::Absent, Expected::Version))?;
    if swapped == Swap::Done {
        store.keep(shard, kept);
    }
    Ok(swapped)
}

/// The outcome of a call whose charges are all in one shard, which therefore judged them in their order.
fn outcome(verdict: Verdict) -> Result<Outcome, QuotaError> {
    match verdict {
        Verdict::Admitted { taken, .. } => Ok(Outcome::Admitted(taken)),
        Verdict::Refused(refusal) => Ok(Outcome::Refused(refusal)),
        Verdict::Full { charge } => Err(QuotaError::Full { charge }),
    }
}

/// The verdicts of all shards on one call.
#[derive(Default)]
struct Whole {
    /// (index of the charge, what it leaves)
    remaining: Vec<(usize, u64)>,
    parts: Few<Part>,
    joined: Vec<(usize, usize)>,
    refusal: Option<Refusal>,
    full: Option<usize>,
}

impl Whole {
    fn add(&mut self, group: &Group<'_>, verdict: Verdict) {
        match verdict {
            Verdict::Admitted { mut taken, .. } => {
                let indices = group.jobs.iter().map(|job| job.index);
                self.remaining.extend(indices.zip(taken.remaining));
                self.parts.append(&mut taken.parts);
                self.joined.append(&mut taken.joined);
            }
            Verdict::Refused(refusal) => {
                self.refusal = Some(match self.refusal {
                    None => refusal,
                    Some(other) => {
                        let first = if other.charge < refusal.charge { other } else { refusal };
                        let wait = later(other.retry_after_ms, refusal.retry_after_ms);
                        Refusal { retry_after_ms: wait, ..first }
                    }
                });
            }
            Verdict::Full { charge } => self.full = Some(self.full.map_or(charge, |at| at.min(charge))),
        }
    }

    /// A limit that refuses says more than a full table does, so it comes first.
    fn outcome(mut self, charges: usize) -> Result<Outcome, QuotaError> {
        match (self.refusal, self.full) {
            (Some(refusal), _) => Ok(Outcome::Refused(refusal)),
            (None, Some(charge)) => Err(QuotaError::Full { charge }),
            (None, None) => Ok(Outcome::Admitted(self.taken(charges))),
        }
    }

    fn taken(&mut self, charges: usize) -> Taken {
        let mut remaining = smallvec![0; charges];
        for &(index, left) in &self.remaining {
            if let Some(place) = remaining.get_mut(index) {
                *place = left;
            }
        }
        Taken { remaining, parts: std::mem::take(&mut self.parts), joined: std::mem::take(&mut self.joined) }
    }
}
