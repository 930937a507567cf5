use core::time::Duration;

use super::{Result, check, imports};

/// Calls a method of a gRPC service. The answer comes to `proxy_on_grpc_receive`, and a failure to `proxy_on_grpc_close`,
/// with the token that is returned here.
///
/// `service` is an encoded `envoy.config.core.v3.GrpcService`.
pub(crate) fn grpc_call(service: &[u8], name: &str, method: &str, message: &[u8], timeout: Duration) -> Result<u32> {
    let mut token = 0;
    let timeout = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    // Pairs: none.
    let metadata = 0_u32.to_le_bytes();
    // SAFETY: pointers and lengths are those of live slices, which the host only reads; `token` lives during the call.
    check(unsafe {
        imports::proxy_grpc_call(
            service.as_ptr(),
            service.len(),
            name.as_ptr(),
            name.len(),
            method.as_ptr(),
            method.len(),
            metadata.as_ptr(),
            metadata.len(),
            message.as_ptr(),
            message.len(),
            timeout,
            &raw mut token,
        )
    })?;
    Ok(token)
}
