//! One HTTP exchange, from phase to phase.
//!
//! ```text
//! Start ─ headers ─┬─ Passing                       nothing to judge
//!                  ├─ Bodyless                      GET, DELETE, OPTIONS: a body byte is refused
//!                  ├─ Body ─ body held to its end ──┬─ Asking ─┐    a rate-limit service is asked
//!                  │                                ├──────────┴─ Passing   judged; the answer cannot hold a listing
//!                  │                                └─ Answer ─ response headers ─┬─ Document  held to its end
//!                  └─ (GET of an event stream) ──────── Answer ───────────────────┴─ Events    event by event
//!   any phase ─ refusal ─ Replied
//! ```

mod asking;
mod ending;
mod head;
mod refuse;
mod request;
mod response;

use std::rc::Rc;

use policy::config::Transport;
use policy::listing::EventStream;
use policy::message::Id;

use self::asking::Asking;
use crate::admission::Admission;
use crate::caller::Caller;
use crate::host::Headers;
use crate::route::Policies;
use crate::runtime::Runtime;

/// What Envoy is told to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Action {
    Continue = 0,
    Pause = 1,
}

/// One HTTP exchange.
pub(crate) struct Stream {
    /// None if the plugin was never configured: then nothing can be judged.
    runtime: Option<Rc<Runtime>>,
    phase: Phase,
    /// The answer has begun before the request was whole, and gone on: the filter can no longer answer in the server's
    /// place.
    answered: bool,
    /// The answer has begun before the request was judged, and waits.
    answer_held: bool,
    /// The answer has ended before the request was judged.
    answer_over: bool,
    /// How many ticks the head has been held without a byte of the body.
    held_for: Option<u8>,
    /// What the admitted body holds or may be given back, until its answer has ended.
    admission: Option<Box<Admission>>,
    /// The requests of the admitted body.
    asked: Vec<Id>,
    /// The token of a question that has just been asked.
    token: Option<u32>,
}

enum Phase {
    Start,
    /// Nothing is left to look at.
    Passing,
    /// A request that must not have a body.
    Bodyless(Box<Exchange>),
    /// The body is being held until it can be judged.
    Body(Box<Exchange>),
    /// The body is held until a rate-limit service has answered.
    Asking(Box<Exchange>, Asking),
    /// The request went on, and its answer may hold a listing.
    Answer(Box<Exchange>, Awaited),
    /// The answer is one JSON document, held here to its end.
    Document(Box<Exchange>, Awaited, Vec<u8>),
    /// The answer is a stream of events, each held to its end.
    Events(Box<Exchange>, Awaited, Box<EventStream>),
    /// The answer could not be judged: no further byte of it passes.
    Stopped,
    /// The filter has answered. Envoy now runs the response callbacks for that answer, which must pass.
    Replied,
}

/// The requests that a client awaits answers to: one, those of a batch, or none on a stream that it opened by itself.
type Awaited = Vec<Id>;

/// What is known of a request once its headers are read.
pub(crate) struct Exchange {
    pub(crate) headers: Headers,
    pub(crate) policies: Policies,
    /// How messages travel where it goes.
    pub(crate) transport: Transport,
    pub(crate) caller: Caller,
    /// Answers to POSTs may travel on this stream: it is a GET.
    answers: bool,
    /// The answer may hold a listing.
    pub(crate) lists: bool,
    /// When the body was judged, in microseconds of the monotonic clock, if that is recorded. A rate-limit service may
    /// answer long after.
    pub(crate) judged_us: Option<u64>,
}

impl Stream {
    pub(crate) fn new(runtime: Option<Rc<Runtime>>) -> Self {
        Self {
            runtime,
            phase: Phase::Start,
            answered: false,
            answer_held: false,
            answer_over: false,
            held_for: None,
            admission: None,
            asked: vec![],
            token: None,
        }
    }

    /// Counts a tick for a request of this runtime whose head is held. Says whether it has waited too long.
    pub(crate) fn waits_too_long(&mut self, runtime: &Rc<Runtime>) -> bool {
        let own = self.runtime.as_ref().is_some_and(|own| Rc::ptr_eq(own, runtime));
        match &mut self.held_for {
            Some(ticks) if own => {
                *ticks = ticks.saturating_add(1);
                runtime.hold.gives_up(*ticks)
            }
            _ => false,
        }
    }
}
