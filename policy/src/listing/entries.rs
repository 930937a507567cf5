//! The entries of listings.

use super::cuts::{Cuts, Elements};
use super::message::{Result, refuse_lookalike, unreadable};
use super::{Kind, Reason, Shown, Unreadable};
use crate::json::{Reader, Value};

/// Reads a listing, and leaves out the entries that are not shown.
pub(super) fn listing(reader: &mut Reader<'_>, kind: Kind, shown: &dyn Shown, cuts: &mut Cuts) -> Result<()> {
    let peeked = reader.peek();
    let offset = reader.offset();
    if peeked != Some(b'[') {
        return match reader.value()? {
            // Go servers write an empty list so; it shows nothing to anybody.
            Value::Null => Ok(()),
            _ => Err(unreadable(offset, Reason::NotAnArray(kind.member()))),
        };
    }
    let mut entries = Elements::of_array_at(offset);
    reader.array(|reader| {
        let start = reader.offset();
        let shows = shows_entry(reader, kind, shown)?;
        entries.next(start, reader.offset(), shows, cuts);
        Ok::<(), Unreadable>(())
    })?;
    entries.end(cuts);
    Ok(())
}

/// Reads one entry and says whether it is shown.
fn shows_entry(reader: &mut Reader<'_>, kind: Kind, shown: &dyn Shown) -> Result<bool> {
    let identifier = kind.identifier();
    let peeked = reader.peek();
    let offset = reader.offset();
    if peeked != Some(b'{') {
        reader.value()?;
        return Err(unreadable(offset, Reason::NotAnObject(kind.member())));
    }
    let mut name = None;
    let rest = reader.rest();
    reader.object(|reader, key| {
        if key.as_bytes() != identifier.as_bytes() {
            refuse_lookalike(key, identifier)?;
            reader.value()?;
            return Ok(());
        }
        match reader.value()? {
            Value::String(text) => {
                name = Some(text);
                Ok(())
            }
            _ => Err(unreadable(key.offset(), Reason::NotAString(identifier))),
        }
    })?;
    match name {
        Some(name) => {
            let entry = rest.get(..reader.offset().saturating_sub(offset)).unwrap_or_default();
            Ok(shown.shows_entry(kind, &name.decode(), entry))
        }
        None => Err(unreadable(offset, Reason::Missing(identifier))),
    }
}
