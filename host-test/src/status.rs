//! Status codes of the ABI and of WASI preview 1.

/// What a host function answers. The numbers are those of proxy-wasm ABI 0.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// No such key, header, property, metric or buffer.
    NotFound = 1,
    /// An argument is out of range, or the thing asked for is not available in this phase.
    BadArgument = 2,
    /// A value could not be written in the ABI's form.
    SerializationFailure = 3,
    /// A value could not be read, such as an unknown cluster in a gRPC call.
    ParseFailure = 4,
    /// An expression could not be evaluated.
    BadExpression = 5,
    /// A pointer lies outside the guest's memory, or the guest's allocator gave none.
    InvalidMemoryAccess = 6,
    /// A queue is empty.
    Empty = 7,
    /// The shared value was changed since it was read.
    CasMismatch = 8,
    /// A foreign function gave something unexpected.
    ResultMismatch = 9,
    /// The host could not do it, such as a callout that could not be sent.
    InternalFailure = 10,
    /// The connection of a callout broke.
    BrokenConnection = 11,
    /// This host does not do that.
    Unimplemented = 12,
}

impl Status {
    /// The number that the guest gets.
    pub fn code(self) -> u32 {
        self as u32
    }
}

/// Error numbers of WASI preview 1 that the host answers.
pub(crate) mod errno {
    pub(crate) const SUCCESS: u32 = 0;
    pub(crate) const BADF: u32 = 8;
    pub(crate) const FAULT: u32 = 21;
    pub(crate) const INVAL: u32 = 28;
    pub(crate) const NOTSUP: u32 = 58;
}
