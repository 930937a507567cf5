//! Making a host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::callouts::Cluster;
use crate::engine::Module;
use crate::error::{StartCause, StartError};
use crate::host::Host;
use crate::logs::Level;
use crate::shared::{FailPolicy, HeaderStop, Settings, Shared, lock};
use crate::vm::Vm;
use crate::worker::WorkerInner;

/// What a host is made with.
#[derive(Debug)]
pub struct Builder {
    module: Module,
    configuration: Vec<u8>,
    workers: usize,
    clusters: BTreeMap<String, Cluster>,
    random_seed: u64,
    settings: Settings,
}

impl Builder {
    pub(crate) fn new(module: Module) -> Self {
        Builder {
            module,
            configuration: Vec::new(),
            workers: 1,
            clusters: BTreeMap::new(),
            random_seed: 1,
            settings: Settings {
                root_id: String::new(),
                vm_id: String::new(),
                plugin_name: String::new(),
                vm_configuration: Vec::new(),
                environment: Vec::new(),
                header_stop: HeaderStop::StopAll,
                fail_policy: FailPolicy::Closed,
                reload_backoff: Duration::from_secs(1),
                buffer_limit: 1 << 20,
                memory_limit: 64 << 20,
                fuel_limit: 2_000_000_000,
                log_level: Level::Info,
                loses_late_writes: false,
            },
        }
    }

    /// The plugin configuration. Empty by default.
    #[must_use]
    pub fn configuration(mut self, text: impl AsRef<[u8]>) -> Self {
        self.configuration = text.as_ref().to_vec();
        self
    }

    /// The VM configuration. Empty by default.
    #[must_use]
    pub fn vm_configuration(mut self, text: impl AsRef<[u8]>) -> Self {
        self.settings.vm_configuration = text.as_ref().to_vec();
        self
    }

    /// How many worker threads; 1 by default. The main thread comes besides, and a canary that is configured first
    /// and thrown away: so a plugin is configured two times more than there are workers.
    #[must_use]
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// The plugin's `root_id`. Empty by default.
    #[must_use]
    pub fn root_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.settings.root_id);
        self
    }

    /// The plugin's `vm_id`, the namespace of its shared data. Empty by default, as in Istio.
    #[must_use]
    pub fn vm_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.settings.vm_id);
        self
    }

    /// The plugin's name, the property `plugin_name`.
    #[must_use]
    pub fn plugin_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.settings.plugin_name);
        self
    }

    /// Adds an environment variable that WASI shows.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.settings.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What "pause" from a headers callback stops; [`HeaderStop::StopAll`] by default.
    #[must_use]
    pub fn stop_iteration(mut self, header_stop: HeaderStop) -> Self {
        self.settings.header_stop = header_stop;
        self
    }

    /// The connection's buffer limit in bytes; 1 MiB by default.
    #[must_use]
    pub fn buffer_limit(mut self, bytes: usize) -> Self {
        self.settings.buffer_limit = bytes;
        self
    }

    /// What a failed virtual machine means for streams; [`FailPolicy::Closed`] by default.
    #[must_use]
    pub fn fail_policy(mut self, policy: FailPolicy) -> Self {
        self.settings.fail_policy = policy;
        self
    }

    /// How long after a machine was built the next one may be, with [`FailPolicy::Reload`]; 1 s by default (Envoy
    /// adds up to half of it again, by chance).
    #[must_use]
    pub fn reload_backoff(mut self, backoff: Duration) -> Self {
        self.settings.reload_backoff = backoff;
        self
    }

    /// The memory that each virtual machine may have, in bytes; 64 MiB by default (Envoy's own limit is 1 GiB).
    #[must_use]
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.settings.memory_limit = bytes;
        self
    }

    /// The fuel that each callback may burn, about one unit per instruction; two thousand million by default. Envoy
    /// has no such limit; here a guest that runs away traps.
    #[must_use]
    pub fn fuel_limit(mut self, fuel: u64) -> Self {
        self.settings.fuel_limit = fuel;
        self
    }

    /// The level that `proxy_get_log_level` answers; info by default. Lines of all levels are kept.
    #[must_use]
    pub fn log_level(mut self, level: Level) -> Self {
        self.settings.log_level = level;
        self
    }

    /// Reports writes of shared data as done that somebody else's came before, and loses them: as if the guest did not
    /// look at what a compare-and-swap answers. To see that a test would tell.
    #[must_use]
    pub fn lose_late_writes(mut self) -> Self {
        self.settings.loses_late_writes = true;
        self
    }

    /// A cluster that the guest may call. Calls to any other are refused.
    #[must_use]
    pub fn cluster(mut self, name: &str, cluster: Cluster) -> Self {
        self.clusters.insert(name.to_owned(), cluster);
        self
    }

    /// Where the sequence of random bytes begins.
    #[must_use]
    pub fn random_seed(mut self, seed: u64) -> Self {
        self.random_seed = seed;
        self
    }

    /// Loads the module and configures it: in a canary first, then on the main thread and each worker.
    ///
    /// # Errors
    /// If the module does not link, traps, or refuses the configuration in the canary. Envoy would refuse the
    /// configuration as a whole.
    pub fn start(self) -> Result<Host, StartError> {
        let shared = Arc::new(Shared::new(self.settings, self.clusters, self.random_seed));
        let configuration: Arc<[u8]> = self.configuration.into();
        let start = || {
            // Envoy first loads a machine that only later ones are made from.
            Vm::load(&self.module, &shared)?;
            canary(&shared, &self.module, &configuration)?;
            // The main thread runs no stream, but it is configured, and it ticks.
            let threads = 1 + self.workers;
            let start_thread = |_| WorkerInner::start(&shared, &self.module, &configuration).map(Arc::new);
            (0..threads).map(start_thread).collect::<Result<Vec<_>, _>>()
        };
        match start() {
            Ok(threads) => Ok(Host { shared, module: self.module, threads }),
            Err(cause) => Err(StartError::new(cause, lock(&shared.logs).clone())),
        }
    }
}

/// Tries a configuration in a machine of its own, which then goes without another callback.
pub(crate) fn canary(shared: &Arc<Shared>, module: &Module, configuration: &Arc<[u8]>) -> Result<(), StartCause> {
    let vm = Vm::load(module, shared)?;
    let result = lock(&vm).start_plugin(configuration).map(drop);
    let serial = lock(&vm).state().serial;
    lock(&shared.pending).retain(|_, pending| pending.vm_serial != serial);
    result
}
