//! The audit record.

use super::model::{Audit, GrantSource, Identity};
use crate::document::fields::{Check, Place};
use crate::document::path::{Path, Root, Step};
use crate::document::{ErrorKind, Policy};
use crate::global::DigestKey;

/// Reads `audit`: its presence turns records on.
pub(super) fn audit(check: &mut Check, place: &Place<'_>) -> Option<Audit> {
    let fields = check.fields(place, &["digest_key"])?;
    let digest_key = fields.need(check, "digest_key").and_then(|place| {
        // The text is shown nowhere, not even in part.
        let key = DigestKey::new(check.text(&place)?);
        let wanted = "expected a secret of 32 to 256 characters, the same wherever records are to be compared";
        check.note(&place, key.ok_or(ErrorKind::Misplaced(wanted)))
    });
    Some(Audit { digest_key: digest_key? })
}

/// Notes sources of the grant that some rule records: in records a grant is a digest, and one that stands beside its digest
/// would tell whose all the others with that digest are.
pub(super) fn keeps_grants<'p>(
    check: &mut Check,
    place: &Place<'_>,
    identity: &Identity,
    policies: impl Iterator<Item = &'p Policy>,
) {
    let paths = policies.flat_map(Policy::rules).flat_map(|rule| &rule.record);
    let recorded: Vec<&Path> = paths.collect();
    let sources = check.elements(place).unwrap_or_default();
    // INVARIANT: where nothing was noted, each source has been read.
    for (source, place) in identity.grant.iter().zip(sources) {
        let is_it = |path: &Path| match (source, &path.root) {
            (GrantSource::Header(header), Root::Header(name)) => **header == **name,
            (GrantSource::JwtClaim { claim, .. }, Root::Claims) => match path.steps.first() {
                Some(Step::Key(name)) => **name == **claim,
                _ => true,
            },
            _ => false,
        };
        if recorded.iter().any(|path| is_it(path)) {
            let why = "a rule records what this grant is told by, and a grant is never recorded but as a digest";
            check.wrong(&place, ErrorKind::Misplaced(why));
        }
    }
}
