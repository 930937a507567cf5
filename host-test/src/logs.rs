//! What the guest, and the host about the guest, wrote to Envoy's log.

/// Log levels, numbered as in the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Level {
    /// 0
    Trace = 0,
    /// 1
    Debug = 1,
    /// 2; what a guest writes to standard output arrives here too.
    Info = 2,
    /// 3
    Warn = 3,
    /// 4; what a guest writes to standard error arrives here too.
    Error = 4,
    /// 5; the host's own lines about a failed virtual machine.
    Critical = 5,
}

impl Level {
    /// The level with that number, if the ABI has one.
    pub fn from_code(code: u32) -> Option<Level> {
        [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Critical]
            .into_iter()
            .find(|level| *level as u32 == code)
    }
}
