//! The keys of rules: URIs that may hold wildcards.

use super::text::{self, Role, STAR};
use super::{UriError, is_scheme, path, rewrite};

/// Rewrites a URI with wildcards (`*`; `\*` is a literal one) so that it matches normal forms. A pattern that starts with
/// a wildcard, such as `*.csv`, matches ends of URIs of any scheme.
///
/// ```
/// use policy::uri::normalize_pattern;
///
/// assert_eq!(normalize_pattern("FILE://localhost/srv/%6cab/*")?, "file:///srv/lab/*");
/// # Ok::<(), policy::uri::UriError>(())
/// ```
///
/// # Errors
/// Those of [`normalize`](super::normalize), as no request would ever match; and if a wildcard stands where it would match
/// more than it seems to.
pub fn normalize_pattern(pattern: &str) -> Result<String, UriError> {
    if pattern.contains(STAR) {
        return Err(UriError::BadCharacter);
    }
    let pattern = pattern.replace("\\*", "\u{1}");
    text::check(&pattern, Role::Pattern)?;
    let normal = match pattern.split_once('*') {
        Some((start, end)) if !start.contains(':') => any_scheme(start, end)?,
        _ => rewrite(&pattern, Role::Pattern)?,
    };
    Ok(normal.replace(STAR, "\\*"))
}

/// A pattern whose first wildcard stands before the end of the scheme.
fn any_scheme(start: &str, end: &str) -> Result<String, UriError> {
    if !start.is_empty() && !is_scheme(start) {
        return Err(UriError::NoScheme);
    }
    if end.contains("://") {
        return Err(UriError::Wildcard);
    }
    let (before, query) = text::split_query(end)?;
    let mut out = format!("{}*{}", start.to_ascii_lowercase(), path::opaque(before, Role::Pattern)?);
    if let Some(query) = query {
        out.push('?');
        out.push_str(&text::query(query)?);
    }
    Ok(out)
}
