//! What a check has found, and where.

use std::{cell::OnceCell, ops::Range};

use policy::document::{Error, ErrorKind, Places};

use super::{
    code::{self, Code, Severity},
    text::Text,
};

/// One thing that is wrong with a document, or worth saying of it.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) code: &'static str,
    /// JSON Pointer of the value.
    pub(crate) pointer: String,
    /// Which bytes to mark; none for what concerns the file.
    pub(crate) span: Option<Range<usize>>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Finding {
    pub(crate) fn of_error(error: &Error, text: &Text) -> Self {
        let said = error.kind().to_string();
        // What it suggests is told apart from what is wrong.
        let (message, help) = match error.kind() {
            ErrorKind::UnknownField { nearest: Some(_), .. } | ErrorKind::UnknownWord { nearest: Some(_), .. } => {
                match said.rsplit_once(", did you mean ") {
                    Some((message, nearest)) => (message.to_owned(), Some(format!("did you mean {nearest}"))),
                    None => (said, None),
                }
            }
            _ => (said, None),
        };
        Self {
            severity: Severity::Error,
            code: code::of_error(error.kind()),
            pointer: error.pointer().to_owned(),
            span: Some(text.token(error.offset())),
            message,
            help,
        }
    }
}

/// Takes what is said of one document that loads.
pub(crate) struct Findings<'t> {
    text: &'t Text,
    /// Read where there is something to say only.
    places: OnceCell<Option<Places<'t>>>,
    pub(crate) found: Vec<Finding>,
}

impl<'t> Findings<'t> {
    pub(crate) fn of(text: &'t Text) -> Self {
        Self { text, places: OnceCell::new(), found: vec![] }
    }

    fn places(&self) -> Option<&Places<'t>> {
        self.places.get_or_init(|| Places::of(&self.text.bytes)).as_ref()
    }

    /// Says something of a member, marking its name.
    pub(crate) fn of_key(&mut self, code: &Code, pointer: String, message: String, help: Option<String>) {
        let offset = self.places().and_then(|places| places.key(&pointer));
        self.add(code, pointer, offset, message, help);
    }

    /// Says something of a value, marking it.
    pub(crate) fn of_value(&mut self, code: &Code, pointer: String, message: String, help: Option<String>) {
        let offset = self.places().and_then(|places| places.value(&pointer));
        self.add(code, pointer, offset, message, help);
    }

    fn add(&mut self, code: &Code, pointer: String, at: Option<usize>, message: String, help: Option<String>) {
        let span = at.map(|at| self.text.token(at));
        self.found.push(Finding { severity: code.severity, code: code.name, pointer, span, message, help });
    }
}
