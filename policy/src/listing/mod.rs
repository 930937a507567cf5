//! What servers send to clients: what the policies hide or deny is taken out, every other byte stays.
//!
//! A listing is a response whose `result` holds an array `tools`, `resources`, `resourceTemplates` or `prompts`: alone,
//! in a batch, or in an event of a stream. What a server asks of a client is a request or notification, or comes as a
//! response: a result with `inputRequests` (2026-07-28), an error -32042 (2025-11-25). [`filter_message`] takes a whole message or batch, [`EventStream`] takes a
//! `text/event-stream` body as it arrives.
//!
//! What a client could read as either but this module cannot is [`Unreadable`], and never passed on.
//!
//! ```
//! use policy::listing::{Filtered, Kind, filter_message};
//!
//! let shown = |_: Kind, name: &str| !name.starts_with("delete_");
//! let body = br#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get_run"},{"name":"delete_run"}]}}"#;
//! let filtered = filter_message(body, 64, &shown)?;
//! let expected = br#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get_run"}]}}"#;
//! assert_eq!(filtered, Filtered::Changed(expected.to_vec()));
//! # Ok::<(), policy::listing::Unreadable>(())
//! ```

mod asked;
mod cuts;
mod entries;
mod kind;
mod mention;
mod message;
pub(crate) mod stream;
mod unreadable;

pub use kind::{Kind, Shown};
pub use message::{Filtered, filter_message};
pub use stream::EventStream;
pub use unreadable::{Reason, Unreadable};

#[cfg(test)]
mod tests;
