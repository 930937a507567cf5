//! Where a server of 2024-11-05 wants messages to be posted: the `endpoint` event of its stream.

use crate::host::Headers;
use crate::route;
use crate::runtime::Runtime;
use crate::stream::Exchange;

/// Whether what a client posts there comes by this filter again, and is judged by the policies of the stream.
pub(crate) fn is_policed(runtime: &Runtime, exchange: &Exchange, reference: &str) -> bool {
    let Exchange { headers, policies, caller, .. } = exchange;
    path_here(headers, reference)
        .is_some_and(|path| route::is_policed_alike(runtime, headers, caller.claims(), policies, &path))
}

/// The path that a URI reference means, query and all, if it stays with the origin of the request (RFC 3986 section 5.2).
/// None also for what parsers of URLs read differently.
fn path_here(headers: &Headers, reference: &str) -> Option<String> {
    let dots = |segment: &str| segment.to_ascii_lowercase().replace("%2e", ".") == "..";
    if !reference.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#".contains(&byte))
        || reference.split(['/', '?']).any(dots)
    {
        return None;
    }
    let base = headers.first(":path").unwrap_or("/").split(['?', '#']).next().unwrap_or("/");
    if reference.starts_with('/') {
        return (!reference.starts_with("//")).then(|| reference.to_owned());
    }
    if reference.starts_with('?') {
        return Some(format!("{base}{reference}"));
    }
    let first = reference.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((scheme, _)) = first.split_once(':') else {
        let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
        return Some(format!("{folder}/{reference}"));
    };
    let rest = reference.get(scheme.len()..)?.strip_prefix("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end)?;
    let is = |name, value: &str| headers.first(name).is_some_and(|own| own.eq_ignore_ascii_case(value));
    (is(":scheme", scheme) && is(":authority", authority)).then(|| match path {
        path if path.starts_with('/') => path.to_owned(),
        path => format!("/{path}"),
    })
}
