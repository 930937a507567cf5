use super::{Result, Status, check, imports, take};

/// An attribute of the request or connection, by its path; none if there is none.
pub(crate) fn property(path: &[&str]) -> Result<Option<Vec<u8>>> {
    let path = path.join("\0");
    // SAFETY: pointer and length are those of a live string, which the host only reads; the others are `take`'s.
    match take(|data, length| unsafe { imports::proxy_get_property(path.as_ptr(), path.len(), data, length) }) {
        Ok(value) => Ok(Some(value)),
        Err(Status::NOT_FOUND) => Ok(None),
        Err(status) => Err(status),
    }
}

/// Keeps a value in the filter state of the running stream, as `wasm.` and this name.
pub(crate) fn set_property(name: &str, value: &[u8]) -> Result<()> {
    // SAFETY: pointers and lengths are those of live slices, which the host only reads.
    check(unsafe { imports::proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}
