use std::borrow::Cow;

use crate::json::{Raw, SyntaxError, Value};

/// The value that a condition looks at.
#[derive(Debug, Clone)]
pub enum Operand<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// None if the number does not survive a round trip through a double.
    Number(Option<f64>),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array, as it is written.
    Array(Raw<'a>),
    /// No condition looks into an object without a path.
    Object,
}

impl<'a> From<Value<'a>> for Operand<'a> {
    fn from(value: Value<'a>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(bool),
            Value::Number(number) => Self::Number(number.to_exact_f64()),
            Value::String(text) => Self::String(text.decode()),
            Value::Array(raw) => Self::Array(raw),
            Value::Object(_) => Self::Object,
        }
    }
}

/// Calls `visit` with each element. `visit` says whether to go on.
pub(super) fn elements<'a>(array: Raw<'a>, mut visit: impl FnMut(Value<'a>)) {
    // Cannot fail: the reader has checked the array.
    let _checked = array.reader().array::<SyntaxError>(|reader| {
        visit(reader.value()?);
        Ok(())
    });
}

/// How many elements the array has.
pub(super) fn count(array: Raw<'_>) -> usize {
    let mut count: usize = 0;
    elements(array, |_| count = count.saturating_add(1));
    count
}
