//! The few functions of WASI preview 1 that a module for `wasm32-unknown-unknown` has a use for, or that a standard
//! library drags in.

use wasmtime::Linker;

use super::{Answer, Call, Guest};
use crate::logs::Level;
use crate::state::VmState;
use crate::status::{Status, errno};
use crate::vm::as_u32;

const MODULE: &str = "wasi_snapshot_preview1";
/// Envoy gives at most this many random bytes at a time.
const MAX_RANDOM: u32 = 64 * 1024;

pub(super) fn define(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "clock_time_get", |caller: Call<'_>, clock: u32, _precision: u64, at: u32| -> Answer {
        let mut guest = Guest::new(caller);
        let clocks = &guest.state().shared.clock;
        let now = match clock {
            0 => clocks.wall(),
            1 => clocks.monotonic(),
            _ => return Ok(errno::NOTSUP),
        };
        Ok(errno_of(guest.write_u64(at, now)))
    })?;
    linker.func_wrap(MODULE, "random_get", |caller: Call<'_>, at: u32, length: u32| -> Answer {
        let mut guest = Guest::new(caller);
        if length > MAX_RANDOM {
            return Ok(errno::INVAL);
        }
        let bytes = guest.state().shared.random_bytes(length as usize);
        Ok(errno_of(guest.write(at, &bytes)))
    })?;
    linker.func_wrap(
        MODULE,
        "fd_write",
        |caller: Call<'_>, file: u32, pieces: u32, count: u32, written_at: u32| -> Answer {
            let level = match file {
                1 => Level::Info,
                2 => Level::Error,
                _ => return Ok(errno::BADF),
            };
            Ok(errno_of(write_log(&mut Guest::new(caller), level, (pieces, count), written_at)))
        },
    )?;
    linker.func_wrap(MODULE, "environ_sizes_get", |caller: Call<'_>, count_at: u32, size_at: u32| -> Answer {
        let mut guest = Guest::new(caller);
        let environment = &guest.state().shared.settings.environment;
        let count = as_u32(environment.len());
        let size = as_u32(environment.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
        Ok(errno_of(guest.write_u32(count_at, count).and_then(|()| guest.write_u32(size_at, size))))
    })?;
    linker.func_wrap(MODULE, "environ_get", |caller: Call<'_>, pointers: u32, texts: u32| -> Answer {
        Ok(errno_of(environment(&mut Guest::new(caller), pointers, texts)))
    })?;
    linker.func_wrap(MODULE, "args_sizes_get", |caller: Call<'_>, count_at: u32, size_at: u32| -> Answer {
        let mut guest = Guest::new(caller);
        Ok(errno_of(guest.write_u32(count_at, 0).and_then(|()| guest.write_u32(size_at, 0))))
    })?;
    linker.func_wrap(MODULE, "args_get", |_: Call<'_>, _: u32, _: u32| -> Answer { Ok(errno::SUCCESS) })?;
    linker.func_wrap(MODULE, "proc_exit", |_: Call<'_>, code: u32| -> wasmtime::Result<()> {
        Err(wasmtime::format_err!("proc_exit({code})"))
    })?;
    Ok(())
}

fn errno_of(result: Result<(), Status>) -> u32 {
    if result.is_ok() { errno::SUCCESS } else { errno::FAULT }
}

fn write_log(guest: &mut Guest<'_>, level: Level, pieces: (u32, u32), written_at: u32) -> Result<(), Status> {
    let mut text = Vec::new();
    for index in 0..pieces.1 {
        let at = pieces.0.wrapping_add(index.wrapping_mul(8));
        let piece = guest.read(at, 8)?;
        let number = |range: std::ops::Range<usize>| {
            piece.get(range).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
        };
        text.extend(guest.read(number(0..4), number(4..8))?);
    }
    let line = text.strip_suffix(b"\n").unwrap_or(&text);
    if !text.is_empty() {
        guest.state().shared.log(level, String::from_utf8_lossy(line));
    }
    guest.write_u32(written_at, as_u32(text.len()))
}

fn environment(guest: &mut Guest<'_>, mut pointers: u32, mut texts: u32) -> Result<(), Status> {
    for (name, value) in guest.state().shared.settings.environment.clone() {
        let text = format!("{name}={value}\0");
        guest.write_u32(pointers, texts)?;
        guest.write(texts, text.as_bytes())?;
        pointers = pointers.wrapping_add(4);
        texts = texts.wrapping_add(as_u32(text.len()));
    }
    Ok(())
}
