//! What all workers of one host share: Envoy's process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::callouts::{CalloutId, Cluster, Pending};
use crate::clock::Clock;
use crate::error::Fault;
use crate::logs::Level;
use crate::metrics::Statistics;
use crate::shared_data::SharedData;

/// What a header callback that answers "pause" (`StopIteration`) stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderStop {
    /// `allow_on_headers_stop_iteration: true`: the headers wait, the body still reaches the filter.
    AllowOnHeaders,
    /// `allow_on_headers_stop_iteration: false`, the default: everything waits, and the body never arrives
    /// unless the filter resumes.
    StopAll,
}

/// Envoy's `failure_policy` of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailPolicy {
    /// 503 from then on.
    Closed,
    /// 503 for the streams of the failed virtual machine; a later stream gets a new one.
    Reload,
    /// Streams that begin after the failure pass as if there were no filter; 503 for those that had begun.
    Open,
}

/// What the builder collects and nothing changes afterwards.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) root_id: String,
    pub(crate) vm_id: String,
    pub(crate) plugin_name: String,
    pub(crate) vm_configuration: Vec<u8>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) header_stop: HeaderStop,
    pub(crate) fail_policy: FailPolicy,
    pub(crate) reload_backoff: Duration,
    pub(crate) buffer_limit: usize,
    pub(crate) memory_limit: usize,
    pub(crate) fuel_limit: u64,
    pub(crate) log_level: Level,
    pub(crate) loses_late_writes: bool,
}

/// The process.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) data: Mutex<SharedData>,
    pub(crate) statistics: Mutex<Statistics>,
    pub(crate) logs: Mutex<Vec<(Level, String)>>,
    pub(crate) faults: Mutex<Vec<Fault>>,
    pub(crate) clusters: Mutex<BTreeMap<String, Cluster>>,
    pub(crate) pending: Mutex<BTreeMap<CalloutId, Pending>>,
    pub(crate) random: Mutex<u64>,
    next_callout: AtomicU64,
    next_vm: AtomicU64,
}

impl Shared {
    pub(crate) fn new(settings: Settings, clusters: BTreeMap<String, Cluster>, random_seed: u64) -> Self {
        Shared {
            settings,
            clock: Clock::default(),
            data: Mutex::default(),
            statistics: Mutex::default(),
            logs: Mutex::default(),
            faults: Mutex::default(),
            clusters: Mutex::new(clusters),
            pending: Mutex::default(),
            random: Mutex::new(random_seed),
            next_callout: AtomicU64::new(1),
            next_vm: AtomicU64::new(1),
        }
    }

    pub(crate) fn log(&self, level: Level, line: impl Into<String>) {
        lock(&self.logs).push((level, line.into()));
    }

    pub(crate) fn fault(&self, fault: Fault) {
        lock(&self.faults).push(fault);
    }

    pub(crate) fn next_callout_id(&self) -> CalloutId {
        CalloutId(self.next_callout.fetch_add(1, SeqCst))
    }

    pub(crate) fn next_vm_serial(&self) -> u64 {
        self.next_vm.fetch_add(1, SeqCst)
    }

    /// Bytes of a fixed sequence (SplitMix64), so that a test that fails fails again.
    pub(crate) fn random_bytes(&self, count: usize) -> Vec<u8> {
        let mut state = lock(&self.random);
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bytes.extend((mixed ^ (mixed >> 31)).to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }
}

/// Locks, also after a test thread panicked while it held the lock: the panic itself is what fails the test.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
