//! What a client gets to see of what a server says.

use std::cell::Cell;

use policy::decision::{Refusal, Target};
use policy::listing::{Kind, Reason, Shown, Unreadable};
use policy::message::Id;
use policy::reply::{self, Style};

use crate::endpoint;
use crate::host::{self, Level};
use crate::pins::Sightings;
use crate::runtime::Runtime;
use crate::stream::Exchange;

/// What all policies of a request show of its answer.
pub(crate) struct ShownTo<'r> {
    runtime: &'r Runtime,
    exchange: &'r Exchange,
    hid: Cell<bool>,
    sightings: Sightings,
    /// Why the server may not ask what it asked last.
    denied: Cell<Option<Refusal<'r>>>,
}

impl<'r> ShownTo<'r> {
    pub(crate) fn new(runtime: &'r Runtime, exchange: &'r Exchange) -> Self {
        Self { runtime, exchange, hid: Cell::new(false), sightings: Sightings::default(), denied: Cell::new(None) }
    }

    /// What takes the place of a message that does not pass, for those who await an answer.
    pub(crate) fn instead(&self, unreadable: &Unreadable, awaited: &[Id]) -> Vec<u8> {
        match (unreadable.reason, self.denied.take()) {
            (Reason::DeniedRequest | Reason::DeniedInput, Some(refusal)) => {
                let style = Style::of(&self.runtime.config);
                if awaited.is_empty() {
                    return reply::invalid(reply::DENIED, &refusal.reason);
                }
                reply::each(awaited, |id| reply::refusal(id, &Target::Method, &refusal, None, style))
            }
            _ => {
                self.runtime.metrics.lists_withheld.increment();
                host::log(Level::Warn, &format!("mcp_policy: an answer was withheld: {unreadable}"));
                reply::withheld(awaited, "it cannot be read")
            }
        }
    }

    /// Has all workers know what was seen of pinned tools.
    pub(crate) fn share_sightings(&self) {
        if let Some((_, lock)) = self.runtime.lock(&self.exchange.policies) {
            self.sightings.share(self.runtime, lock);
        }
    }

    /// Whether something was asked for that is not shown.
    pub(crate) fn hid_something(&self) -> bool {
        self.hid.get()
    }
}

impl Shown for ShownTo<'_> {
    fn shows(&self, kind: Kind, name: &str) -> bool {
        let Exchange { policies, .. } = self.exchange;
        let lock = self.runtime.lock(policies).map(|(_, lock)| lock);
        let shows = self.runtime.policies(policies).all(|(_, policy)| policy.shows(kind, name, lock));
        self.hid.set(self.hid.get() || !shows);
        shows
    }

    fn shows_entry(&self, kind: Kind, name: &str, entry: &[u8]) -> bool {
        let is_pinned = match self.runtime.lock(&self.exchange.policies) {
            Some((_, lock)) if kind == Kind::Tools => self.sightings.look(lock, name, entry),
            _ => true,
        };
        self.hid.set(self.hid.get() || !is_pinned);
        self.shows(kind, name) && is_pinned
    }

    fn judges_listings(&self) -> bool {
        self.exchange.lists && self.runtime.looks(&self.exchange.policies).listings
    }

    fn passes_method(&self, method: &str) -> bool {
        let mut policies = self.runtime.policies(&self.exchange.policies);
        match policies.find_map(|(_, policy)| policy.denies_of_server(method)) {
            Some(refusal) => {
                self.runtime.metrics.refusal(refusal.kind).increment();
                host::log(Level::Info, &format!("mcp_policy: denied: what the server asks, by {}", refusal.rule));
                self.denied.set(Some(refusal));
                false
            }
            None => true,
        }
    }

    fn judges_methods(&self) -> bool {
        self.runtime.looks(&self.exchange.policies).servers
    }

    fn shows_endpoint(&self, uri: &str) -> bool {
        endpoint::is_policed(self.runtime, self.exchange, uri)
    }
}
