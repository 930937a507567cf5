//! The host: Envoy's process, as far as a filter can tell.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::builder::{Builder, canary};
use crate::callouts::{Answer, Callout, CalloutId, Cluster};
use crate::engine::{Module, ModuleSource, compile};
use crate::error::{Fault, HostError, StartError};
use crate::logs::Level;
use crate::shared::{Shared, lock};
use crate::worker::{Worker, WorkerInner};

/// A running host.
///
/// # Panics
/// When it is dropped with [`Fault`]s that the test did not take: they are what a filter must never do.
#[derive(Debug)]
pub struct Host {
    pub(crate) shared: Arc<Shared>,
    pub(crate) module: Module,
    /// The main thread, then the workers.
    pub(crate) threads: Vec<Arc<WorkerInner>>,
}

impl Host {
    /// Begins with a module: a file, bytes, or (in builds with wasmtime's `wat` feature) text.
    ///
    /// # Errors
    /// If it cannot be read or compiled.
    pub fn builder<S: ModuleSource + ?Sized>(module: &S) -> Result<Builder, HostError> {
        Ok(Builder::new(compile(&module.module_bytes()?)?))
    }

    /// A worker, counted from 0.
    ///
    /// # Panics
    /// If there are not that many.
    pub fn worker(&self, index: usize) -> Worker {
        let workers = self.workers();
        assert!(index < workers.len(), "there are {} workers", workers.len());
        workers[index].clone()
    }

    /// All workers.
    pub fn workers(&self) -> Vec<Worker> {
        self.threads.iter().skip(1).map(|inner| Worker { inner: Arc::clone(inner) }).collect()
    }

    /// The main thread: it has a virtual machine and ticks as the workers do, but in Envoy no stream comes its way.
    pub fn main_thread(&self) -> Worker {
        Worker { inner: Arc::clone(&self.threads[0]) }
    }

    /// Gives the plugin another configuration: a new root context in each worker's machine. Streams that have begun
    /// stay with the old one, which is shut down when the last of them has ended. The same configuration again
    /// changes nothing.
    ///
    /// # Errors
    /// If the main thread's canary refuses it. The old one then stays.
    pub fn reconfigure(&self, configuration: impl AsRef<[u8]>) -> Result<(), StartError> {
        let configuration: Arc<[u8]> = configuration.as_ref().into();
        canary(&self.shared, &self.module, &configuration).map_err(|cause| StartError::new(cause, self.logs()))?;
        self.threads.iter().for_each(|thread| thread.reconfigure(&configuration));
        Ok(())
    }

    /// What was logged so far, at any level.
    pub fn logs(&self) -> Vec<(Level, String)> {
        lock(&self.shared.logs).clone()
    }

    /// Counters and gauges by the name that the guest gave. Envoy shows them as `wasmcustom.NAME`.
    pub fn metrics(&self) -> BTreeMap<String, u64> {
        lock(&self.shared.statistics).values.clone()
    }

    /// The samples of each histogram, in order.
    pub fn histograms(&self) -> BTreeMap<String, Vec<u64>> {
        lock(&self.shared.statistics).histograms.clone()
    }

    /// The shared data of the plugin's `vm_id`.
    pub fn shared_data(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        lock(&self.shared.data).snapshot(&self.shared.settings.vm_id)
    }

    /// Writes shared data, as another plugin with the same `vm_id` would.
    pub fn set_shared_data(&self, key: &[u8], value: &[u8]) {
        // Without a compare-and-swap number nothing can refuse it.
        lock(&self.shared.data).set(&self.shared.settings.vm_id, key, value, 0).ok();
    }

    /// How often a filter has read shared data.
    pub fn shared_data_reads(&self) -> usize {
        lock(&self.shared.data).reads()
    }

    /// How often a filter has tried to write shared data.
    pub fn shared_data_writes(&self) -> usize {
        lock(&self.shared.data).writes()
    }

    /// The number that the next write of shared data gets, for tests of the counter's end.
    pub fn set_next_cas(&self, cas: u32) {
        lock(&self.shared.data).set_next_cas(cas);
    }

    /// From now on every compare-and-swap of a filter finds that somebody else came before; or no longer.
    pub fn set_contended(&self, contended: bool) {
        lock(&self.shared.data).set_contended(contended);
    }

    /// What the filter has done that it must not, since the last time.
    pub fn take_faults(&self) -> Vec<Fault> {
        std::mem::take(&mut lock(&self.shared.faults))
    }

    /// The wall clock, in nanoseconds since the Unix epoch.
    pub fn wall_clock(&self) -> u64 {
        self.shared.clock.wall()
    }

    /// Sets the wall clock; the monotonic clock goes its own way.
    pub fn set_wall_clock(&self, nanoseconds: u64) {
        self.shared.clock.set_wall(nanoseconds);
    }

    /// Time passes, on both clocks.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance_wall(by);
        self.shared.clock.advance_monotonic(by);
    }

    /// Time passes, but the wall clock is held.
    pub fn advance_monotonic(&self, by: Duration) {
        self.shared.clock.advance_monotonic(by);
    }

    /// Someone puts the wall clock back.
    pub fn turn_wall_clock_back(&self, by: Duration) {
        self.shared.clock.turn_wall_back(by);
    }

    /// Changes what becomes of callouts to a cluster; `None` makes it unknown.
    pub fn set_cluster(&self, name: &str, cluster: Option<Cluster>) {
        let mut clusters = lock(&self.shared.clusters);
        match cluster {
            Some(cluster) => drop(clusters.insert(name.to_owned(), cluster)),
            None => drop(clusters.remove(name)),
        }
    }

    /// Callouts that wait for an answer, oldest first.
    pub fn pending_callouts(&self) -> Vec<Callout> {
        lock(&self.shared.pending).values().map(|pending| pending.callout.clone()).collect()
    }

    /// Answers a callout.
    ///
    /// # Errors
    /// If it is not under way, or the answer is of another protocol.
    pub fn answer(&self, id: CalloutId, answer: Answer) -> Result<(), HostError> {
        let (pending, vm) = {
            let mut all = lock(&self.shared.pending);
            let vm = all.get(&id).and_then(|pending| pending.vm.upgrade()).ok_or(HostError::UnknownCallout)?;
            // It is put back below if it goes on; a callback must find the list unlocked.
            (all.remove(&id).ok_or(HostError::UnknownCallout)?, vm)
        };
        let mut vm = lock(&vm);
        let (root, token) = (pending.root, pending.callout.token);
        let answered = vm.answer(&pending, answer);
        let goes_on = vm.state().roots.get(&root).is_some_and(|root| root.callouts.contains_key(&token));
        if goes_on {
            lock(&self.shared.pending).insert(id, pending);
        }
        answered
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let faults = self.take_faults();
        assert!(faults.is_empty() || std::thread::panicking(), "the filter did what it must not: {faults:?}");
    }
}
