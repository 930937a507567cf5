use crate::json::Value;

/// The id of a request, ready to be echoed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id(Box<[u8]>);

/// The largest integer that JavaScript's `Number.isSafeInteger` accepts: 2^53 - 1.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

impl Id {
    /// The id, if it is one that MCP allows and every implementation echoes alike: a string, or an integer within ±(2^53 - 1).
    pub fn from_value(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self([b"\"", text.raw(), b"\""].concat().into())),
            Value::Number(number) if number.is_integer() => {
                let magnitude: i64 = number.as_str().parse().ok()?;
                (magnitude.unsigned_abs() <= MAX_SAFE_INTEGER).then(|| Self(number.as_str().as_bytes().into()))
            }
            _ => None,
        }
    }

    /// The id as JSON, as the client wrote it.
    pub fn as_json(&self) -> &[u8] {
        &self.0
    }
}
