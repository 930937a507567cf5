//! Root contexts: one per configuration in a virtual machine.

use std::sync::Arc;

use crate::error::StartCause;
use crate::shared::lock;
use crate::state::{Root, RootPhase};
use crate::vm::{Vm, as_u32};

impl Vm {
    /// Makes a root context for a configuration, starts and configures it.
    pub(crate) fn start_plugin(&mut self, configuration: &Arc<[u8]>) -> Result<u32, StartCause> {
        let id = self.state_mut().new_context_id();
        self.state_mut().roots.insert(id, Root::new(Arc::clone(configuration)));
        let started = self.start_root(id, configuration.len());
        if started.is_err()
            && let Some(root) = self.state_mut().roots.get_mut(&id)
        {
            root.phase = RootPhase::Refused;
        }
        started.map(|()| id)
    }

    fn start_root(&mut self, id: u32, configuration_length: usize) -> Result<(), StartCause> {
        let exports = self.exports();
        self.set_configuring(id, true);
        if let Some(create) = &exports.on_context_create {
            self.enter(id, "proxy_on_context_create", create, (id, 0));
        }
        self.set_configuring(id, false);
        let length = as_u32(self.state().shared.settings.vm_configuration.len());
        let mut accepted = true;
        if let Some(start) = &exports.on_vm_start {
            accepted = self.enter(id, "proxy_on_vm_start", start, (id, length)).is_some_and(|answer| answer != 0);
        }
        self.after_callback();
        self.trapped()?;
        if !accepted {
            return Err(StartCause::VmStartRefused);
        }
        self.set_configuring(id, true);
        if let Some(configure) = &exports.on_configure {
            let length = as_u32(configuration_length);
            accepted = self.enter(id, "proxy_on_configure", configure, (id, length)).is_some_and(|answer| answer != 0);
        }
        self.set_configuring(id, false);
        self.after_callback();
        self.trapped()?;
        if accepted { Ok(()) } else { Err(StartCause::ConfigureRefused) }
    }

    fn set_configuring(&mut self, id: u32, configuring: bool) {
        if let Some(root) = self.state_mut().roots.get_mut(&id) {
            root.configuring = configuring;
        }
    }

    /// The newest root made for this configuration that streams may still be given to.
    pub(crate) fn live_root(&self, configuration: &[u8]) -> Option<u32> {
        let mut roots = self.state().roots.iter().rev();
        roots
            .find(|(_, root)| root.phase == RootPhase::Live && *root.configuration == *configuration)
            .map(|(id, _)| *id)
    }

    /// A newer configuration took over: the root goes as soon as its last stream has gone.
    pub(crate) fn retire_root(&mut self, id: u32) {
        if let Some(root) = self.state_mut().roots.get_mut(&id)
            && root.phase == RootPhase::Live
        {
            root.phase = RootPhase::Draining;
        }
        self.shut_down_if_drained(id);
    }

    /// Envoy lets a machine go: its root contexts are done and deleted.
    pub(crate) fn shut_down(&mut self) {
        let roots: Vec<u32> = self.state().roots.keys().copied().collect();
        for id in roots {
            if let Some(root) = self.state_mut().roots.get_mut(&id) {
                root.phase = RootPhase::Draining;
            }
            self.shut_down_if_drained(id);
        }
    }

    pub(crate) fn shut_down_if_drained(&mut self, id: u32) {
        let drained = |root: &&Root| root.phase == RootPhase::Draining && root.streams == 0;
        if self.state().roots.get(&id).filter(drained).is_none() {
            return;
        }
        let exports = self.exports();
        let mut done = true;
        if let Some(on_done) = &exports.on_done {
            done = self.enter(id, "proxy_on_done", on_done, id).is_none_or(|answer| answer != 0);
        }
        self.after_callback();
        if done {
            self.delete_root(id);
        } else if let Some(root) = self.state_mut().roots.get_mut(&id) {
            root.phase = RootPhase::PendingDone;
        }
    }

    fn delete_root(&mut self, id: u32) {
        self.on_delete(id);
        if let Some(root) = self.state_mut().roots.remove(&id) {
            // Envoy cancels what a root context has under way when it goes.
            let mut pending = lock(&self.state().shared.pending);
            root.callouts.values().for_each(|callout| drop(pending.remove(callout)));
        }
    }

    /// Deletes the roots that called `proxy_done`.
    pub(crate) fn finish_shutdown(&mut self) {
        let roots = self.state().roots.iter();
        let ready: Vec<u32> =
            roots.filter(|(_, root)| root.phase == RootPhase::PendingDelete).map(|(id, _)| *id).collect();
        ready.into_iter().for_each(|id| self.delete_root(id));
    }
}
