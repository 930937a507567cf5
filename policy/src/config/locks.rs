//! The tools of servers as they were reviewed.

use super::model::Route;
use super::routes::Chosen;
use super::values::is_plain;
use crate::document::fields::{Check, Fields, Place};
use crate::document::tree::Kind;
use crate::document::{ErrorKind, Policy};
use crate::pins::{Digest, Lock, Unseen};
use crate::schema::{Schema, Strictness};

/// A lock of the configuration; without lock where it could not be read.
pub(super) struct Named<'t> {
    pub(super) name: &'t str,
    offset: usize,
    pointer: String,
    pub(super) lock: Option<Lock>,
    /// The schemas that its tools' arguments have, by the tool.
    schemas: Vec<(&'t str, Place<'t>)>,
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
        let mut schemas = Vec::new();
        let lock = lock(check, &place, &mut schemas);
        Named { name, offset, pointer: place.pointer(), lock, schemas }
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

/// Compiles the schemas that rules go by, and notes rules that go by a schema that is not there: on a route without a lock, or
/// for a tool whose schema its lock does not have. `policies` are those that could be read, each with where it stands.
pub(super) fn schemas(
    check: &mut Check,
    locks: &mut [Named<'_>],
    routes: &[Route],
    policies: &[Option<(&Policy, Place<'_>)>],
) {
    for (index, (policy, place)) in policies.iter().enumerate().filter_map(|(i, policy)| Some((i, policy.as_ref()?))) {
        for (tool, rule) in policy.rules_by_lock() {
            let mut routes = routes.iter().filter(|route| route.policies.contains(&index));
            let lacks = routes.find_map(|route| match route.lock.and_then(|lock| locks.get(lock)) {
                None => Some("a route of this policy has no `lock` to take the schema from"),
                Some(lock) => {
                    let has = |tool| lock.schemas.iter().any(|(name, _)| *name == tool);
                    tool.is_some_and(|tool| !has(tool)).then_some(
                        "the lock of a route has no `inputSchema` of this tool: `mcp-policy pin` writes a lock with them",
                    )
                }
            });
            if let (Some(why), Some(place)) = (lacks, place.at(&rule.pointer)) {
                check.wrong(&place, ErrorKind::Misplaced(why));
            }
        }
    }
    for (index, named) in locks.iter_mut().enumerate() {
        let Some(lock) = &mut named.lock else { continue };
        let chosen = || routes.iter().filter(|route| route.lock == Some(index)).flat_map(|route| &route.policies);
        for (tool, place) in &named.schemas {
            let is_wanted = chosen().any(|policy| {
                policies.get(*policy).and_then(Option::as_ref).is_some_and(|(policy, _)| policy.goes_by_lock(tool))
            });
            if is_wanted && let Some(schema) = Schema::compile(check, place, Strictness::Pinned) {
                lock.add_schema(tool, schema);
            }
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

fn lock<'t>(check: &mut Check, place: &Place<'t>, schemas: &mut Vec<(&'t str, Place<'t>)>) -> Option<Lock> {
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
    let mut digests = Vec::new();
    for (_, name, place) in tools {
        let digest = tool(check, &place);
        if let Some(place) = place.member("inputSchema") {
            match place.node.kind {
                Kind::Object(_) | Kind::Bool(_) => schemas.push((name, place)),
                _ => check.mistyped(&place, "a JSON Schema").unwrap_or_default(),
            }
        }
        digests.push(digest.map(|digest| (name.into(), digest)));
    }
    version?;
    Some(Lock::new(unseen?, digests.into_iter().collect::<Option<_>>()?))
}

fn tool(check: &mut Check, place: &Place<'_>) -> Option<Digest> {
    let fields = check.fields(place, &["sha256", "inputSchema"])?;
    let place = fields.need(check, "sha256")?;
    let text = check.text(&place)?;
    let wanted = "expected 64 hexadecimal digits in lower case, as `mcp-policy pin` writes them";
    check.note(&place, text.parse().map_err(|()| ErrorKind::Misplaced(wanted)))
}
