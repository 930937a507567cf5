//! One virtual machine: an instance of the module, entered one callback at a time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use wasmtime::{Store, StoreLimitsBuilder, TypedFunc, WasmParams, WasmResults};

use crate::engine::{Module, linker};
use crate::error::{Fault, StartCause};
use crate::exports::Exports;
use crate::logs::Level;
use crate::shared::{Shared, lock};
use crate::state::{Action, VmState};

/// An instance of the module, with its contexts.
pub(crate) struct Vm {
    pub(crate) store: Store<VmState>,
    exports: Arc<Exports>,
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm").field("serial", &self.state().serial).finish_non_exhaustive()
    }
}

impl Vm {
    /// Instantiates the module and runs `_initialize` (or `_start`), where the guest may do little but log.
    pub(crate) fn load(module: &Module, shared: &Arc<Shared>) -> Result<Arc<Mutex<Vm>>, StartCause> {
        let limits = StoreLimitsBuilder::new().memory_size(shared.settings.memory_limit).build();
        let mut store = Store::new(module.engine(), VmState::new(Arc::clone(shared), limits));
        store.limiter(|state| &mut state.limits);
        let fuel = shared.settings.fuel_limit;
        store.set_fuel(fuel).map_err(|error| StartCause::Trap(format!("{error:#}")))?;
        store.data_mut().restricted = true;
        let linker = linker().map_err(|error| StartCause::Link(format!("{error:#}")))?;
        let instance = linker.instantiate(&mut store, module).map_err(|error| {
            let why = format!("{error:#}");
            if error.is::<wasmtime::Trap>() { StartCause::Trap(why) } else { StartCause::Link(why) }
        })?;
        let exports = Arc::new(Exports::find(&instance, &mut store)?);
        let vm = Arc::new(Mutex::new(Vm { store, exports }));
        let mut guard = lock(&vm);
        guard.state_mut().this = Arc::downgrade(&vm);
        guard.initialize()?;
        drop(guard);
        Ok(vm)
    }

    fn initialize(&mut self) -> Result<(), StartCause> {
        let exports = Arc::clone(&self.exports);
        if let Some(initialize) = &exports.initialize {
            self.enter(0, "_initialize", initialize, ());
            if let Some(main) = &exports.main {
                self.enter(0, "main", main, (0, 0));
            } else if let Some(main) = &exports.main_void {
                self.enter(0, "__main_void", main, ());
            }
        } else if let Some(start) = &exports.start {
            self.enter(0, "_start", start, ());
        }
        self.state_mut().restricted = false;
        self.after_callback();
        self.trapped()
    }

    /// An error if the machine has failed, with the trap that it failed by.
    pub(crate) fn trapped(&self) -> Result<(), StartCause> {
        if !self.state().failed {
            return Ok(());
        }
        let message = lock(&self.state().shared.faults).iter().rev().find_map(|fault| match fault {
            Fault::Trap { message, .. } => Some(message.clone()),
            _ => None,
        });
        Err(StartCause::Trap(message.unwrap_or_default()))
    }

    pub(crate) fn on_delete(&mut self, id: u32) {
        let exports = Arc::clone(&self.exports);
        if let Some(on_delete) = &exports.on_delete {
            self.enter(id, "proxy_on_delete", on_delete, id);
        }
        self.after_callback();
    }

    /// `proxy_on_tick` of each root context that asked for ticks.
    pub(crate) fn tick(&mut self) {
        let exports = Arc::clone(&self.exports);
        let Some(on_tick) = &exports.on_tick else { return };
        let roots = self.state().roots.iter();
        let ticking: Vec<u32> = roots.filter(|(_, root)| root.tick_period > 0).map(|(id, _)| *id).collect();
        for id in ticking {
            self.enter(id, "proxy_on_tick", on_tick, id);
            self.after_callback();
        }
    }

    /// Runs one export in a context. `None` if the machine has failed, before or during the call.
    pub(crate) fn enter<P: WasmParams, R: WasmResults>(
        &mut self,
        context: u32,
        name: &'static str,
        function: &TypedFunc<P, R>,
        arguments: P,
    ) -> Option<R> {
        if self.state().failed {
            return None;
        }
        let saved = (self.state().current, self.state().effective);
        (self.state_mut().current, self.state_mut().effective) = (context, 0);
        let fuel = self.state().shared.settings.fuel_limit;
        let before = self.store.set_fuel(fuel);
        let result = before.and_then(|()| function.call(&mut self.store, arguments));
        let left = self.store.get_fuel().unwrap_or_default();
        let state = self.state_mut();
        (state.current, state.effective) = saved;
        state.fuel_used += fuel.saturating_sub(left);
        match result {
            Ok(answer) if !state.failed => Some(answer),
            Ok(_) => None,
            Err(error) => {
                state.failed = true;
                let message = format!("{error:#}");
                state.shared.log(Level::Critical, format!("Function: {name} failed: {message}"));
                state.shared.fault(Fault::Trap { callback: name, message });
                None
            }
        }
    }

    /// What Envoy does when it is back from the guest: the deferred actions, in the order they were asked for.
    pub(crate) fn after_callback(&mut self) {
        self.state_mut().stop_next = false;
        while let Some(action) = self.state_mut().actions.pop_front() {
            match action {
                Action::Reply { stream, reply } => self.local_reply(stream, reply),
                Action::Resume { stream, direction } => self.resume_from_guest(stream, direction),
                Action::Close { stream } => self.close_stream(stream),
                Action::TooLarge { stream, direction } => self.too_large(stream, direction),
                Action::EndOfAnswer { root } => self.end_answer(root),
                Action::GrpcClosed { root, token } => self.grpc_closed(root, token, 14, "upstream unavailable"),
                Action::FinishShutdown => self.finish_shutdown(),
            }
        }
    }

    pub(crate) fn exports(&self) -> Arc<Exports> {
        Arc::clone(&self.exports)
    }

    pub(crate) fn state(&self) -> &VmState {
        self.store.data()
    }

    pub(crate) fn state_mut(&mut self) -> &mut VmState {
        self.store.data_mut()
    }

    pub(crate) fn actions(&mut self) -> &mut VecDeque<Action> {
        &mut self.state_mut().actions
    }

    /// The size of the guest's memory in bytes. It never shrinks.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.state().memory.map_or(0, |memory| memory.data_size(&self.store))
    }
}

pub(crate) fn as_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
