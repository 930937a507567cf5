use super::{Result, check, imports};

/// Answers the request in the server's place. Envoy sends the answer once the running callback has returned.
///
/// `details` appears as `%RESPONSE_CODE_DETAILS%`.
pub(crate) fn send_reply(status: u32, details: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<()> {
    let headers = pairs(headers);
    // SAFETY: pointers and lengths are those of live slices, which the host only reads.
    check(unsafe {
        imports::proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            // No gRPC status.
            -1,
        )
    })
}

/// The ABI's serialised pairs.
fn pairs(headers: &[(&str, &str)]) -> Vec<u8> {
    let size = |text: &str| u32::try_from(text.len()).unwrap_or_default().to_le_bytes();
    let mut out = u32::try_from(headers.len()).unwrap_or_default().to_le_bytes().to_vec();
    for (name, value) in headers {
        out.extend(size(name));
        out.extend(size(value));
    }
    for text in headers.iter().flat_map(|(name, value)| [name, value]) {
        out.extend_from_slice(text.as_bytes());
        out.push(0);
    }
    out
}
