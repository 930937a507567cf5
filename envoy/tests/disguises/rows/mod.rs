//! The disguises. The table of what servers read differently is the order of the modules.

mod charsets;
mod encodings;
mod envelopes;
mod http;
mod keys;
mod paths;
mod syntax;
mod unseen;
mod values;

use envoy::servers::Kind;

use crate::{request::Request, words::Words};

/// A call of the forbidden tool, undisguised.
const CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"FORBIDDEN","arguments":{"WORD":"BAD"}}}"#;

/// The kind whose rows only servers with paths can tell something about.
pub(crate) const PATHS: &str = "paths";

/// How a request is made for a server.
type Make = Box<dyn Fn(&Words) -> Request + Send + Sync>;

/// One disguise.
pub(crate) struct Row {
    /// What it plays on.
    pub(crate) kind: &'static str,
    /// This one of the kind.
    pub(crate) what: String,
    /// The server that runs it.
    pub(crate) control: Option<Kind>,
    pub(crate) make: Make,
}

impl Row {
    /// A server that takes every path for its own cannot be fooled with paths.
    pub(crate) fn concerns(&self, server: Kind) -> bool {
        self.kind != PATHS || server.has_one_path()
    }
}

/// Disguises that some server here runs.
pub(crate) fn disguises() -> Vec<Row> {
    [
        keys::rows(),
        syntax::rows(),
        charsets::rows(),
        encodings::rows(),
        envelopes::rows(),
        http::rows(),
        paths::rows(),
        values::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Disguises that no server here runs.
pub(crate) fn uncontrolled() -> Vec<Row> {
    [unseen::rows(), charsets::unseen(), paths::unseen(), values::unseen()].into_iter().flatten().collect()
}

/// A request of one's own.
fn row(
    kind: &'static str,
    what: impl Into<String>,
    control: Kind,
    make: impl Fn(&Words) -> Request + Send + Sync + 'static,
) -> Row {
    Row { kind, what: what.into(), control: Some(control), make: Box::new(make) }
}

/// A POST of a text.
fn text(kind: &'static str, what: impl Into<String>, control: Kind, template: impl Into<String>) -> Row {
    let template = template.into();
    row(kind, what, control, move |words| Request::post(words.fill(&template)))
}
