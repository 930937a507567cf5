//! What a client gets to see of what a server says.

use std::cell::Cell;

use policy::listing::{Kind, Shown};

use crate::endpoint;
use crate::runtime::Runtime;
use crate::stream::Exchange;

/// What all policies of a request show of its answer.
pub(crate) struct ShownTo<'r> {
    runtime: &'r Runtime,
    exchange: &'r Exchange,
    hid: Cell<bool>,
}

impl<'r> ShownTo<'r> {
    pub(crate) fn new(runtime: &'r Runtime, exchange: &'r Exchange) -> Self {
        Self { runtime, exchange, hid: Cell::new(false) }
    }

    /// Whether something was asked for that is not shown.
    pub(crate) fn hid_something(&self) -> bool {
        self.hid.get()
    }
}

impl Shown for ShownTo<'_> {
    fn shows(&self, kind: Kind, name: &str) -> bool {
        let shows = self.runtime.policies(&self.exchange.policies).all(|(_, policy)| policy.shows(kind, name));
        self.hid.set(self.hid.get() || !shows);
        shows
    }

    fn shows_endpoint(&self, uri: &str) -> bool {
        endpoint::is_policed(self.runtime, self.exchange, uri)
    }
}
