use super::{Result, check, imports};

/// WASI's id of the clock that never goes back, and is the same for all workers.
const MONOTONIC: u32 = 1;
const NS_PER_US: u64 = 1_000;
const NS_PER_MS: u64 = 1_000_000;

/// Nanoseconds of a clock that never goes back, the same for all workers of one Envoy, to so many.
fn monotonic_ns(precision: u64) -> Result<u64> {
    let mut time = 0;
    // SAFETY: `time` lives during the call.
    check(unsafe { imports::clock_time_get(MONOTONIC, precision, &raw mut time) })?;
    Ok(time)
}

/// Milliseconds of that clock.
pub(crate) fn monotonic_ms() -> Result<u64> {
    Ok(monotonic_ns(NS_PER_MS)? / NS_PER_MS)
}

/// Microseconds of that clock.
pub(crate) fn monotonic_us() -> Result<u64> {
    Ok(monotonic_ns(NS_PER_US)? / NS_PER_US)
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
