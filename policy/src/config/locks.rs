//! The tools of servers as they were reviewed.

use super::model::Route;
use super::routes::Chosen;
use super::values::is_plain;
use crate::document::ErrorKind;
use crate::document::fields::{Check, Fields, Place};
use crate::pins::{Digest, Lock, Unseen};

/// A lock of the configuration; without lock where it could not be read.
pub(super) struct Named<'t> {
    pub(super) name: &'t str,
    offset: usize,
    pointer: String,
    pub(super) lock: Option<Lock>,
}

/// Reads `locks`.
pub(super) fn locks<'t>(check: &mut Check, fields: &Fields<'t>) -> Vec<Named<'t>> {
    let Some(place) = fields.get("locks") else { return vec![] };
    let members = check.members(&place).unwrap_or_default();
    let named = members.into_iter().map(|(offset, name, place)| {
        if !is_plain(name) {
            let wanted = "a lock's name has 1 to 64 letters, digits, `-`, `_` or `.`";
            check.wrong_at(offset, place.pointer(), ErrorKind::Misplaced(wanted));
        }
        let lock = lock(check, &place);
        Named { name, offset, pointer: place.pointer(), lock }
    });
    named.collect()
}

/// Notes locks that no route uses, as they would protect nothing.
pub(super) fn used(check: &mut Check, locks: &[Named<'_>], routes: &[Route]) {
    for (index, named) in locks.iter().enumerate() {
        if !routes.iter().any(|route| route.lock == Some(index)) {
            check.wrong_at(named.offset, named.pointer.clone(), ErrorKind::Misplaced("no route uses this lock"));
        }
    }
}

/// The lock that a route names.
pub(super) fn chosen(check: &mut Check, place: &Place<'_>, chosen: &Chosen<'_>) -> Option<usize> {
    let name = check.text(place)?;
    let found = chosen.locks.iter().position(|lock| *lock == name);
    if found.is_none() {
        check.unknown_word(place, name, chosen.locks.iter().copied());
    }
    found
}

fn lock(check: &mut Check, place: &Place<'_>) -> Option<Lock> {
    let fields = check.fields(place, &["version", "unseen", "tools", "description", "$schema"])?;
    for comment in ["description", "$schema"] {
        fields.get(comment).and_then(|place| check.text(&place));
    }
    let version = fields.need(check, "version").and_then(|place| check.word(&place, &[("1", ())]));
    let unseen = match fields.get("unseen") {
        Some(place) => check.word(&place, &[("pass", Unseen::Pass), ("deny", Unseen::Deny)]),
        None => Some(Unseen::Pass),
    };
    let tools = fields.need(check, "tools").and_then(|place| check.members(&place))?;
    let tools: Vec<_> = tools.into_iter().map(|(_, name, place)| Some((name.into(), tool(check, &place)?))).collect();
    version?;
    Some(Lock::new(unseen?, tools.into_iter().collect::<Option<_>>()?))
}

fn tool(check: &mut Check, place: &Place<'_>) -> Option<Digest> {
    let fields = check.fields(place, &["sha256"])?;
    let place = fields.need(check, "sha256")?;
    let text = check.text(&place)?;
    let wanted = "expected 64 hexadecimal digits in lower case, as `mcp-policy pin` writes them";
    check.note(&place, text.parse().map_err(|()| ErrorKind::Misplaced(wanted)))
}
