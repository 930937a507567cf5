use super::{Result, check, imports};

const REQUEST: u32 = 0;
const RESPONSE: u32 = 1;

/// Has `proxy_on_tick` called about every so many ms; 0 for no more.
pub(crate) fn tick_every(ms: u32) -> Result<()> {
    // SAFETY: no memory is passed.
    check(unsafe { imports::proxy_set_tick_period_milliseconds(ms) })
}

/// Makes what is asked of Envoy from now on concern another context than the one that the callback is for.
pub(crate) fn become_context(context: u32) -> Result<()> {
    // SAFETY: no memory is passed.
    check(unsafe { imports::proxy_set_effective_context(context) })
}

/// Lets the request of another context go on, as far as it has come. Envoy does so once the running callback has
/// returned.
pub(crate) fn resume_request(context: u32) -> Result<()> {
    become_context(context)?;
    // SAFETY: no memory is passed.
    check(unsafe { imports::proxy_continue_stream(REQUEST) })
}

/// Lets the response of the running context go on, whose headers were held. One that has not begun must not be resumed:
/// Envoy 1.40 crashes.
pub(crate) fn resume_response() -> Result<()> {
    // SAFETY: no memory is passed.
    check(unsafe { imports::proxy_continue_stream(RESPONSE) })
}
