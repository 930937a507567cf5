//! The audit record.

use super::model::{Audit, GrantSource, Identity};
use crate::document::fields::{Check, Place};
use crate::document::path::Root;
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

/// Notes sources of the grant that some rule records: what a header grant says leaves the filter only as a digest.
pub(super) fn keeps_grants<'p>(
    check: &mut Check,
    place: &Place<'_>,
    identity: &Identity,
    policies: impl Iterator<Item = &'p Policy>,
) {
    let paths = policies.flat_map(Policy::rules).flat_map(|rule| &rule.record);
    let recorded: Vec<&str> = paths
        .filter_map(|path| match &path.root {
            Root::Header(name) => Some(&**name),
            _ => None,
        })
        .collect();
    let sources = check.elements(place).unwrap_or_default();
    // INVARIANT: where nothing was noted, each source has been read.
    for (source, place) in identity.grant.iter().zip(sources) {
        if let GrantSource::Header(name) = source
            && recorded.contains(&&**name)
        {
            let why = "a rule records this header, and a grant is never recorded but as a digest";
            check.wrong(&place, ErrorKind::Misplaced(why));
        }
    }
}
