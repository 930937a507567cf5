//! How far records may walk.

use super::{Found, Mark};
use crate::decision::Facts;
use crate::document::path::{Path, Root};
use crate::json::Value;
use crate::message::Arguments;

/// How many bytes of arguments the recorded paths of one body may walk over, all together: each path walks over all of
/// them at worst. A worker serves nobody else meanwhile, so for a body of 1 MiB that are 8 paths.
const MOST: usize = 8 << 20;

/// What is left of that for a body.
#[derive(Debug)]
pub struct Walks {
    left: usize,
}

impl Default for Walks {
    fn default() -> Self {
        Self { left: MOST }
    }
}

impl Walks {
    /// Follows the paths of one call. Those that would walk too far are marked as too long.
    pub fn follow<'p>(
        &mut self,
        paths: &[&'p Path],
        arguments: &Arguments<'_>,
        facts: &dyn Facts,
    ) -> Vec<(&'p Path, Found)> {
        let size = if paths.is_empty() { 0 } else { size(arguments) };
        let follow = |path: &&'p Path| {
            if path.root == Root::Arguments {
                match self.left.checked_sub(size) {
                    Some(left) => self.left = left,
                    None => return (*path, Found::None(Mark::TooLong)),
                }
            }
            (*path, Found::at(path, arguments, facts))
        };
        paths.iter().map(follow).collect()
    }
}

/// About how many bytes the arguments have.
fn size(arguments: &Arguments<'_>) -> usize {
    arguments.members().iter().fold(0, |sum: usize, (key, value)| {
        let value = match value {
            Value::Array(raw) | Value::Object(raw) => raw.bytes().len(),
            // Nobody walks into these.
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 4,
        };
        sum.saturating_add(key.as_bytes().len()).saturating_add(value)
    })
}
