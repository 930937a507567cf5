use super::{Result, check, imports};

const COUNTER: u32 = 0;

/// A counter of Envoy's statistics, under `wasmcustom.`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counter(u32);

impl Counter {
    /// Defines the counter, or finds it if another worker has.
    pub(crate) fn define(name: &str) -> Result<Self> {
        let mut id = 0;
        // SAFETY: pointer and length are those of a live string, which the host only reads; `id` lives during the call.
        check(unsafe { imports::proxy_define_metric(COUNTER, name.as_ptr(), name.len(), &raw mut id) })?;
        Ok(Self(id))
    }

    /// Adds one. A metric that cannot be written is nothing a request should fail for.
    pub(crate) fn increment(self) {
        // SAFETY: no memory is passed.
        let _status = unsafe { imports::proxy_increment_metric(self.0, 1) };
    }
}
