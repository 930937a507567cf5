use super::Ending;
use crate::json::{Reader, SyntaxError, Value};
use crate::message::Id;

/// The responses of a message or batch, with what each says.
///
/// # Errors
/// If the text is not strict JSON.
pub(super) fn read(text: &[u8], max_depth: usize) -> Result<Vec<(Id, Ending)>, SyntaxError> {
    let mut reader = Reader::new(text, max_depth)?;
    let mut endings = Vec::new();
    if reader.peek() == Some(b'[') {
        reader.array(|reader| {
            endings.extend(response(reader)?);
            Ok::<(), SyntaxError>(())
        })?;
    } else {
        endings.extend(response(&mut reader)?);
    }
    reader.end()?;
    Ok(endings)
}

/// A message; none if it is not clearly a response: one with an id and either a result or an error.
fn response(reader: &mut Reader<'_>) -> Result<Option<(Id, Ending)>, SyntaxError> {
    if reader.peek() != Some(b'{') {
        reader.value()?;
        return Ok(None);
    }
    let mut id = None;
    let mut result = None;
    let mut error = false;
    let mut method = false;
    reader.object(|reader, key| {
        let value = reader.value()?;
        match key.as_bytes() {
            b"id" => id = Id::from_value(&value),
            b"result" => result = Some(is_error(&value)?),
            b"error" => error = matches!(value, Value::Object(_)),
            b"method" => method = true,
            _ => {}
        }
        Ok::<(), SyntaxError>(())
    })?;
    Ok(match (id, result, error) {
        _ if method => None,
        (Some(id), Some(false), false) => Some((id, Ending::Result)),
        (Some(id), Some(true), false) => Some((id, Ending::IsError)),
        (Some(id), None, true) => Some((id, Ending::JsonRpcError)),
        _ => None,
    })
}

/// Whether a result says that the tool failed.
fn is_error(result: &Value<'_>) -> Result<bool, SyntaxError> {
    let Value::Object(result) = result else { return Ok(false) };
    let mut says = false;
    result.reader().object(|reader, key| {
        let value = reader.value()?;
        if key.as_bytes() == b"isError" {
            says = matches!(value, Value::Bool(true));
        }
        Ok::<(), SyntaxError>(())
    })?;
    Ok(says)
}
