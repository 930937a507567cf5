use super::{Result, check, imports};

/// WASI's id of the clock that never goes back, and is the same for all workers.
const MONOTONIC: u32 = 1;
const NS_PER_MS: u64 = 1_000_000;

/// Milliseconds of a clock that never goes back, the same for all workers of one Envoy.
pub(crate) fn monotonic_ms() -> Result<u64> {
    let mut time = 0;
    // SAFETY: `time` lives during the call.
    check(unsafe { imports::clock_time_get(MONOTONIC, NS_PER_MS, &raw mut time) })?;
    Ok(time / NS_PER_MS)
}

/// Nanoseconds since 1970-01-01 UTC.
pub(crate) fn wall_ns() -> Result<u64> {
    let mut time = 0;
    // SAFETY: `time` lives during the call.
    check(unsafe { imports::proxy_get_current_time_nanoseconds(&raw mut time) })?;
    Ok(time)
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    // SAFETY: pointer and length are those of a live array.
    check(unsafe { imports::random_get(bytes.as_mut_ptr(), N) })?;
    Ok(bytes)
}
