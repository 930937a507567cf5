use crate::json::{Reader, Value};

/// The id of a request, ready to be echoed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id(Box<[u8]>);

/// The largest integer that JavaScript's `Number.isSafeInteger` accepts: 2^53 - 1.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The longest id that is a string, as written.
const MAX_BYTES: usize = 1024;

impl Id {
    /// The id, if it is one that MCP allows and every implementation echoes alike: a string of at most 1024 bytes, or an
    /// integer within ±(2^53 - 1).
    pub fn from_value(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::String(text) if text.raw().len() <= MAX_BYTES => {
                Some(Self([b"\"", text.raw(), b"\""].concat().into()))
            }
            Value::Number(number) if number.is_integer() => {
                let magnitude: i64 = number.as_str().parse().ok()?;
                (magnitude.unsigned_abs() <= MAX_SAFE_INTEGER).then(|| Self(number.as_str().as_bytes().into()))
            }
            _ => None,
        }
    }

    /// Whether a client could take an answer to one for an answer to the other: they differ at most in spelling.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        if self.0 == other.0 {
            return true;
        }
        // Two spellings differ only by escapes, or by the sign of zero.
        let read = |id: &Self| match Reader::new(&id.0, 0).and_then(|mut reader| reader.value()) {
            Ok(Value::String(text)) => Some(text.decode().into_owned()),
            _ => None,
        };
        let is_zero = |id: &Self| matches!(&*id.0, b"0" | b"-0");
        read(self).is_some_and(|text| Some(text) == read(other)) || is_zero(self) && is_zero(other)
    }

    /// The id as JSON, as the client wrote it.
    pub fn as_json(&self) -> &[u8] {
        &self.0
    }
}
