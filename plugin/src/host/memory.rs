//! Memory that the host fills.

use std::alloc::{Layout, alloc};
use std::ptr;

use super::{Result, check};

/// The host asks for room for what it is about to hand over.
///
/// Returns null if there is none; the host then gives up the call.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        // SAFETY: the layout is not empty.
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        _ => ptr::null_mut(),
    }
}

/// Takes over what the host has written for us.
///
/// `call` is given the two places into which the host writes pointer and length.
pub(crate) fn take(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>> {
    let mut data = ptr::null_mut();
    let mut length = 0;
    check(call(&raw mut data, &raw mut length))?;
    if data.is_null() || length == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the host has the pointer from `proxy_on_memory_allocate`, which it calls with the very length that it
    // reports, fills, and does not touch again: an allocation of `length` bytes, all of them written.
    Ok(unsafe { Vec::from_raw_parts(data, length, length) })
}
