//! What servers ask of clients, other than by a request: in a result or by an error.

use super::message::{Result, may_be, refuse_lookalike, unreadable};
use super::{Reason, Shown, Unreadable};
use crate::json::{Raw, Reader, Value};

/// The member of a result, or of a task, that holds requests under keys of the server's choice (2026-07-28; tasks
/// extension).
pub(super) const INPUT_REQUESTS: &str = "inputRequests";

/// The code of an error that asks the client to open an address and call again (2025-11-25, elicitation by URL).
const URL_ELICITATION_REQUIRED: f64 = -32042.0;

/// The method that such an error stands for.
const ELICITATION: &str = "elicitation/create";

/// Reads the value of [`INPUT_REQUESTS`]; whether it asks for a denied method.
///
/// `resultType` need not say `input_required`: what a client does about that is its own business.
pub(super) fn input_requests(reader: &mut Reader<'_>, shown: &dyn Shown) -> Result<bool> {
    let peeked = reader.peek();
    let offset = reader.offset();
    if peeked != Some(b'{') {
        return match reader.value()? {
            Value::Null => Ok(false),
            _ => Err(unreadable(offset, Reason::NotAnObject(INPUT_REQUESTS))),
        };
    }
    let mut denied = false;
    reader.object(|reader, _| {
        denied |= input_request(reader, shown)?;
        Ok::<(), Unreadable>(())
    })?;
    Ok(denied)
}

fn input_request(reader: &mut Reader<'_>, shown: &dyn Shown) -> Result<bool> {
    let peeked = reader.peek();
    let offset = reader.offset();
    if peeked != Some(b'{') {
        reader.value()?;
        return Err(unreadable(offset, Reason::NotAnObject(INPUT_REQUESTS)));
    }
    let mut denied = None;
    reader.object(|reader, key| match key.as_bytes() {
        b"method" => {
            denied = Some(denies(reader, shown)?);
            Ok(())
        }
        _ => {
            refuse_lookalike(key, "method")?;
            reader.value()?;
            Ok::<(), Unreadable>(())
        }
    })?;
    denied.ok_or(unreadable(offset, Reason::Missing("method")))
}

/// Reads the value of `method`; whether it is denied.
pub(super) fn denies(reader: &mut Reader<'_>, shown: &dyn Shown) -> Result<bool> {
    reader.peek();
    let offset = reader.offset();
    match reader.value()? {
        Value::String(method) => Ok(!shown.passes_method(&method.decode())),
        _ => Err(unreadable(offset, Reason::NotAString("method"))),
    }
}

/// Reads a JSON-RPC error; whether it asks for a denied method.
pub(super) fn error(reader: &mut Reader<'_>, shown: &dyn Shown) -> Result<bool> {
    let Value::Object(error) = reader.value()? else { return Ok(false) };
    let mut elicits = false;
    error.reader().object(|reader, key| {
        refuse_lookalike(key, "code")?;
        match (key.as_bytes(), reader.value()?) {
            (b"code", Value::Number(code)) => {
                elicits = code.to_f64().total_cmp(&URL_ELICITATION_REQUIRED).is_eq();
            }
            // Weak typing: some clients read a number in a string.
            (b"code", Value::String(code)) => {
                elicits = code
                    .decode()
                    .trim()
                    .parse()
                    .is_ok_and(|code: f64| code.total_cmp(&URL_ELICITATION_REQUIRED).is_eq());
            }
            _ => {}
        }
        Ok::<(), Unreadable>(())
    })?;
    Ok(elicits && !shown.passes_method(ELICITATION))
}

/// Whether a task asks for a denied method: a `tasks/get` result or the params of `notifications/tasks`, which hold the
/// task's own result or error as well (tasks extension).
pub(super) fn task(task: Raw<'_>, shown: &dyn Shown) -> Result<bool> {
    let mut denied = false;
    task.reader().object(|reader, key| {
        if key.as_bytes() == INPUT_REQUESTS.as_bytes() {
            denied |= input_requests(reader, shown)?;
        } else if may_be(key, "error") {
            denied |= error(reader, shown)?;
        } else if may_be(key, "result") {
            if let Value::Object(result) = reader.value()? {
                denied |= self::result(result, shown)?;
            }
        } else {
            refuse_lookalike(key, INPUT_REQUESTS)?;
            reader.value()?;
        }
        Ok::<(), Unreadable>(())
    })?;
    Ok(denied)
}

/// Whether the result in a task asks for a denied method.
pub(super) fn result(result: Raw<'_>, shown: &dyn Shown) -> Result<bool> {
    let mut denied = false;
    result.reader().object(|reader, key| {
        if key.as_bytes() == INPUT_REQUESTS.as_bytes() {
            denied |= input_requests(reader, shown)?;
        } else {
            refuse_lookalike(key, INPUT_REQUESTS)?;
            reader.value()?;
        }
        Ok::<(), Unreadable>(())
    })?;
    Ok(denied)
}

/// Whether some client could find a denied method in a text that is not strict JSON, given without escapes and what a
/// reader may skip, and the same in lower case. Errs on the side of yes.
pub(super) fn mentioned(plain: &str, folded: &str, shown: &dyn Shown) -> bool {
    // An error's `data` without this member asks for nothing.
    if folded.contains("\"elicitations\"") && !shown.passes_method(ELICITATION) {
        return true;
    }
    folded.match_indices(METHOD).any(|(at, _)| {
        let rest = plain.get(at.saturating_add(METHOD.len())..).unwrap_or_default().trim_start_matches(' ');
        match rest.strip_prefix(':').map(|value| value.trim_start_matches(' ')) {
            Some(value) => match value.strip_prefix('"') {
                Some(method) => !shown.passes_method(method.split('"').next().unwrap_or_default()),
                // No client takes anything but a string for a method.
                None => !is_plain_value(value),
            },
            None => !rest.starts_with([',', ']', '}']),
        }
    })
}

/// Whether a text in lower case, as [`mentioned`] has it, names `method` at all.
pub(super) fn names_method(folded: &str) -> bool {
    folded.contains(METHOD)
}

const METHOD: &str = "\"method\"";

/// Whether a value is certainly no string: an object, an array, or a word or number up to its end.
fn is_plain_value(value: &str) -> bool {
    if value.starts_with(['{', '[']) {
        return true;
    }
    // Longer than any word, and than any number that means something: what is longer is not looked at to its end.
    let start = value.get(..MOST_OF_A_NUMBER).unwrap_or(value);
    let token = start.split([',', '}', ']', ' ']).next().unwrap_or_default();
    matches!(token, "null" | "true" | "false")
        || token.len() < start.len()
            && !token.is_empty()
            && token.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
}

const MOST_OF_A_NUMBER: usize = 64;
