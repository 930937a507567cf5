//! The pinned tools of the server behind a route, and what listings have shown of them: shared by all workers.

use std::cell::Cell;

use policy::pins::{Lock, Sighting, States};

use crate::host::{self, Level, Status, Swapped};
use crate::runtime::Runtime;

/// How often a swap is tried. Only listings that show something else than the last one swap at all.
const ATTEMPTS: usize = 128;

/// Why the states cannot be told.
pub(crate) enum Unknown {
    Host(Status),
    /// They are not what this filter writes.
    Damaged,
    /// Other workers won every race.
    Contended,
}

/// What a listing has shown so far.
#[derive(Default)]
pub(crate) struct Sightings(Cell<Vec<Sighting>>);

impl Sightings {
    /// Looks at an entry of a listing. Whether it goes on: if it is pinned as it stands.
    pub(crate) fn look(&self, lock: &Lock, name: &str, definition: &[u8]) -> bool {
        let sighting = lock.look(definition, name);
        let mut all = self.0.take();
        all.push(sighting);
        self.0.set(all);
        sighting.is_pinned()
    }

    /// Tells all workers. What cannot be told is logged: the tools were taken out of this listing all the same.
    pub(crate) fn share(&self, runtime: &Runtime, lock: &Lock) {
        let sightings = self.0.take();
        if sightings.is_empty() {
            return;
        }
        match see(runtime, lock, &sightings) {
            Ok(marked) => {
                for (name, _) in marked.into_iter().filter_map(|tool| lock.tools().nth(tool)) {
                    runtime.metrics.tools_changed.increment();
                    let why =
                        "its definition is not the pinned one: it is taken out of lists, and its calls are denied";
                    host::log(Level::Warn, &format!("mcp_policy: the tool {name:?} has changed: {why}"));
                }
            }
            Err(unknown) => {
                runtime.metrics.failed.increment();
                host::log(Level::Error, &format!("mcp_policy: what a list shows cannot be shared: {unknown}"));
            }
        }
    }
}

/// What listings have shown.
pub(crate) fn states(runtime: &Runtime, lock: &Lock) -> Result<States, Unknown> {
    Ok(read(&key(runtime, lock), lock)?.0)
}

fn see(runtime: &Runtime, lock: &Lock, sightings: &[Sighting]) -> Result<Vec<usize>, Unknown> {
    let key = key(runtime, lock);
    for _ in 0..ATTEMPTS {
        let (before, cas) = read(&key, lock)?;
        let mut states = before.clone();
        let marked = states.see(sightings);
        if states == before {
            return Ok(marked);
        }
        match host::compare_and_swap(&key, states.bytes(), cas).map_err(Unknown::Host)? {
            Swapped::Yes => return Ok(marked),
            Swapped::No => {}
        }
    }
    Err(Unknown::Contended)
}

fn read(key: &str, lock: &Lock) -> Result<(States, Option<u32>), Unknown> {
    match host::shared_value(key).map_err(Unknown::Host)? {
        Some((bytes, cas)) => Ok((States::read(lock, bytes).ok_or(Unknown::Damaged)?, Some(cas))),
        None => Ok((States::new(lock), None)),
    }
}

/// A lock with other tools or digests is another: nothing of it has been seen yet.
fn key(runtime: &Runtime, lock: &Lock) -> String {
    format!("mcp_policy/1/{}/pins/{}", runtime.root(), lock.id())
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(status) => write!(f, "shared data cannot be used: {status}"),
            Self::Damaged => {
                f.write_str("the states of pinned tools are damaged, or another plugin writes to their key")
            }
            Self::Contended => f.write_str("the states of pinned tools are contended beyond every retry"),
        }
    }
}
