//! Envoy's worker threads, each with virtual machines of its own.

use std::sync::{Arc, Mutex};

use crate::clock::nanoseconds;
use crate::engine::Module;
use crate::error::{Fault, StartCause};
use crate::shared::{FailPolicy, Shared, lock};
use crate::state::HttpStream;
use crate::stream::{Stream, StreamBuilder};
use crate::vm::Vm;

/// What one worker runs now.
#[derive(Debug)]
pub(crate) struct WorkerState {
    pub(crate) vm: Arc<Mutex<Vm>>,
    /// The root context that new streams get; none if the worker's own `proxy_on_configure` refused: they get no
    /// filter then.
    pub(crate) root: Option<u32>,
    /// When the machine was last built, in nanoseconds of the monotonic clock.
    pub(crate) loaded_at: u64,
}

/// Everything that a worker needs to be driven from any thread.
#[derive(Debug)]
pub(crate) struct WorkerInner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) module: Module,
    pub(crate) configuration: Mutex<Arc<[u8]>>,
    pub(crate) state: Mutex<WorkerState>,
}

impl WorkerInner {
    pub(crate) fn start(shared: &Arc<Shared>, module: &Module, configuration: &Arc<[u8]>) -> Result<Self, StartCause> {
        let vm = Vm::load(module, shared)?;
        let root = start_in_new_machine(shared, &vm, configuration);
        let loaded_at = shared.clock.monotonic();
        Ok(WorkerInner {
            shared: Arc::clone(shared),
            module: module.clone(),
            configuration: Mutex::new(Arc::clone(configuration)),
            state: Mutex::new(WorkerState { vm, root, loaded_at }),
        })
    }

    /// A configuration that the canary accepted. The machine is kept, unless it has failed.
    pub(crate) fn reconfigure(&self, configuration: &Arc<[u8]>) {
        *lock(&self.configuration) = Arc::clone(configuration);
        let mut state = lock(&self.state);
        if lock(&state.vm).state().failed {
            state.loaded_at = self.shared.clock.monotonic();
            if let Ok(vm) = Vm::load(&self.module, &self.shared) {
                state.root = start_in_new_machine(&self.shared, &vm, configuration);
                state.vm = vm;
            }
            return;
        }
        let mut vm = lock(&state.vm);
        let old = state.root;
        let new = vm.live_root(configuration).or_else(|| vm.start_plugin(configuration).ok());
        if new.is_none() {
            self.shared.fault(Fault::Unfiltered);
        }
        if let Some(old) = old.filter(|old| Some(*old) != new) {
            vm.retire_root(old);
        }
        drop(vm);
        state.root = new;
    }

    /// Envoy looks for a failed machine when a stream begins, and builds another at most once per backoff.
    fn reload_if_due(&self, state: &mut WorkerState) {
        let settings = &self.shared.settings;
        let waited = self.shared.clock.monotonic().saturating_sub(state.loaded_at);
        let due = waited >= nanoseconds(settings.reload_backoff);
        if settings.fail_policy == FailPolicy::Reload && due && lock(&state.vm).state().failed {
            self.rebuild(state);
        }
    }

    /// A new machine that does not come up either leaves the failed one in its place.
    fn rebuild(&self, state: &mut WorkerState) {
        state.loaded_at = self.shared.clock.monotonic();
        let Ok(vm) = Vm::load(&self.module, &self.shared) else { return };
        let configuration = Arc::clone(&lock(&self.configuration));
        let Ok(root) = lock(&vm).start_plugin(&configuration) else { return };
        (state.vm, state.root) = (vm, Some(root));
    }
}

/// The canary has accepted this configuration. Should this machine refuse it all the same, Envoy lets the machine go,
/// and leaves the filter out of the worker's streams.
fn start_in_new_machine(shared: &Shared, vm: &Mutex<Vm>, configuration: &Arc<[u8]>) -> Option<u32> {
    let mut vm = lock(vm);
    let root = vm.start_plugin(configuration).ok();
    if root.is_none() {
        shared.fault(Fault::Unfiltered);
        vm.shut_down();
    }
    root
}

/// A handle on one worker; it can be cloned and sent to a thread of its own.
#[derive(Debug, Clone)]
pub struct Worker {
    pub(crate) inner: Arc<WorkerInner>,
}

impl Worker {
    /// A stream whose properties can be set before its headers are sent.
    pub fn stream(&self) -> StreamBuilder {
        StreamBuilder::new(self.clone())
    }

    /// Sends request headers; a body or trailers will follow.
    pub fn request<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, headers: &[(K, V)]) -> Stream {
        self.stream().request_headers(headers)
    }

    /// Sends a request that has no body.
    pub fn request_without_body<K: AsRef<[u8]>, V: AsRef<[u8]>>(&self, headers: &[(K, V)]) -> Stream {
        self.stream().request_without_body(headers)
    }

    /// The timer goes off: `proxy_on_tick` in each root context that set a tick period.
    pub fn tick(&self) {
        lock(&self.vm()).tick();
    }

    /// The shortest tick period that a root context of this worker has set, in milliseconds.
    pub fn tick_period(&self) -> Option<u32> {
        let vm = self.vm();
        let vm = lock(&vm);
        vm.state().roots.values().map(|root| root.tick_period).filter(|period| *period > 0).min()
    }

    /// The number of root contexts: more than one while an old configuration drains.
    pub fn roots(&self) -> usize {
        lock(&self.vm()).state().roots.len()
    }

    /// Whether the virtual machine has failed.
    pub fn has_failed(&self) -> bool {
        lock(&self.vm()).state().failed
    }

    /// The size of the guest's memory in bytes. It never shrinks.
    pub fn memory_bytes(&self) -> usize {
        lock(&self.vm()).memory_bytes()
    }

    /// Fuel that this virtual machine has burnt since it was built: about one unit per WebAssembly instruction.
    pub fn fuel_used(&self) -> u64 {
        lock(&self.vm()).state().fuel_used
    }

    fn vm(&self) -> Arc<Mutex<Vm>> {
        Arc::clone(&lock(&self.inner.state).vm)
    }

    /// A context id for a new stream, and the machine that it lives in.
    pub(crate) fn open(&self, stream: HttpStream) -> (Arc<Mutex<Vm>>, u32) {
        let mut state = lock(&self.inner.state);
        self.inner.reload_if_due(&mut state);
        let mut vm = lock(&state.vm);
        let id = vm.state_mut().new_context_id();
        let root = state.root.unwrap_or_default();
        let opened = vm.state().failed && self.inner.shared.settings.fail_policy == FailPolicy::Open;
        let unfiltered = opened || state.root.is_none();
        if let Some(root) = vm.state_mut().roots.get_mut(&root) {
            root.streams += 1;
        }
        vm.state_mut().streams.insert(id, HttpStream { root, unfiltered, ..stream });
        drop(vm);
        (Arc::clone(&state.vm), id)
    }
}
