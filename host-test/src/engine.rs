//! The compiler, and modules compiled once per process.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use wasmtime::{Config, Engine, Linker};

use crate::error::HostError;
use crate::imports;
use crate::shared::lock;
use crate::state::VmState;

pub(crate) use wasmtime::Module;

/// A module that compiles faster than this is not worth a file.
const WORTH_KEEPING: Duration = Duration::from_millis(500);

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut config = Config::new();
        config.consume_fuel(true);
        // INVARIANT: the options are constant and supported on every machine that builds this crate.
        Engine::new(&config).unwrap_or_default()
    })
}

pub(crate) fn linker() -> wasmtime::Result<Linker<VmState>> {
    let mut linker = Linker::new(engine());
    imports::define(&mut linker)?;
    Ok(linker)
}

/// Where a module comes from. Equal bytes are compiled once per process, and a large module once per machine.
pub trait ModuleSource {
    /// The bytes: binary, or text in a build with wasmtime's `wat` feature.
    ///
    /// # Errors
    /// If a file cannot be read.
    fn module_bytes(&self) -> Result<Vec<u8>, HostError>;
}

impl ModuleSource for Path {
    fn module_bytes(&self) -> Result<Vec<u8>, HostError> {
        std::fs::read(self).map_err(|source| HostError::Io { path: self.to_owned(), source })
    }
}

impl ModuleSource for PathBuf {
    fn module_bytes(&self) -> Result<Vec<u8>, HostError> {
        self.as_path().module_bytes()
    }
}

impl ModuleSource for str {
    fn module_bytes(&self) -> Result<Vec<u8>, HostError> {
        Ok(self.as_bytes().to_vec())
    }
}

impl ModuleSource for String {
    fn module_bytes(&self) -> Result<Vec<u8>, HostError> {
        self.as_str().module_bytes()
    }
}

impl ModuleSource for [u8] {
    fn module_bytes(&self) -> Result<Vec<u8>, HostError> {
        Ok(self.to_vec())
    }
}

impl ModuleSource for Vec<u8> {
    fn module_bytes(&self) -> Result<Vec<u8>, HostError> {
        Ok(self.clone())
    }
}

pub(crate) fn compile(bytes: &[u8]) -> Result<Module, HostError> {
    static MODULES: OnceLock<Mutex<HashMap<Vec<u8>, Module>>> = OnceLock::new();
    // Held while compiling: two tests of one file that start together compile once.
    let mut modules = lock(MODULES.get_or_init(Mutex::default));
    if let Some(module) = modules.get(bytes) {
        return Ok(module.clone());
    }
    let module = compile_or_load(bytes)?;
    modules.insert(bytes.to_vec(), module.clone());
    Ok(module)
}

fn compile_or_load(bytes: &[u8]) -> Result<Module, HostError> {
    let kept = folder_of_this_build().map(|target| target.join("host-test-modules").join(file_name(bytes)));
    if let Some(kept) = kept.as_ref().filter(|kept| kept.exists()) {
        // SAFETY: the folder is the build's own, like the test binary that runs now; wasmtime checks that the file
        // was made by this version with these options, and compiling again is the answer to anything else.
        if let Ok(module) = unsafe { Module::deserialize_file(engine(), kept) } {
            return Ok(module);
        }
    }
    let started = Instant::now();
    let module = Module::new(engine(), bytes).map_err(HostError::Module)?;
    if let Some(kept) = kept
        && started.elapsed() > WORTH_KEEPING
    {
        keep(&module, &kept);
    }
    Ok(module)
}

/// Cargo's target folder, if the program that runs is in it. One that was installed elsewhere must trust no folder that
/// happens to have that name there.
fn folder_of_this_build() -> Option<PathBuf> {
    let target = crate::filter::target_folder().canonicalize().ok()?;
    let program = std::env::current_exe().and_then(|program| program.canonicalize()).ok()?;
    program.starts_with(&target).then_some(target)
}

fn file_name(bytes: &[u8]) -> String {
    // Not against attackers, only to tell builds apart; the length makes a clash by chance less likely still.
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    engine().precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}-{}.cwasm", hasher.finish(), bytes.len())
}

/// Writes the compiled module beside the build's other products. That it fails costs only time.
fn keep(module: &Module, path: &Path) {
    let Ok(serialised) = module.serialize() else { return };
    let unfinished = path.with_extension(std::process::id().to_string());
    let folder_exists = path.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok());
    if folder_exists && std::fs::write(&unfinished, serialised).is_ok() && std::fs::rename(&unfinished, path).is_err() {
        drop(std::fs::remove_file(&unfinished));
    }
}
