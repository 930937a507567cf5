//! Whether this worker may hold the head of a request until its body is judged.
//!
//! Envoy must be told to (`allow_on_headers_stop_iteration`): otherwise a head that is held stops the body as well, and
//! nothing would ever come of the request.

use std::cell::Cell;

use policy::config::RequestHeaders;

use crate::host::{self, Level};

/// How often the filter looks whether bodies come, in ms, until one has.
pub(crate) const TICK_MS: u32 = 500;
/// How many ticks a held request may wait for its first byte, before it is seen that none comes.
const PATIENCE: u8 = 3;

/// What this worker knows of holding.
pub(crate) struct Hold(Cell<State>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Heads go on at once.
    Off,
    /// Heads are held; no body has come for one yet.
    Untried,
    /// Heads are held, and bodies come. A client that is slow with its first one can no longer look like an Envoy
    /// that withholds it.
    Works,
}

impl Hold {
    pub(crate) fn new(configured: RequestHeaders) -> Self {
        if configured == RequestHeaders::Stream {
            return Self(Cell::new(State::Off));
        }
        Self(Cell::new(State::Untried))
    }

    /// Whether heads are held.
    pub(crate) fn is_on(&self) -> bool {
        self.0.get() != State::Off
    }

    /// Whether a request that has waited for so many ticks is stuck.
    pub(crate) fn gives_up(&self, ticks: u8) -> bool {
        self.0.get() == State::Untried && ticks >= PATIENCE
    }

    /// A body has come for a head that was held.
    pub(crate) fn works(&self) {
        if self.0.get() == State::Untried {
            self.0.set(State::Works);
        }
    }

    /// A tick has passed, and some request was stuck or none.
    pub(crate) fn tick(&self, stuck: bool) {
        if stuck {
            self.0.set(State::Off);
            host::log(
                Level::Error,
                "mcp_policy: Envoy delivers no body while a request's head is held: set \
                 allow_on_headers_stop_iteration: true in the plugin's configuration, or \"request_headers\": \"stream\" \
                 in the policy's; this worker goes on in stream mode",
            );
        }
    }

    /// Whether it has to be looked after by ticks.
    pub(crate) fn is_untried(&self) -> bool {
        self.0.get() == State::Untried
    }
}
