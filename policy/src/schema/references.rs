//! References: resolved when a schema is loaded, and only inside of it.

use std::borrow::Cow;

use super::{Id, Schema};
use crate::document::fields::Place;

/// A reference that is still to be resolved.
#[derive(Debug, Clone)]
pub(super) struct Reference<'t> {
    /// Where it stands among the compiled parts,
    pub(super) from: Id,
    /// and among the keywords of that.
    pub(super) position: usize,
    pub(super) text: &'t str,
    pub(super) place: Place<'t>,
}

/// Parts that have a name. With one base there is one of each, so a dynamic reference is as good as any other.
#[derive(Debug, Default)]
pub(super) struct Anchors<'t>(Vec<(&'t str, Place<'t>)>);

impl<'t> Anchors<'t> {
    /// Whether the name is new, or that of this very part.
    pub(super) fn add(&mut self, name: &'t str, place: &Place<'t>) -> bool {
        match self.0.iter().find(|(known, _)| *known == name) {
            Some((_, known)) => known.node.offset == place.node.offset,
            None => {
                self.0.push((name, place.clone()));
                true
            }
        }
    }
}

/// What a reference points to.
///
/// # Errors
/// Why it points nowhere.
pub(super) fn resolve<'t>(
    root: &Place<'t>,
    base: Option<&str>,
    anchors: &Anchors<'t>,
    text: &str,
) -> Result<Place<'t>, &'static str> {
    let base = base.map(|base| base.split('#').next().unwrap_or_default()).filter(|base| !base.is_empty());
    let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
    if !before.is_empty() && Some(before) != base {
        return Err("only parts of the same schema can be referred to (`#/$defs/…`): nothing is fetched");
    }
    let fragment = decoded(fragment).ok_or("the reference has a `%` that begins no encoded byte")?;
    if fragment.is_empty() {
        return Ok(root.clone());
    }
    let nothing = "there is nothing in the schema that this refers to";
    if !fragment.starts_with('/') {
        let named = anchors.0.iter().find(|(name, _)| *name == fragment);
        return named.map(|(_, place)| place.clone()).ok_or(nothing);
    }
    root.at(&fragment).ok_or(nothing)
}

/// Takes percent-encoding away.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(part.get(2..)?.as_bytes());
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Whether applying some part to a value could come to that part and that value again, and so never end.
pub(super) fn runs_in_circles(schema: &Schema) -> bool {
    const NEW: u8 = 0;
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    let follow = |id: Id| -> Vec<Id> { schema.keywords(id).iter().flat_map(|keyword| keyword.in_place()).collect() };
    let mut states = vec![NEW; schema.nodes.len()];
    for start in 0..schema.nodes.len() {
        if states.get(start) != Some(&NEW) {
            continue;
        }
        // A walk with a stack of its own: chains can be as long as the schema.
        let mut open = vec![(start, follow(Id(start)))];
        if let Some(state) = states.get_mut(start) {
            *state = OPEN;
        }
        while let Some((at, rest)) = open.last_mut() {
            let Some(Id(next)) = rest.pop() else {
                if let Some(state) = states.get_mut(*at) {
                    *state = DONE;
                }
                open.pop();
                continue;
            };
            match states.get_mut(next) {
                Some(state) if *state == OPEN => return true,
                Some(state) if *state == NEW => {
                    *state = OPEN;
                    open.push((next, follow(Id(next))));
                }
                _ => {}
            }
        }
    }
    false
}
