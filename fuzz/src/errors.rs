//! What must hold of every list of errors.

use policy::document::Errors;

/// There is at least one, each says something, and stands somewhere in the text.
pub(crate) fn are_placed(errors: &Errors, text: &[u8]) {
    assert!(errors.iter().next().is_some(), "refused without a reason");
    for error in errors {
        assert!(error.offset() <= text.len(), "{error} at {} in {} bytes", error.offset(), text.len());
        assert!(error.line() >= 1 && error.column() >= 1, "{error}");
        assert!(error.to_string().contains(&format!("(line {}, column {})", error.line(), error.column())), "{error}");
    }
}
