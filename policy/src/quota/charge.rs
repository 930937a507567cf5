//! What a call owes: which counters it adds to, under whose name, and how much.

use std::net::IpAddr;

use super::Window;

/// One limit of one call: what it adds to a counter and the most that counter may hold.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// Which call of a batch this belongs to (any number for a call that comes alone). One call
    /// adds to one counter once, however many limits name the counter; the calls of a batch add up.
    pub call: usize,
    /// The counter as the policy names it.
    pub counter: CounterName<'a>,
    /// Whose count it is.
    pub scope: ScopeValue<'a>,
    /// How long the counter remembers.
    pub window: Window,
    /// What the counter counts.
    pub unit: Unit,
    /// The most that the window may hold, in `unit`. 0 refuses every positive amount.
    pub max: u64,
    /// What the call adds, in `unit`. 0 is always admitted and takes nothing.
    pub amount: u64,
}

/// A counter's name. Counters of different policies are different, whatever they are called, and so are a count of calls
/// within a time and one of calls that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterName<'a> {
    /// The policy's name in the plugin's configuration.
    pub policy: &'a str,
    /// The counter's name in the policy.
    pub counter: &'a str,
}

/// What a counter counts. Counters of different units are different counters: a count of calls says
/// nothing about amounts, so a counter whose unit is changed in the policy begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Calls.
    Calls,
    /// The number in an argument, in exact millionths.
    Millionths,
}

impl Unit {
    /// A count as a policy writes it: amounts as decimals.
    pub fn display(self, count: u64) -> String {
        match self {
            Self::Calls => count.to_string(),
            Self::Millionths => {
                let text = format!("{}.{:06}", count / 1_000_000, count % 1_000_000);
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
        }
    }
}

/// The value of a limit's scope for one call.
///
/// `None` stands for a call that lacks the value; all of those share one count, or one for each grant if it is a session
/// that they lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeValue<'a> {
    /// The grant itself.
    Grant,
    /// An MCP session *of the grant*: the same id under another grant is another session, so that
    /// nobody can spend somebody else's.
    Session(Option<&'a str>),
    /// The client's address, counted whoever calls from it. IPv6 counts by /64, an IPv4-mapped
    /// address as IPv4.
    ClientIp(Option<IpAddr>),
    /// The value of a claim (a team, a tenant), counted over all grants that carry it.
    Claim {
        /// The claim's name.
        name: &'a str,
        /// Its value.
        value: Option<&'a str>,
    },
    /// The value of a request header, counted over all grants that send it.
    Header {
        /// The header's name, in lower case.
        name: &'a str,
        /// Its value.
        value: Option<&'a str>,
    },
    /// Everybody.
    Global,
}

impl ScopeValue<'_> {
    /// Whether both are the same value. Many charges of a batch share one text, which is not compared with itself.
    fn equals(&self, other: &Self) -> bool {
        let same = |a: &Option<&str>, b: &Option<&str>| match (a, b) {
            (Some(a), Some(b)) => core::ptr::eq(*a, *b) || a == b,
            (None, None) => true,
            _ => false,
        };
        match (self, other) {
            (Self::Session(a), Self::Session(b)) => same(a, b),
            (Self::Claim { name, value: a }, Self::Claim { name: other, value: b })
            | (Self::Header { name, value: a }, Self::Header { name: other, value: b }) => name == other && same(a, b),
            _ => self == other,
        }
    }
}

/// Whose call it is. Equal values of different sources or issuers are different grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal<'a> {
    /// The credential that the call is made under.
    Grant {
        /// Where the value was found, for example `jwt_claim:sub`.
        source: &'a str,
        /// Who vouches for it; empty where the source has no issuers.
        issuer: &'a str,
        /// The value itself.
        value: &'a str,
    },
    /// No credential; all such calls share one grant.
    Anonymous,
}

/// The two clocks, read once per call. A call counts at the moment when they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// A monotonic clock that all workers share, in ms: sliding windows go by it.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970-01-01 UTC: calendar windows go by it. 0 where no charge has one, which saves a reading: a
    /// shard that has been written by the calendar wants it all the same ([`QuotaError::NoWallTime`](super::QuotaError)).
    pub wall_ms: u64,
}

impl Now {
    /// Of each clock, the later reading.
    pub(super) fn or_later(self, other: Self) -> Self {
        Self { monotonic_ms: self.monotonic_ms.max(other.monotonic_ms), wall_ms: self.wall_ms.max(other.wall_ms) }
    }
}

impl Charge<'_> {
    /// Whether both name one counter of one call, so that they add to it once.
    pub(super) fn adds_with(&self, other: &Self) -> bool {
        self.call == other.call && self.is_on_counter_of(other)
    }

    /// Whether both name one counter, but say different things about it or about what the call adds.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        self.is_on_counter_of(other)
            && (self.window != other.window
                || self.unit != other.unit
                || self.call == other.call && self.amount != other.amount)
    }

    fn is_on_counter_of(&self, other: &Self) -> bool {
        self.is_of_running() == other.is_of_running()
            && self.counter == other.counter
            && self.scope.equals(&other.scope)
    }

    fn is_of_running(&self) -> bool {
        self.window == Window::Running
    }
}
