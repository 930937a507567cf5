//! The call that is asked about.

use policy::{
    config::Config,
    message::{self, Batches, Body, Message},
    reply,
};
use serde_json::Value;

use super::explanation::Explanation;
use crate::failure::Failure;

/// Reads a call as the filter reads a body, and has it explained.
///
/// # Errors
/// If it is a batch, or an answer.
pub(super) fn with(
    text: &[u8],
    config: &Config,
    explain: impl FnOnce(&Message<'_>) -> Result<Explanation, Failure>,
) -> Result<Explanation, Failure> {
    let whole = whole(text);
    match message::read_body(&whole, config.max_depth, Batches::Read) {
        Ok(Body::One(message)) => explain(&message),
        Ok(Body::Batch(_)) => Err(Failure::new("a batch is judged message by message: ask about one")),
        Err(error) => {
            let reply = String::from_utf8_lossy(&reply::unreadable(&error)).into_owned();
            Ok(Explanation::unreadable(error.to_string(), reply))
        }
    }
}

/// The message. What has a name and no method is what `params` of a `tools/call` are; its text stays as it is, so that nothing
/// of it is smoothed over.
fn whole(text: &[u8]) -> Vec<u8> {
    let value: Value = serde_json::from_slice(text).unwrap_or_default();
    let has = |member: &str| value.get(member).is_some();
    if has("name") && !has("method") && !has("jsonrpc") {
        let before = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"#;
        return [&before[..], text, b"}"].concat();
    }
    text.to_vec()
}
