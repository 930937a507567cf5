//! What a virtual machine's host functions work on: its contexts, and what waits until the guest returns.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, Weak};

use wasmtime::{Memory, StoreLimits, TypedFunc};

use crate::callouts::{CallResponse, CalloutId, Tokens};
use crate::half::{Direction, Half};
use crate::headers::HeaderMap;
use crate::metrics::MetricIds;
use crate::properties::Properties;
use crate::reply::{Reply, ReplyRequest};
use crate::shared::Shared;
use crate::vm::Vm;

/// Something that Envoy does once the guest's callback has returned.
#[derive(Debug)]
pub(crate) enum Action {
    Reply {
        stream: u32,
        reply: ReplyRequest,
    },
    Resume {
        stream: u32,
        direction: Direction,
    },
    Close {
        stream: u32,
    },
    /// The guest wrote more into a held body than the buffer limit allows.
    TooLarge {
        stream: u32,
        direction: Direction,
    },
    /// A callback about a callout is over: what it could read is gone.
    EndOfAnswer {
        root: u32,
    },
    /// A gRPC callout that could not even be sent still closes.
    GrpcClosed {
        root: u32,
        token: u32,
    },
    /// `proxy_done` was called: the pending root contexts that said so are deleted.
    FinishShutdown,
}

/// The life of a root context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RootPhase {
    Live,
    /// It refused its configuration. Envoy keeps it, but gives it no stream.
    Refused,
    /// Replaced by a newer configuration; streams still use it.
    Draining,
    /// `proxy_on_done` answered false: it waits for `proxy_done`.
    PendingDone,
    /// `proxy_done` was called; `proxy_on_delete` comes after the running callback.
    PendingDelete,
}

/// One plugin configuration in one virtual machine.
#[derive(Debug)]
pub(crate) struct Root {
    pub(crate) phase: RootPhase,
    /// The configuration that this root was made for; two roots never have the same.
    pub(crate) configuration: Arc<[u8]>,
    /// The plugin configuration can be read now.
    pub(crate) configuring: bool,
    /// Milliseconds; 0 is off.
    pub(crate) tick_period: u32,
    pub(crate) streams: usize,
    pub(crate) call_response: Option<CallResponse>,
    pub(crate) grpc_initial: Option<HeaderMap>,
    pub(crate) grpc_trailing: Option<HeaderMap>,
    pub(crate) grpc_message: Option<Vec<u8>>,
    pub(crate) status: (u32, String),
    /// The callouts under way, by token.
    pub(crate) callouts: HashMap<u32, CalloutId>,
}

impl Root {
    pub(crate) fn new(configuration: Arc<[u8]>) -> Self {
        Root {
            phase: RootPhase::Live,
            configuration,
            configuring: false,
            tick_period: 0,
            streams: 0,
            call_response: None,
            grpc_initial: None,
            grpc_trailing: None,
            grpc_message: None,
            status: (0, String::new()),
            callouts: HashMap::new(),
        }
    }
}

/// One HTTP stream: Envoy's filter manager and the filter's context.
#[derive(Debug, Default)]
pub(crate) struct HttpStream {
    pub(crate) root: u32,
    /// Envoy left the filter out of this stream's chain.
    pub(crate) unfiltered: bool,
    /// `proxy_on_context_create` was called, or would have been.
    pub(crate) created: bool,
    /// Log, done and delete are behind it; only the test still looks at it.
    pub(crate) destroyed: bool,
    pub(crate) request: Half,
    pub(crate) response: Half,
    /// The end-of-stream flag of the last callback, of either direction.
    pub(crate) end_of_stream: bool,
    pub(crate) log_phase: bool,
    /// The direction whose callback is running.
    pub(crate) calling: Option<Direction>,
    /// A local reply that waits for the running request callback to return.
    pub(crate) prepared: Option<Reply>,
    pub(crate) request_aborted: bool,
    pub(crate) response_aborted: bool,
    /// The client has been sent everything that it will be sent.
    pub(crate) complete: bool,
    pub(crate) stream_failed: bool,
    pub(crate) failure_reply_sent: bool,
    pub(crate) filter_replied: bool,
    pub(crate) reply: Option<Reply>,
    pub(crate) details: Option<String>,
    pub(crate) properties: Properties,
    pub(crate) filter_state: BTreeMap<String, Vec<u8>>,
    pub(crate) head: bool,
    pub(crate) grpc: bool,
}

impl HttpStream {
    pub(crate) fn half(&self, direction: Direction) -> &Half {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }

    pub(crate) fn half_mut(&mut self, direction: Direction) -> &mut Half {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// Whether a direction's filter chain takes nothing more.
    pub(crate) fn is_stopped(&self, direction: Direction) -> bool {
        let aborted = match direction {
            Direction::Request => self.request_aborted,
            Direction::Response => self.response_aborted,
        };
        aborted || self.complete || self.destroyed
    }
}

/// The data of one wasmtime store.
pub(crate) struct VmState {
    pub(crate) shared: Arc<Shared>,
    pub(crate) serial: u64,
    pub(crate) this: Weak<Mutex<Vm>>,
    pub(crate) limits: StoreLimits,
    pub(crate) memory: Option<Memory>,
    pub(crate) allocate: Option<TypedFunc<u32, u32>>,
    /// During `_initialize`: the proxy functions but logging trap.
    pub(crate) restricted: bool,
    pub(crate) failed: bool,
    pub(crate) current: u32,
    pub(crate) effective: u32,
    /// A local reply was asked for in this callback: whatever it returns, the stream stops.
    pub(crate) stop_next: bool,
    pub(crate) actions: VecDeque<Action>,
    pub(crate) roots: BTreeMap<u32, Root>,
    pub(crate) streams: HashMap<u32, HttpStream>,
    pub(crate) last_context: u32,
    pub(crate) metrics: MetricIds,
    pub(crate) tokens: Tokens,
    pub(crate) fuel_used: u64,
}

impl VmState {
    pub(crate) fn new(shared: Arc<Shared>, limits: StoreLimits) -> Self {
        VmState {
            serial: shared.next_vm_serial(),
            shared,
            this: Weak::new(),
            limits,
            memory: None,
            allocate: None,
            restricted: false,
            failed: false,
            current: 0,
            effective: 0,
            stop_next: false,
            actions: VecDeque::new(),
            roots: BTreeMap::new(),
            streams: HashMap::new(),
            last_context: 0,
            metrics: MetricIds::default(),
            tokens: Tokens::default(),
            fuel_used: 0,
        }
    }

    pub(crate) fn new_context_id(&mut self) -> u32 {
        self.last_context += 1;
        self.last_context
    }

    /// Whether a context exists for the guest. Number 0 is the virtual machine itself.
    pub(crate) fn has_context(&self, id: u32) -> bool {
        id == 0 || self.roots.contains_key(&id) || self.live_stream(id).is_some()
    }

    pub(crate) fn live_stream(&self, id: u32) -> Option<&HttpStream> {
        self.streams.get(&id).filter(|stream| !stream.destroyed)
    }

    /// The context that host functions act on: the effective one, while it exists, else that of the callback.
    pub(crate) fn context(&self) -> u32 {
        if self.effective != 0 && self.has_context(self.effective) { self.effective } else { self.current }
    }

    /// The stream that host functions act on, if that context is a stream.
    pub(crate) fn stream(&mut self) -> Option<&mut HttpStream> {
        let id = self.context();
        self.streams.get_mut(&id).filter(|stream| !stream.destroyed)
    }

    /// The root context above the acting context.
    pub(crate) fn root_id(&self) -> u32 {
        let id = self.context();
        self.streams.get(&id).map_or(id, |stream| stream.root)
    }

    pub(crate) fn root(&mut self) -> Option<&mut Root> {
        let id = self.root_id();
        self.roots.get_mut(&id)
    }
}
