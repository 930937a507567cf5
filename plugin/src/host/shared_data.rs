use super::{Result, Status, check, imports, take};

/// The stamp of a value that has not been written yet: Envoy inserts a value with it only if there is none.
const ABSENT: u32 = u32::MAX;

/// Whether a value was put in the place of the one that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swapped {
    Yes,
    /// Another worker was first.
    No,
}

/// A value shared by all workers, with the stamp to swap it by.
pub(crate) fn shared_value(key: &str) -> Result<Option<(Vec<u8>, u32)>> {
    let mut cas = 0;
    // SAFETY: pointer and length are those of a live string, which the host only reads; `cas` lives during the call;
    // the others are `take`'s.
    let value = take(|data, length| unsafe {
        imports::proxy_get_shared_data(key.as_ptr(), key.len(), data, length, &raw mut cas)
    });
    match value {
        Ok(value) => Ok(Some((value, cas))),
        Err(Status::NOT_FOUND) => Ok(None),
        Err(status) => Err(status),
    }
}

/// Puts a value in the place of the one that was read with this stamp; without one, where none was.
pub(crate) fn compare_and_swap(key: &str, value: &[u8], cas: Option<u32>) -> Result<Swapped> {
    let cas = match cas {
        // Envoy takes 0 for "whatever is there".
        Some(0) => return Err(Status::CAS_MISMATCH),
        Some(cas) => cas,
        None => ABSENT,
    };
    // SAFETY: pointers and lengths are those of live slices, which the host only reads.
    let status = unsafe { imports::proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas) };
    match check(status) {
        Ok(()) => Ok(Swapped::Yes),
        Err(Status::CAS_MISMATCH) => Ok(Swapped::No),
        Err(status) => Err(status),
    }
}
