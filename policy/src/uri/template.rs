//! URI templates: what servers list, and what completions refer to.

use super::text::{self, LED, NARROW, Role, WIDE, is_expression};
use super::{UriError, normalize, rewrite};

/// Rewrites a URI template (RFC 6570) so that the rules match it like the URIs that it expands to. Normalising that again
/// changes nothing.
///
/// Expressions stay as they stand; all around them is rewritten as [`normalize`] does. A text without braces is a URI.
///
/// ```
/// use policy::uri::normalize_template;
///
/// assert_eq!(normalize_template("FILE:/srv/x/../%6cab/{path}")?, "file:///srv/lab/{path}");
/// assert_eq!(normalize_template("db://{table}/rows{?limit}")?, "db://{table}/rows{?limit}");
/// # Ok::<(), policy::uri::UriError>(())
/// ```
///
/// # Errors
/// Those of [`normalize`], also where only some expansions would have them: `.{x}` may become `..`. And
/// [`UriError::Expression`] if braces do not match, an expression is malformed, or it stands
/// - in a scheme, or in the host of a file or of a web scheme;
/// - in the host of a server's own scheme, unless it expands to nothing but a part of the name: `{+x}` and `{x*}` may not;
/// - at the start of a path, if it may bring a host of its own;
/// - in front of anything else, if it starts a query.
pub fn normalize_template(template: &str) -> Result<String, UriError> {
    if !template.contains(['{', '}']) {
        return normalize(template);
    }
    if template.len() > super::MAX_BYTES {
        return Err(UriError::TooLong);
    }
    if template.contains(is_expression) {
        return Err(UriError::BadCharacter);
    }
    let (marked, expressions) = marked(template)?;
    text::check(&marked, Role::Template)?;
    if let Some((scheme, rest)) = marked.split_once(':')
        && (scheme.contains(is_expression) || rest.strip_prefix('/').unwrap_or(rest).starts_with(WIDE))
    {
        return Err(UriError::Expression);
    }
    restored(&rewrite(&marked, Role::Template)?, &expressions)
}

/// The template with a mark in place of each expression, and the expressions.
fn marked(template: &str) -> Result<(String, Vec<&str>), UriError> {
    let mut marked = String::with_capacity(template.len());
    let mut expressions = Vec::new();
    let mut rest = template;
    // An expression has started a query.
    let mut queried = false;
    while let Some((before, after)) = rest.split_once('{') {
        let (inner, after) = after.split_once('}').ok_or(UriError::Expression)?;
        // What follows a query's start would belong to the path as long as the variable is not set.
        if before.contains('}') || queried && !before.is_empty() {
            return Err(UriError::Expression);
        }
        marked.push_str(before);
        let in_query = queried || marked.contains('?');
        let expression = Expression::parse(inner)?;
        match expression.lead {
            Some('#') => return Err(UriError::Fragment),
            Some('?') if in_query => return Err(UriError::Expression),
            Some('&') if !in_query => return Err(UriError::Expression),
            Some(lead) if queried && lead != '&' => return Err(UriError::Expression),
            None if queried => return Err(UriError::Expression),
            Some('?') => queried = true,
            _ => {}
        }
        marked.extend(expression.lead);
        marked.push(expression.mark);
        expressions.push(inner);
        rest = after;
    }
    if rest.contains('}') || queried && !rest.is_empty() {
        return Err(UriError::Expression);
    }
    marked.push_str(rest);
    Ok((marked, expressions))
}

/// The text with each expression in place of its mark.
fn restored(marked: &str, expressions: &[&str]) -> Result<String, UriError> {
    let mut out = String::with_capacity(marked.len());
    let mut expressions = expressions.iter();
    for character in marked.chars() {
        if !is_expression(character) {
            out.push(character);
            continue;
        }
        let inner = *expressions.next().ok_or(UriError::Expression)?;
        if character == LED && out.pop() != inner.chars().next() {
            return Err(UriError::Expression);
        }
        out.extend(["{", inner, "}"]);
    }
    // Each segment that holds an expression has been kept.
    if expressions.next().is_some() { Err(UriError::Expression) } else { Ok(out) }
}

/// What is known of an expression's expansions (RFC 6570 section 3.2).
struct Expression {
    /// The character that they start with.
    lead: Option<char>,
    mark: char,
}

impl Expression {
    fn parse(inner: &str) -> Result<Self, UriError> {
        let (operator, list) = match inner.chars().next() {
            Some(operator @ ('+' | '#' | '.' | '/' | ';' | '?' | '&')) => {
                (Some(operator), inner.get(1..).unwrap_or_default())
            }
            _ => (None, inner),
        };
        if !list.split(',').all(is_variable) {
            return Err(UriError::Expression);
        }
        let (lead, mark) = match operator {
            Some('+') => (None, WIDE),
            // By the RFC a list with commas; but servers take this for a path of any length.
            None if list.contains('*') => (None, WIDE),
            None => (None, NARROW),
            lead => (lead, LED),
        };
        Ok(Self { lead, mark })
    }
}

/// A `varspec` (RFC 6570 section 2.3 and 2.4): a name, and perhaps how many characters of its value, or all its elements.
fn is_variable(variable: &str) -> bool {
    let name = match variable.split_once(':') {
        Some((name, length)) => {
            let is_length = matches!(length.len(), 1..=4) && !length.starts_with('0');
            if !is_length || !length.bytes().all(|byte| byte.is_ascii_digit()) {
                return false;
            }
            name
        }
        None => variable.strip_suffix('*').unwrap_or(variable),
    };
    let is_plain =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    // Encoded characters are part of the name, and servers hardly agree on it.
    name.split('.').all(is_plain)
}
