//! What ends this program ends its Envoy.

use std::{process::Child, thread};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::failure::Failure;

/// Tells Envoy to end when this program is told to, from now on: by Ctrl-C, a closed terminal, or `kill`.
///
/// # Errors
/// If the system takes no handlers.
pub(super) fn forward(envoy: &Child) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(Failure::because("cannot handle signals"))?;
    let envoy = Pid::from_child(envoy);
    thread::spawn(move || {
        for _ in signals.forever() {
            // It may have ended by itself; Envoy leaves a hung-up terminal alone, so that it is told in words it takes.
            kill_process(envoy, Signal::TERM).ok();
        }
    });
    Ok(())
}
