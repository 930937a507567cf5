//! Envoy's shared data: one store for the whole process, split by `vm_id`, with compare-and-swap.

use std::collections::{BTreeMap, HashMap};

use crate::status::Status;

/// The store. Whoever holds it holds Envoy's one mutex.
#[derive(Debug)]
pub(crate) struct SharedData {
    // One counter for all keys of all namespaces, as in Envoy.
    next_cas: u32,
    namespaces: HashMap<String, BTreeMap<Vec<u8>, Entry>>,
    reads: usize,
    writes: usize,
    /// Somebody else comes before every write that asks what stands there.
    contended: bool,
}

#[derive(Debug, Clone)]
struct Entry {
    value: Vec<u8>,
    cas: u32,
}

impl Default for SharedData {
    fn default() -> Self {
        SharedData { next_cas: 1, namespaces: HashMap::new(), reads: 0, writes: 0, contended: false }
    }
}

impl SharedData {
    pub(crate) fn get(&mut self, vm_id: &str, key: &[u8]) -> Result<(Vec<u8>, u32), Status> {
        self.reads = self.reads.saturating_add(1);
        let entry = self.namespaces.get(vm_id).and_then(|keys| keys.get(key)).ok_or(Status::NotFound)?;
        Ok((entry.value.clone(), entry.cas))
    }

    /// `cas` 0 writes whatever stands there; a key that does not exist is made whatever `cas` says.
    pub(crate) fn set(&mut self, vm_id: &str, key: &[u8], value: &[u8], cas: u32) -> Result<(), Status> {
        self.writes = self.writes.saturating_add(1);
        if self.contended && cas != 0 {
            return Err(Status::CasMismatch);
        }
        let keys = self.namespaces.entry(vm_id.to_owned()).or_default();
        if let Some(entry) = keys.get(key)
            && cas != 0
            && cas != entry.cas
        {
            return Err(Status::CasMismatch);
        }
        let entry = Entry { value: value.to_vec(), cas: self.next_cas };
        // 0 means "unconditional", so the counter steps over it when it wraps.
        self.next_cas = self.next_cas.checked_add(1).unwrap_or(1);
        keys.insert(key.to_vec(), entry);
        Ok(())
    }

    pub(crate) fn set_next_cas(&mut self, cas: u32) {
        self.next_cas = cas.max(1);
    }

    pub(crate) fn set_contended(&mut self, contended: bool) {
        self.contended = contended;
    }

    /// How often a value was asked for.
    pub(crate) fn reads(&self) -> usize {
        self.reads
    }

    /// How often a value was to be written, also if another stood there than was thought.
    pub(crate) fn writes(&self) -> usize {
        self.writes
    }

    pub(crate) fn snapshot(&self, vm_id: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let keys = self.namespaces.get(vm_id);
        keys.into_iter().flatten().map(|(key, entry)| (key.clone(), entry.value.clone())).collect()
    }
}
