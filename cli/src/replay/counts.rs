//! Limits, replayed by time: the filter's own counters, in memory.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    net::{IpAddr, Ipv6Addr},
};

use policy::{
    audit::UNCLEAR,
    config::Config,
    decision::{Due, Header},
    document::model::{Limit, Refund, Scope},
    quota::{
        Cas, Charge, CounterName, CounterStore, Expected, Now, Outcome, Principal, Quota, ScopeValue, ShardId,
        StoreError, Swap, Window,
    },
};

use super::{recall::Recall, record::Record};
use crate::failure::Failure;

/// The counters, from the first record on.
#[derive(Debug)]
pub(super) struct Counts {
    quota: Quota,
    store: Memory,
    /// Counters to which a call may have added of which it is not known whether it passed, and when it last did, in ms.
    doubtful: BTreeMap<String, u64>,
    /// When calls were last made of which not even that is known to which counters they may have added, in ms.
    all_doubtful: Option<u64>,
    /// When the first record was made, in ms since 1970.
    begins: u64,
}

/// What limits say of a body.
#[derive(Debug)]
pub(super) enum Counted<'p> {
    Admitted,
    /// This limit refuses, for the message at this place.
    Refused {
        message: usize,
        policy: &'p str,
        limit: &'p Limit,
    },
    /// It depends on these.
    Unknown(Vec<String>),
}

/// Whose count a limit means.
enum Whose {
    Grant,
    Session(Option<String>),
    ClientIp(Option<IpAddr>),
    Global,
    Claim(String, Option<String>),
    Header(String, Option<String>),
    /// The request was not clear about it, which refuses.
    Unclear,
}

/// Another call may have been counted, or not.
const EARLIER: &str = "(earlier calls that are undecidable)";
/// A call was limited, and the records begin within the limit's window.
const BEFORE: &str = "(calls before the first record)";
/// A limit with `refund` refuses.
const REFUNDS: &str = "(what was given back)";

impl Counts {
    /// Begins with counters that are empty.
    pub(super) fn begin(config: &Config, begins: u64) -> Result<Self, Failure> {
        let store = Memory::default();
        let quota =
            Quota::open(&store, "replay", config.counters, [7; 16]).map_err(Failure::because("cannot count"))?;
        Ok(Self { quota, store, doubtful: BTreeMap::new(), all_doubtful: None, begins })
    }

    /// Takes what a body owes. `limited_by`: the rule that limited it when it was recorded.
    pub(super) fn take<'p>(
        &mut self,
        record: &Record,
        recall: &Recall<'_>,
        dues: &[Due<'p>],
        now: Now,
        limited_by: Option<&str>,
        only_look: bool,
    ) -> Counted<'p> {
        // What runs at once no record tells.
        let dues: Vec<&Due<'p>> = dues.iter().filter(|due| due.taking.limit.window != Window::Running).collect();
        let refused =
            |due: &Due<'p>| Counted::Refused { message: due.message, policy: due.policy, limit: due.taking.limit };
        let mut whose = Vec::new();
        let mut unknown = Vec::new();
        for due in &dues {
            match Whose::of(&due.taking.limit.scope, record, recall) {
                Ok(Whose::Unclear) => return refused(due),
                Ok(one) => whose.push(one),
                Err(needs) => unknown.push(needs),
            }
        }
        if !unknown.is_empty() {
            return Counted::Unknown(unknown);
        }
        let charges: Vec<Charge<'_>> = dues.iter().zip(&whose).map(|(due, whose)| charge(due, whose)).collect();
        let principal = principal(record);
        let first_refused = |charges: &[Charge<'_>]| match self.quota.look(&self.store, principal, charges, now) {
            Ok(Outcome::Admitted(_)) => None,
            Ok(Outcome::Refused(refusal)) => Some(refusal.charge),
            // Whatever the counters cannot do, the filter refuses.
            Err(_) => Some(0),
        };
        if let Some(index) = first_refused(&charges) {
            let Some(due) = dues.get(index) else { return Counted::Unknown(vec![]) };
            let gives_back = |due: &Due<'_>| due.taking.limit.refund != Refund::default();
            if !gives_back(due) || limited_by == Some(&*due.taking.limit.pointer) {
                return refused(due);
            }
            // One that gives nothing back may refuse as well, and for sure.
            let (sure, charges): (Vec<&&Due<'p>>, Vec<Charge<'_>>) =
                dues.iter().zip(charges).filter(|(due, _)| !gives_back(due)).unzip();
            return match first_refused(&charges).and_then(|index| sure.get(index)) {
                Some(due) => refused(due),
                None => Counted::Unknown(vec![REFUNDS.to_owned()]),
            };
        }
        let keys = dues.iter().zip(&charges).map(|(due, charge)| (due, self.key(record, charge)));
        let mut doubts = Vec::new();
        for (due, key) in keys {
            let since = now.wall_ms.saturating_sub(reach_ms(due.taking.limit.window));
            let someones = [self.doubtful.get(&key), self.doubtful.get(&of_anybody(due)), self.all_doubtful.as_ref()];
            if someones.into_iter().flatten().any(|last| *last >= since) {
                doubts.push(EARLIER.to_owned());
            }
            if limited_by.is_some() && since < self.begins {
                doubts.push(BEFORE.to_owned());
            }
        }
        doubts.sort();
        doubts.dedup();
        if !doubts.is_empty() {
            return Counted::Unknown(doubts);
        }
        if !only_look {
            // Admitted a moment ago, by the same counters at the same time.
            let _taken = self.quota.take(&self.store, principal, &charges, now);
        }
        Counted::Admitted
    }

    /// It is not known whether a body passed: what it would have added is doubtful from now on.
    pub(super) fn doubt(&mut self, record: &Record, recall: &Recall<'_>, dues: &[Due<'_>], now: Now) {
        for due in dues {
            let key = match Whose::of(&due.taking.limit.scope, record, recall) {
                Ok(whose) => self.key(record, &charge(due, &whose)),
                Err(_) => of_anybody(due),
            };
            self.doubtful.insert(key, now.wall_ms);
        }
    }

    /// It is not even known to what a body may have added.
    pub(super) fn doubt_all(&mut self, now: Now) {
        self.all_doubtful = Some(now.wall_ms);
    }

    /// One text for each counter.
    fn key(&self, record: &Record, Charge { counter, scope, .. }: &Charge<'_>) -> String {
        let grant = match scope {
            ScopeValue::Grant | ScopeValue::Session(_) => &*record.grant,
            _ => "",
        };
        format!("{counter:?} {scope:?} {grant}")
    }
}

/// A counter, whoever's it is.
fn of_anybody(due: &Due<'_>) -> String {
    format!("{:?}", CounterName { policy: due.policy, counter: &due.taking.limit.counter })
}

/// How long a call can go on counting, in ms: a sliding window is counted in fifteenths.
fn reach_ms(window: Window) -> u64 {
    let length = window.length_ms();
    match window {
        Window::Sliding(_) => length + length.div_ceil(policy::quota::CELLS_PER_WINDOW),
        _ => length,
    }
}

fn principal(record: &Record) -> Principal<'_> {
    match &*record.grant {
        "anonymous" => Principal::Anonymous,
        value => Principal::Grant { source: "", issuer: "", value },
    }
}

fn charge<'c>(due: &'c Due<'_>, whose: &'c Whose) -> Charge<'c> {
    let limit = due.taking.limit;
    Charge {
        call: due.message,
        counter: CounterName { policy: due.policy, counter: &limit.counter },
        scope: match whose {
            Whose::Grant => ScopeValue::Grant,
            Whose::Session(id) => ScopeValue::Session(id.as_deref()),
            Whose::ClientIp(address) => ScopeValue::ClientIp(*address),
            Whose::Global | Whose::Unclear => ScopeValue::Global,
            Whose::Claim(name, value) => ScopeValue::Claim { name, value: value.as_deref() },
            Whose::Header(name, value) => ScopeValue::Header { name, value: value.as_deref() },
        },
        window: limit.window,
        unit: limit.unit,
        max: limit.max,
        amount: due.taking.amount,
    }
}

impl Whose {
    /// Whose count a scope means, by what is recorded.
    ///
    /// # Errors
    /// The path that would have to be.
    fn of(scope: &Scope, record: &Record, recall: &Recall<'_>) -> Result<Self, String> {
        Ok(match scope {
            Scope::Grant => Self::Grant,
            Scope::Session => match record.session.as_deref() {
                Some(UNCLEAR) => Self::Unclear,
                digest => Self::Session(digest.map(str::to_owned)),
            },
            Scope::ClientIp => Self::ClientIp(record.client_ip.as_deref().and_then(address)),
            Scope::Global => Self::Global,
            Scope::Claim(name) => Self::Claim(name.to_string(), recall.claim_text(name)?),
            Scope::Header(name) => match recall.header_text(name)? {
                Header::Absent => Self::Header(name.to_string(), None),
                Header::Once(value) => Self::Header(name.to_string(), Some(value.into_owned())),
                Header::Unclear => Self::Unclear,
            },
        })
    }
}

/// An address that stands for the one of a digest. IPv6 counts by its first 64 bits, of which the digest has enough.
fn address(digest: &str) -> Option<IpAddr> {
    let bits = u64::from_str_radix(digest.get(..16)?, 16).ok()?;
    Some(Ipv6Addr::from(u128::from(bits) << 64).into())
}

/// What Envoy's shared data is to the filter.
#[derive(Debug, Default)]
struct Memory(RefCell<HashMap<String, (Vec<u8>, u32)>>);

impl CounterStore for Memory {
    fn get(&self, shard: ShardId<'_>) -> Result<Option<(Vec<u8>, Cas)>, StoreError> {
        Ok(self.0.borrow().get(&shard.key()).map(|(value, cas)| (value.clone(), Cas(*cas))))
    }

    fn compare_and_swap(&self, shard: ShardId<'_>, value: &[u8], expected: Expected) -> Result<Swap, StoreError> {
        let mut shards = self.0.borrow_mut();
        let before = shards.get(&shard.key()).map(|(_, cas)| *cas);
        let next = match (before, expected) {
            (None, Expected::Absent) => 1,
            (Some(cas), Expected::Version(Cas(version))) if cas == version => cas.wrapping_add(1),
            _ => return Ok(Swap::Mismatch),
        };
        shards.insert(shard.key(), (value.to_vec(), next));
        Ok(Swap::Done)
    }
}
