//! URIs in the one spelling that they are compared in.
//!
//! A rule holds only if the server reads the same URI as the filter. Servers match texts, split them by RFC 3986, parse
//! them like a browser (WHATWG URL), or strip the scheme and open the rest as a path, and each may decode and remove dot
//! segments in an order of its own. So there are two outcomes only: what all of them read alike gets one normal form, and
//! what they read differently is refused.
//!
//! The normal form is that of RFC 3986 sections 6.2.2 and 6.2.3: scheme and host in lower case, hexadecimal digits in upper
//! case, characters of the path that need no encoding decoded, dot segments removed, default ports dropped, a slash after a
//! host without a path. RFC 8089 adds that `file://localhost/x`, `file:///x` and `file:/x` are one file. A file's repeated
//! slashes become one, as in every file system. A URI without an authority gets an empty one if its path starts with a
//! slash.
//!
//! The request itself is forwarded as it came; the normal form is for comparing only.

mod authority;
mod error;
mod path;
mod pattern;
mod template;
mod text;

pub use error::UriError;
pub use pattern::normalize_pattern;
pub use template::normalize_template;

use text::Role;

/// The longest URI, in bytes.
pub const MAX_BYTES: usize = 8192;

/// Rewrites a URI to its normal form. Normalising that again changes nothing.
///
/// ```
/// use policy::uri::normalize;
///
/// assert_eq!(normalize("FILE://localhost/srv/x/../%6cab/a.csv")?, "file:///srv/lab/a.csv");
/// # Ok::<(), policy::uri::UriError>(())
/// ```
///
/// # Errors
/// If the text is no URI, or one that servers read differently.
pub fn normalize(uri: &str) -> Result<String, UriError> {
    text::check(uri, Role::Uri)?;
    rewrite(uri, Role::Uri)
}

/// What is known of a scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// `file`: a path on the server's own machine.
    File,
    /// A scheme whose URIs name a host, and the port that goes without saying.
    Web(u16),
    /// A server's own scheme: nothing is known but the syntax.
    Other,
}

impl Scheme {
    fn of(name: &str) -> Self {
        match name {
            "file" => Self::File,
            "http" | "ws" => Self::Web(80),
            "https" | "wss" => Self::Web(443),
            "ftp" => Self::Web(21),
            _ => Self::Other,
        }
    }
}

/// Rewrites a text whose characters have been checked.
fn rewrite(uri: &str, role: Role) -> Result<String, UriError> {
    let (before, query) = text::split_query(uri)?;
    let (name, rest) = before.split_once(':').filter(|(name, _)| is_scheme(name)).ok_or(UriError::NoScheme)?;
    let name = name.to_ascii_lowercase();
    let scheme = Scheme::of(&name);
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
            (Some(authority), path)
        }
        None => (None, rest),
    };
    let mut out = match scheme {
        Scheme::File if query.is_some() => return Err(UriError::FileQuery),
        Scheme::File => format!("file://{}", path::of_file(authority, path, role)?),
        _ => match authority {
            None if scheme != Scheme::Other => return Err(UriError::BadAuthority),
            None if !path.starts_with('/') => format!("{name}:{}", path::opaque(path, role)?),
            _ => {
                let host = authority::normal(authority.unwrap_or_default(), scheme, role)?;
                if host.is_empty() && path.is_empty() {
                    return Err(UriError::BadAuthority);
                }
                // RFC 3986 section 6.2.3; but a wildcard at the end of the host stands for a path as well.
                let path = if path.is_empty() && !(role == Role::Pattern && host.ends_with('*')) { "/" } else { path };
                format!("{name}://{host}{}", path::rooted(path, scheme, role)?)
            }
        },
    };
    if let Some(query) = query {
        out.push('?');
        out.push_str(&text::query(query)?);
    }
    Ok(out)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

#[cfg(test)]
mod tests;
