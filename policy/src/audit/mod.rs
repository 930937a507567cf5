//! The audit record: one JSON object about one judged body, for Envoy's access log.
//!
//! A record says who called (as digests), what was asked for, what became of it and by which rule; of values only those
//! that a rule opts in by `record`. It is what `mcp-policy replay` tries another policy on, so it tells apart a value that
//! was absent, one that was not clear, and one that was not recorded. Built like this:
//!
//! ```text
//! {"v":1,"time":"2026-11-26T18:00:00.123Z","clock_us":4711,"policies":["lab"],"grant":"…","session":"…","client_ip":"…",
//!  "calls":[{"method":"tools/call","name":"create_run","outcome":"denied","policy":"lab","rule":"/tools/create_run/…",
//!            "values":{"args.amount":5},"marks":{"args.robot_ip":"absent"}}]}
//! ```
//!
//! # Bounds
//! A record has at most [`MAX_RECORD`] bytes, whatever a client sends, and is one line. A value has at most
//! [`MAX_VALUE`] bytes; a longer one is marked `too_long` and not cut, as half a value would be another value. So is one that [`Walks`]
//! does not reach. Names of
//! tools, prompts and methods are what clients write: one of more than [`MAX_NAME`] bytes is `withheld`. So is a URI of more
//! than [`MAX_URI`] bytes, or with user information, a query or a fragment, which are where credentials travel. Where the
//! calls of a batch do not fit, first values are left out (`"left_out":true`), then whole calls (`"more":N`).
//!
//! # Digests
//! HMAC-SHA256 by the configuration's key, the first 128 bits in lower-case hexadecimal, over a list of texts, each with
//! its length in four bytes (big-endian) before it: `mcp-policy audit 1`, and
//! - `grant`, then source, issuer and value;
//! - `session`, then those of the grant or `anonymous`, then the session's id;
//! - `client_ip`, then the address, IPv6 by its /64.

mod found;
mod record;
mod recorded;
mod time;
mod walks;
mod who;

#[cfg(test)]
mod tests;

pub use found::{Found, Leaf, Mark};
pub use record::{Call, Head, MAX_NAME, MAX_RECORD, MAX_URI, MAX_VALUE, Record};
pub use walks::Walks;
pub use who::{UNCLEAR, Who, client_ip, grant, session};

/// The version of the record that this code writes.
pub const VERSION: u32 = 1;

/// The one element of the property's path that the record is kept under: Envoy's filter state calls it
/// `wasm.mcp_policy.audit`.
pub const PROPERTY: &str = "mcp_policy.audit";
