use super::{Result, check, imports, take};

/// A body that is passing, or what else Envoy hands over.
#[derive(Debug, Clone, Copy)]
#[repr(u32)]
pub(crate) enum Buffer {
    Request = 0,
    Response = 1,
    GrpcMessage = 5,
    PluginConfiguration = 7,
}

/// The first `length` bytes of a buffer, or as many as it has.
pub(crate) fn bytes(buffer: Buffer, length: usize) -> Result<Vec<u8>> {
    // SAFETY: the pointers are those that `take` gives, valid during the call.
    take(|data, size| unsafe { imports::proxy_get_buffer_bytes(buffer as u32, 0, length, data, size) })
}

/// Puts `data` in the place of the whole buffer.
pub(crate) fn replace(buffer: Buffer, data: &[u8]) -> Result<()> {
    // SAFETY: pointer and length are those of a live slice, which the host only reads. From 0 to the largest length is
    // the form that Envoy takes as "replace all".
    check(unsafe { imports::proxy_set_buffer_bytes(buffer as u32, 0, u32::MAX as usize, data.as_ptr(), data.len()) })
}
