//! What listings have shown of the tools of a lock.

use super::{Lock, Sighting};

/// No listing has shown the tool yet.
pub(super) const UNSEEN: u8 = 0;
/// It was last shown as it is pinned.
pub(super) const SAME: u8 = 1;
/// It was last shown with another definition.
pub(super) const CHANGED: u8 = 2;

/// What listings have shown of the tools of a lock: a byte for each, in the order of their names. That is the form in which
/// workers share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct States(Vec<u8>);

impl States {
    /// Nothing has been seen.
    pub fn new(lock: &Lock) -> Self {
        Self(vec![UNSEEN; lock.tools.len()])
    }

    /// Reads what [`bytes`](Self::bytes) gave; `None` if that is of no such lock.
    pub fn read(lock: &Lock, bytes: Vec<u8>) -> Option<Self> {
        let is_sound = bytes.len() == lock.tools.len() && bytes.iter().all(|state| *state <= CHANGED);
        is_sound.then_some(Self(bytes))
    }

    /// The form to share.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes note of a listing. What it shows in two ways counts as changed. Says which tools, by their place in the
    /// lock, are marked as changed now and were not before.
    pub fn see(&mut self, sightings: &[Sighting]) -> Vec<usize> {
        // A change outweighs what is as it was. One pass: a server can list a tool many thousand times.
        let mut shown = vec![UNSEEN; self.0.len()];
        for sighting in sightings {
            if let Some(state) = sighting.tool.and_then(|tool| shown.get_mut(tool)) {
                *state = (*state).max(if sighting.is_same { SAME } else { CHANGED });
            }
        }
        let mut marked = Vec::new();
        for (tool, (state, shown)) in
            self.0.iter_mut().zip(shown).enumerate().filter(|(_, (_, shown))| *shown != UNSEEN)
        {
            if shown == CHANGED && *state != CHANGED {
                marked.push(tool);
            }
            *state = shown;
        }
        marked
    }

    pub(super) fn of(&self, tool: usize) -> Option<u8> {
        self.0.get(tool).copied()
    }
}
