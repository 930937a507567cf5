use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Params;

/// What headers say of the message in the body: revision 2026-07-28 repeats it there for those that do not read bodies
/// (MCP basic/transports, "Standard headers"). They prove nothing, and must agree.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeaderCopies<'h> {
    version: Copied<'h>,
    method: Copied<'h>,
    name: Copied<'h>,
}

/// One header.
#[derive(Debug, Clone, Copy, Default)]
enum Copied<'h> {
    #[default]
    Absent,
    Once(&'h [u8]),
    Repeated,
}

/// The first header that does not agree with the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderMismatch {
    header: &'static str,
    what: &'static str,
}

/// JSON-RPC error code of a mismatch (MCP 2026-07-28).
pub const HEADER_MISMATCH: i32 = -32020;

impl<'h> HeaderCopies<'h> {
    /// Picks the headers out of all. Names are in lower case.
    pub fn of(headers: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> Self {
        let mut copies = Self::default();
        for (name, value) in headers {
            let [b'm', b'c', b'p', b'-', rest @ ..] = name else { continue };
            let copied = match rest {
                b"protocol-version" => &mut copies.version,
                b"method" => &mut copies.method,
                b"name" => &mut copies.name,
                _ => continue,
            };
            *copied = if matches!(copied, Copied::Absent) { Copied::Once(value) } else { Copied::Repeated };
        }
        copies
    }

    /// Compares the headers with the message. Those of a revision that has them must be there.
    ///
    /// # Errors
    /// If a header is repeated, cannot be decoded, differs, or is missing.
    pub fn agree_with(&self, method: &str, params: &Params<'_>) -> Result<(), HeaderMismatch> {
        let version = params.protocol_version.as_deref();
        let required = version.is_some();
        if let (Some(_), _) | (_, Copied::Repeated) = (version, self.version) {
            self.version.compare("MCP-Protocol-Version", version, required)?;
        }
        self.method.compare("Mcp-Method", Some(method), required)?;
        let name = match method {
            "tools/call" | "prompts/get" => params.name.as_deref(),
            "resources/read" => params.uri.as_deref(),
            _ if method.starts_with("tasks/") => params.task_id.as_deref(),
            _ => None,
        };
        self.name.compare("Mcp-Name", name, required && name.is_some())
    }
}

impl Copied<'_> {
    fn compare(self, header: &'static str, body: Option<&str>, required: bool) -> Result<(), HeaderMismatch> {
        let mismatch = |what| Err(HeaderMismatch { header, what });
        match (self, body) {
            (Self::Absent, _) if required => mismatch("is missing"),
            (Self::Absent, _) => Ok(()),
            (Self::Repeated, _) => mismatch("is repeated"),
            (Self::Once(value), body) => match (decoded(value), body) {
                (None, _) => mismatch("cannot be decoded"),
                (Some(value), Some(body)) if *value == *body.as_bytes() => Ok(()),
                _ => mismatch("differs from the body"),
            },
        }
    }
}

/// The value without the white space around it, and decoded if it is written as `=?base64?…?=`.
fn decoded(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let value = value.trim_ascii();
    match value.strip_prefix(b"=?base64?").and_then(|rest| rest.strip_suffix(b"?=")) {
        Some(encoded) => STANDARD.decode(encoded).ok().map(Cow::Owned),
        None => Some(Cow::Borrowed(value)),
    }
}

impl fmt::Display for HeaderMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the header {} {}", self.header, self.what)
    }
}

impl std::error::Error for HeaderMismatch {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, read};

    fn check(headers: &[(&str, &str)], body: &str) -> Result<(), String> {
        let Ok(Message::Request { method, params, .. }) = read(body.as_bytes(), 64) else { panic!("{body}") };
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        HeaderCopies::of(headers).agree_with(&method, &params).map_err(|error| error.to_string())
    }

    const OLD: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"größe"}}"#;
    const NEW: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;

    #[test]
    fn older_revisions_need_no_copies() {
        assert_eq!(check(&[], OLD), Ok(()));
        assert_eq!(check(&[("mcp-protocol-version", "2025-06-18"), ("mcp-session-id", "x")], OLD), Ok(()));
    }

    #[test]
    fn copies_are_decoded_and_compared() {
        assert_eq!(check(&[("mcp-name", "=?base64?Z3LDtsOfZQ==?=")], OLD), Ok(()));
        assert_eq!(check(&[("mcp-name", "grosse")], OLD), Err("the header Mcp-Name differs from the body".into()));
        assert_eq!(check(&[("mcp-name", "=?base64?%?=")], OLD), Err("the header Mcp-Name cannot be decoded".into()));
        assert_eq!(
            check(&[("mcp-method", "tools/list")], OLD),
            Err("the header Mcp-Method differs from the body".into())
        );
    }

    #[test]
    fn the_revision_that_has_copies_must_send_them_once() {
        let agreeing = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", " a ")];
        assert_eq!(check(&agreeing, NEW), Ok(()));
        for missing in 0..3 {
            let headers: Vec<_> = (0..3).filter(|index| *index != missing).map(|index| agreeing[index]).collect();
            assert!(check(&headers, NEW).unwrap_err().ends_with("is missing"));
            let repeated: Vec<_> = agreeing.into_iter().chain([agreeing[missing]]).collect();
            assert!(check(&repeated, NEW).unwrap_err().ends_with("is repeated"));
        }
        assert!(check(&[("mcp-protocol-version", "2025-11-25"), agreeing[1], agreeing[2]], NEW).is_err());
    }
}
