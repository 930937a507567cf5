//! Few things by name: with less code than a map or a sort takes, for what is made once and only looked up.

use crate::document::ErrorKind;
use crate::document::fields::{Check, Place};

/// The most things, as each is moved for those that are put before it.
const MAX: usize = 4096;

/// Things sorted by their names.
#[derive(Debug)]
pub(super) struct Sorted<T>(pub(super) Vec<(Box<str>, T)>);

impl<T> Default for Sorted<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Sorted<T> {
    /// Adds a thing that stands there, in the place of one with the same name.
    pub(super) fn insert(&mut self, check: &mut Check, place: &Place<'_>, name: &str, thing: T) {
        if self.0.len() >= MAX {
            check.wrong(place, ErrorKind::Misplaced("more than 4096 names in one object of a schema are too many"));
            return;
        }
        let at = self.0.partition_point(|(known, _)| **known < *name);
        self.0.insert(at, (name.into(), thing));
    }
}
