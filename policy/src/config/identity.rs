//! Who calls.

use super::model::{Certificate, GrantSource, Identity};
use super::values::name;
use crate::document::ErrorKind;
use crate::document::fields::{Check, Place};
use crate::document::path::header_name;

/// Where jwt_authn leaves a token's claims, unless a source says otherwise.
const PAYLOAD: &str = "jwt";

/// The fields that name a source; a grant has one of them.
const SOURCES: [&str; 5] = ["jwt_claim", "filter_state", "peer_certificate", "header", "metadata"];

/// Reads `identity`. Without it all calls share the anonymous grant.
pub(super) fn identity(check: &mut Check, place: Option<&Place<'_>>) -> Identity {
    let mut identity =
        Identity { grant: vec![], required: false, resource_metadata: None, payload_in_metadata: PAYLOAD.into() };
    let Some(fields) = place.and_then(|place| check.fields(place, &["grant", "required", "resource_metadata"])) else {
        return identity;
    };
    if let Some(place) = fields.get("grant") {
        for element in check.elements(&place).unwrap_or_default() {
            let Some(source) = source(check, &element) else { continue };
            if identity.grant.contains(&source) {
                check.wrong(&element, ErrorKind::Misplaced("this source stands here twice"));
            }
            identity.grant.push(source);
        }
    }
    if let Some(place) = fields.get("required") {
        identity.required = check.flag(&place).unwrap_or(false);
        if identity.required && fields.get("grant").is_none_or(|grant| grant.is_empty()) {
            check.wrong(&place, ErrorKind::Misplaced("a grant cannot be required without `grant` saying where it is"));
        }
    }
    if let Some(place) = fields.get("resource_metadata") {
        identity.resource_metadata = url(check, &place);
    }
    let payload = identity.grant.iter().find_map(|source| match source {
        GrantSource::JwtClaim { payload_in_metadata, .. } => Some(payload_in_metadata.clone()),
        _ => None,
    });
    identity.payload_in_metadata = payload.unwrap_or(PAYLOAD.into());
    identity
}

fn source(check: &mut Check, place: &Place<'_>) -> Option<GrantSource> {
    let known = &["jwt_claim", "payload_in_metadata", "filter_state", "peer_certificate", "header", "metadata"];
    let fields = check.fields(place, known)?;
    let mut named = SOURCES.into_iter().filter_map(|source| Some((source, fields.get(source)?)));
    let (Some((kind, value)), None) = (named.next(), named.next()) else {
        let wanted = "expected one of `jwt_claim`, `filter_state`, `peer_certificate`, `header` and `metadata`";
        check.wrong(place, ErrorKind::Misplaced(wanted));
        return None;
    };
    let payload = fields.get("payload_in_metadata");
    if let Some(place) = &payload
        && kind != "jwt_claim"
    {
        check.wrong(place, ErrorKind::Misplaced("only `jwt_claim` is looked for there"));
    }
    Some(match kind {
        "jwt_claim" => {
            let payload_in_metadata = payload.map_or(Some(PAYLOAD.into()), |place| name(check, &place));
            GrantSource::JwtClaim { claim: name(check, &value)?, payload_in_metadata: payload_in_metadata? }
        }
        "filter_state" => GrantSource::FilterState(name(check, &value)?),
        "peer_certificate" => GrantSource::PeerCertificate(check.word(
            &value,
            &[("uri_san", Certificate::UriSan), ("dns_san", Certificate::DnsSan), ("subject", Certificate::Subject)],
        )?),
        "header" => {
            let text = check.text(&value)?;
            let wanted = ErrorKind::Misplaced("expected the name of a header, such as `x-api-key`");
            GrantSource::Header(check.note(&value, header_name(text).ok_or(wanted))?)
        }
        _ => {
            let parts = check.elements(&value)?;
            if parts.len() < 2 {
                let wanted = "expected the name of a filter and at least one key, such as `[\"my.filter\", \"user\"]`";
                check.wrong(&value, ErrorKind::Misplaced(wanted));
            }
            GrantSource::Metadata { path: parts.iter().filter_map(|part| name(check, part)).collect() }
        }
    })
}

/// A URL that fits into a quoted parameter of `WWW-Authenticate` (RFC 9728 section 5.1) as it is.
fn url(check: &mut Check, place: &Place<'_>) -> Option<Box<str>> {
    let text = check.text(place)?;
    let rest = text.strip_prefix("https://").or(text.strip_prefix("http://"));
    let fits = rest
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\'));
    let wanted = ErrorKind::Misplaced("expected a URL that starts with `https://` or `http://`");
    check.note(place, fits.then(|| text.into()).ok_or(wanted))
}
