//! Strict JSON, read in one pass over borrowed bytes.
//!
//! Servers disagree about what a sloppy document says, so this reader accepts only what all of them read alike:
//! RFC 8259 without extensions, valid UTF-8, no byte order mark, no lone surrogates, no duplicate keys at any depth
//! (compared after unescaping), a bounded depth, and numbers that a double can hold.
//!
//! No tree is built. A caller walks the objects it cares for with [`Reader::object`] and takes the rest as a
//! [`Value`], which remembers where it stands; everything it passes over is checked just as strictly.
//!
//! ```
//! use policy::json::{Reader, SyntaxError, Value};
//!
//! let mut reader = Reader::new(br#"{"name": "get_run", "arguments": {"run_id": "7"}}"#, 64)?;
//! let mut name = None;
//! reader.object(|reader, key| {
//!     let value = reader.value()?;
//!     if let (b"name", Value::String(text)) = (key.as_bytes(), value) {
//!         name = Some(text.decode());
//!     }
//!     Ok::<(), SyntaxError>(())
//! })?;
//! reader.end()?;
//! assert_eq!(name.as_deref(), Some("get_run"));
//! # Ok::<(), SyntaxError>(())
//! ```

mod error;
mod keys;
mod number;
mod reader;
mod text;
mod write;

pub use error::{Problem, SyntaxError};
pub(crate) use keys::fold;
pub use keys::{Key, lookalike};
pub use number::Number;
pub use reader::{Raw, Reader, Value};
pub use text::Text;
pub use write::{write_string, write_unescaped};
