//! Paths of requests, which servers read in more than one way.

use core::cell::OnceCell;

use crate::document::Glob;
use crate::document::glob::GlobError;

/// The path of a request in the readings that servers have of it.
#[derive(Debug)]
pub struct RequestPath<'p> {
    /// As it came, without query.
    raw: &'p str,
    /// As most servers see it. None if they differ.
    plain: Option<String>,
    /// As the most lenient see it, once somebody asks.
    lenient: OnceCell<String>,
}

/// Whether a path is one that a glob names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// Every server sees such a path.
    Yes,
    /// No server does.
    No,
    /// Some may.
    Unclear,
}

/// A glob of paths.
#[derive(Debug)]
pub struct PathGlob {
    exact: Glob,
    lenient: Glob,
}

impl<'p> RequestPath<'p> {
    /// Reads the path of a request as it came, query and all.
    ///
    /// Its plain reading has escapes of unreserved characters decoded, slashes merged, dot segments removed and no slash at
    /// its end; there is none if the path holds a backslash or an encoded separator. Its lenient reading has everything
    /// decoded before it is split, in lower case, and without what follows a `;` in a segment.
    pub fn of(path: &'p str) -> Self {
        let raw = path.split(['?', '#']).next().unwrap_or_default();
        let plain = if !raw.contains(['%', '\\']) {
            Some(resolve(raw.split('/')))
        } else {
            let lower = raw.to_ascii_lowercase();
            let separators = ["%2f", "%5c", "%00", "%25", "\\"];
            let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            let is_clear = !separators.iter().any(|separator| lower.contains(separator));
            is_clear.then(|| resolve(decode(raw, unreserved).split('/')))
        };
        Self { raw, plain, lenient: OnceCell::new() }
    }

    /// The path, if this is how it came: spelled so that no server can take it for another.
    pub fn plainest(&self) -> Option<&str> {
        self.plain.as_deref().filter(|plain| *plain == self.raw && self.is_ordinary())
    }

    /// Whether the lenient reading differs from the plain one by case only.
    fn is_ordinary(&self) -> bool {
        !self.raw.contains(['%', ';', '\\'])
    }

    fn lenient(&self) -> &str {
        self.lenient.get_or_init(|| {
            // Twice, for those who decode what they have decoded.
            let all = decode(&decode(self.raw, |_| true), |_| true).to_ascii_lowercase().replace('\0', "");
            let all = all.split(['?', '#']).next().unwrap_or_default();
            resolve(all.split(['/', '\\']).map(|segment| segment.split(';').next().unwrap_or_default()))
        })
    }
}

impl PathGlob {
    /// # Errors
    /// Those of [`Glob::parse`].
    pub(super) fn parse(text: &str) -> Result<Self, GlobError> {
        Ok(Self { exact: Glob::parse(text)?, lenient: Glob::parse(&text.to_ascii_lowercase())? })
    }

    /// Whether the glob names the path. What only one of the readings falls under is unclear.
    pub fn names(&self, path: &RequestPath<'_>) -> Named {
        let Some(plain) = &path.plain else { return Named::Unclear };
        let exact = self.exact.matches(plain);
        if exact && path.is_ordinary() {
            return Named::Yes;
        }
        match (exact, self.lenient.matches(path.lenient())) {
            (true, true) => Named::Yes,
            (false, false) => Named::No,
            _ => Named::Unclear,
        }
    }

    /// Whether the glob names this path, spelled as it is.
    pub fn matches(&self, path: &str) -> bool {
        self.exact.matches(path)
    }
}

/// Slashes merged, dot segments removed (RFC 3986 section 5.2.4), no slash at the end.
fn resolve<'s>(segments: impl Iterator<Item = &'s str>) -> String {
    let mut resolved: Vec<&str> = Vec::new();
    for segment in segments {
        match segment {
            "" | "." => {}
            ".." => {
                resolved.pop();
            }
            segment => resolved.push(segment),
        }
    }
    format!("/{}", resolved.join("/"))
}

/// Replaces the escapes of those ASCII characters that `which` wants.
fn decode(path: &str, which: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (code, after.get(2..)) {
            (Some(byte), Some(tail)) if byte.is_ascii() && which(byte) => {
                out.push(char::from(byte));
                rest = tail;
            }
            _ => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(glob: &str, path: &str) -> Named {
        PathGlob::parse(glob).unwrap().names(&RequestPath::of(path))
    }

    #[test]
    fn a_path_is_named_however_plainly_it_is_spelled() {
        for path in
            ["/mlflow/mcp", "/mlflow/mcp?x=1", "/mlflow//mcp/", "/mlflow/./mcp", "/x/../mlflow/mcp", "/%6dlflow/mc%70"]
        {
            assert_eq!(named("/mlflow/mcp", path), Named::Yes, "{path}");
        }
    }

    #[test]
    fn a_path_that_only_some_server_reads_so_is_unclear() {
        for path in [
            "/MLflow/mcp",
            "/mlflow/mc%50",
            "/mlflow;v=1/mcp",
            "/mlflow/mcp;jsessionid=1",
            "/mlflow%2fmcp",
            "/mlflow%2Fmcp",
            "/mlflow\\mcp",
            "/mlflow/mcp%00",
            "/%256dlflow/mcp",
            "/mlflow/x/..;/mcp",
            "/mlflow/mcp%3bx",
            "/mlflow/mcp%3fx",
        ] {
            assert_eq!(named("/mlflow/mcp", path), Named::Unclear, "{path}");
        }
        assert_eq!(named("/a+b", "/a%2bb"), Named::Unclear);
    }

    #[test]
    fn a_path_that_some_server_reads_as_another_is_unclear_too() {
        for path in ["/open/..;/mlflow/mcp", "/open/%2e%2e;/mlflow/mcp", "/open;/../mlflow/mcp;x/..;/y"] {
            assert_ne!(named("/open/*", path), Named::Yes, "{path}");
        }
        for path in ["/open/a;v=1", "/open/%41", "/open/a%20b", "/open/A"] {
            assert_eq!(named("/open/*", path), Named::Yes, "{path}");
        }
    }

    #[test]
    fn another_path_is_not_named() {
        for path in ["/", "", "/mlflow", "/mlflow/mcp/x", "/other/mcp", "/mlflow/mcp/..", "*"] {
            assert_eq!(named("/mlflow/mcp", path), Named::No, "{path}");
        }
    }

    #[test]
    fn only_the_plainest_spelling_passes_unjudged() {
        let plainest = |raw: &str| RequestPath::of(raw).plainest().is_some();
        assert!(plainest("/.well-known/oauth-protected-resource?x=%2e"));
        for raw in ["/a/../b", "//a", "/a/", "/%61", "/a;b", "/a\\b"] {
            assert!(!plainest(raw), "{raw}");
        }
    }
}
