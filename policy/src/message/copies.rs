use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

use super::mirrored::Mirrored;
use super::{Message, Params};

/// What headers say of the message in the body: revision 2026-07-28 repeats it there for those that do not read bodies
/// (MCP basic/transports, "Standard headers" and "Custom headers"). They prove nothing, and must agree.
#[derive(Debug, Clone, Default)]
pub struct HeaderCopies<'h> {
    version: Copied<'h>,
    method: Copied<'h>,
    name: Copied<'h>,
    /// The arguments that the tool wants repeated: each header's name after `mcp-param-`, and its value.
    arguments: Vec<(&'h [u8], &'h [u8])>,
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

/// The most arguments that headers may repeat.
const MAX_ARGUMENTS: usize = 64;

/// What the header of every argument is called in errors: their own names are the client's choice.
const ARGUMENT: &str = "Mcp-Param-*";

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
                [b'p', b'a', b'r', b'a', b'm', b'-', argument @ ..] => {
                    copies.arguments.push((argument, value));
                    continue;
                }
                _ => continue,
            };
            *copied = if matches!(copied, Copied::Absent) { Copied::Once(value) } else { Copied::Repeated };
        }
        copies
    }

    /// Whether the header names `revision` or a later one. Revisions compare as text: they are ISO dates. Absent, it
    /// stands for 2025-03-26; said more than once, for any.
    pub fn may_be_since(&self, revision: &str) -> bool {
        match self.version {
            Copied::Absent => "2025-03-26" >= revision,
            Copied::Once(value) => value.trim_ascii() >= revision.as_bytes(),
            Copied::Repeated => true,
        }
    }

    /// Compares the headers with a message. A request of a revision that has them must have them.
    ///
    /// # Errors
    /// If a header is repeated, cannot be decoded, differs, or is missing.
    pub fn agree_with(&self, message: &Message<'_>) -> Result<(), HeaderMismatch> {
        match message {
            Message::Request { method, params, .. } => self.agree(method, params, params.protocol_version.is_some()),
            Message::Notification { method, params } => self.agree(method, params, false),
            Message::Response => Ok(()),
        }
    }

    fn agree(&self, method: &str, params: &Params<'_>, required: bool) -> Result<(), HeaderMismatch> {
        let version = params.protocol_version.as_deref();
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
        // Tasks are an extension of that revision, which names three methods.
        let required = required && (!method.starts_with("tasks/") || is_task_method(method));
        // What a method of an extension is about, only the extension knows.
        if name.is_some() || is_of_mcp(method) {
            self.name.compare("Mcp-Name", name, required && name.is_some())?;
        }
        self.compare_arguments(params)
    }

    /// Which argument a header repeats only the tool's schema says, so that it must equal one of them, at any depth.
    fn compare_arguments(&self, params: &Params<'_>) -> Result<(), HeaderMismatch> {
        let mismatch = |what| Err(HeaderMismatch { header: ARGUMENT, what });
        if self.arguments.len() > MAX_ARGUMENTS {
            return mismatch("is there too often");
        }
        let mut mirrored = Mirrored::default();
        let mut rest = self.arguments.as_slice();
        while let [(name, value), others @ ..] = rest {
            if others.iter().any(|(other, _)| name == other) {
                return mismatch("is repeated");
            }
            match decoded(value) {
                Some(value) => mirrored.expect(value),
                None => return mismatch("cannot be decoded"),
            }
            rest = others;
        }
        if mirrored.are_in(&params.arguments) { Ok(()) } else { mismatch("equals no argument") }
    }
}

fn is_task_method(method: &str) -> bool {
    matches!(method, "tasks/get" | "tasks/update" | "tasks/cancel")
}

/// Whether MCP itself has the method, or may have it.
fn is_of_mcp(method: &str) -> bool {
    match method.split_once('/') {
        None => matches!(method, "initialize" | "ping"),
        Some((family, _)) => matches!(
            family,
            "tools"
                | "prompts"
                | "resources"
                | "tasks"
                | "notifications"
                | "completion"
                | "subscriptions"
                | "logging"
                | "server"
        ),
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
    use crate::message::read;

    fn check(headers: &[(&str, &str)], body: &str) -> Result<(), String> {
        let message = read(body.as_bytes(), 64).unwrap();
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        HeaderCopies::of(headers).agree_with(&message).map_err(|error| error.to_string())
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
    fn a_name_that_only_an_extension_understands_is_left_to_it() {
        let body = |method: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"job":"j"}}}}"#);
        assert_eq!(check(&[("mcp-name", "j")], &body("jobs/get")), Ok(()));
        assert!(check(&[("mcp-name", "j")], &body("tools/list")).is_err());
    }

    #[test]
    fn headers_repeat_so_many_arguments_and_no_more() {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":"eu"}}}"#;
        let names: Vec<String> = (0..=MAX_ARGUMENTS).map(|index| format!("mcp-param-{index}")).collect();
        let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "eu")).collect();
        assert_eq!(check(&headers[1..], body), Ok(()));
        assert!(check(&headers, body).is_err());
    }

    #[test]
    fn a_task_is_named_where_the_revision_names_tasks() {
        let check = |method: &str, headers: &[(&str, &str)]| {
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"taskId":"t","_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}}}}"#
            );
            let headers: Vec<_> = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)]
                .into_iter()
                .chain(headers.iter().copied())
                .collect();
            check(&headers, &body)
        };
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            assert!(check(method, &[]).unwrap_err().ends_with("is missing"), "{method}");
        }
        for method in ["tasks/get", "tasks/result"] {
            assert_eq!(check(method, &[("mcp-name", "t")]), Ok(()));
            assert!(check(method, &[("mcp-name", "u")]).is_err());
        }
        assert_eq!(check("tasks/result", &[]), Ok(()));
    }

    #[test]
    fn a_notification_needs_no_copies_but_those_it_has_must_agree() {
        let body = r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#;
        assert_eq!(check(&[("mcp-protocol-version", "2026-07-28")], body), Ok(()));
        assert_eq!(check(&[("mcp-method", "notifications/cancelled")], body), Ok(()));
        assert!(check(&[("mcp-method", "tools/call")], body).is_err());
    }

    #[test]
    fn a_header_that_repeats_an_argument_must_equal_one() {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{
            "region":"eu","count":42,"dry":true,"none":null,"deep":{"list":["größe",{"ratio":0.5}]}}}}"#;
        for value in ["eu", " eu ", "42", "42.0", "true", "=?base64?Z3LDtsOfZQ==?=", "0.5", "=?base64?ZXU=?="] {
            assert_eq!(check(&[("mcp-param-x", value)], body), Ok(()), "{value}");
        }
        for value in ["us", "", "True", "null", "region", "43", "NaN", "=?base64?dXM=?=", "{}", "+42"] {
            let refused = check(&[("mcp-param-x", value)], body).unwrap_err();
            assert_eq!(refused, "the header Mcp-Param-* equals no argument", "{value}");
        }
        let refused = |headers| check(headers, body).unwrap_err();
        assert_eq!(refused(&[("mcp-param-x", "=?base64?ZXU?=")]), "the header Mcp-Param-* cannot be decoded");
        let twice = [("mcp-param-x", "eu"), ("mcp-param-y", "42"), ("mcp-param-x", "eu")];
        assert_eq!(refused(&twice), "the header Mcp-Param-* is repeated");
        assert_eq!(
            refused(&[("mcp-param-y", "42"), ("mcp-param-x", "us")]),
            "the header Mcp-Param-* equals no argument"
        );
        assert!(check(&[("mcp-param-x", "eu")], OLD).is_err());
    }

    #[test]
    fn revisions_compare_by_date_and_what_is_unclear_may_be_any() {
        let since = |headers: &[(&str, &str)], revision| {
            HeaderCopies::of(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
                .may_be_since(revision)
        };
        let version = |value| ("mcp-protocol-version", value);
        assert!(!since(&[], "2025-06-18"));
        assert!(since(&[], "2025-03-26"));
        assert!(!since(&[version("2025-03-26")], "2025-06-18"));
        assert!(since(&[version(" 2025-06-18 ")], "2025-06-18"));
        assert!(since(&[version("2026-07-28")], "2025-06-18"));
        assert!(since(&[version("2025-03-26"), version("2025-03-26")], "2025-06-18"));
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
