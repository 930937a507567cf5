//! The guest's memory, seen from a host function.

use wasmtime::Memory;

use super::Call;
use crate::error::Fault;
use crate::logs::Level;
use crate::state::VmState;
use crate::status::Status;
use crate::vm::as_u32;

/// The caller of a host function.
pub(super) struct Guest<'a> {
    caller: Call<'a>,
}

impl<'a> Guest<'a> {
    pub(super) fn new(caller: Call<'a>) -> Self {
        Guest { caller }
    }

    pub(super) fn state(&mut self) -> &mut VmState {
        self.caller.data_mut()
    }

    fn memory(&mut self) -> Result<Memory, Status> {
        // A module's own start section runs before the host has looked the memory up.
        let known = self.caller.data().memory;
        let found = known.or_else(|| self.caller.get_export("memory").and_then(wasmtime::Extern::into_memory));
        found.ok_or(Status::InvalidMemoryAccess)
    }

    /// Copies `length` bytes. Any range that is not wholly inside the memory is refused, empty ones too.
    pub(super) fn read(&mut self, pointer: u32, length: u32) -> Result<Vec<u8>, Status> {
        let memory = self.memory()?;
        let start = pointer as usize;
        let end = start.checked_add(length as usize).ok_or(Status::InvalidMemoryAccess)?;
        let range = memory.data(&self.caller).get(start..end);
        range.map(<[u8]>::to_vec).ok_or(Status::InvalidMemoryAccess)
    }

    pub(super) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Result<(), Status> {
        let memory = self.memory()?;
        memory.write(&mut self.caller, pointer as usize, bytes).map_err(|_| Status::InvalidMemoryAccess)
    }

    pub(super) fn write_u32(&mut self, pointer: u32, number: u32) -> Result<(), Status> {
        self.write(pointer, &number.to_le_bytes())
    }

    pub(super) fn write_u64(&mut self, pointer: u32, number: u64) -> Result<(), Status> {
        self.write(pointer, &number.to_le_bytes())
    }

    /// Copies bytes into memory that the guest allocates for them, and tells it where. Nothing is allocated for
    /// no bytes: the pointer is null then.
    pub(super) fn give(&mut self, bytes: &[u8], pointer_at: u32, length_at: u32) -> Result<(), Status> {
        let length = as_u32(bytes.len());
        let pointer = if bytes.is_empty() { 0 } else { self.allocate(length)? };
        self.write(pointer, bytes)?;
        self.write_u32(pointer_at, pointer)?;
        self.write_u32(length_at, length)
    }

    fn allocate(&mut self, length: u32) -> Result<u32, Status> {
        let function = self.state().allocate.clone().ok_or(Status::InvalidMemoryAccess)?;
        let state = self.state();
        let saved = (state.current, state.effective);
        (state.current, state.effective) = (0, 0);
        let result = function.call(&mut self.caller, length);
        let state = self.state();
        (state.current, state.effective) = saved;
        match result {
            Ok(0) => Err(Status::InvalidMemoryAccess),
            Ok(pointer) => Ok(pointer),
            Err(error) => {
                let message = format!("{error:#}");
                state.failed = true;
                state.shared.log(Level::Critical, format!("Function: proxy_on_memory_allocate failed: {message}"));
                state.shared.fault(Fault::Trap { callback: "proxy_on_memory_allocate", message });
                Err(Status::InvalidMemoryAccess)
            }
        }
    }
}
