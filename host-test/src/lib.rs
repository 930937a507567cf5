//! A proxy-wasm host for native tests, as strict as Envoy.
//!
//! It runs the very module that Envoy loads, on wasmtime, through ABI 0.2.1. A test drives both ends of a stream,
//! moves the clocks, answers callouts, and looks at what came out: what the upstream saw, what the client was sent,
//! logs, metrics and shared data. Nothing happens by itself.
//!
//! ```
//! use host_test::Host;
//!
//! // A filter that answers every request with 403.
//! let guest = r#"(module
//!     (import "env" "proxy_send_local_response"
//!         (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
//!     (memory (export "memory") 1)
//!     (func (export "proxy_abi_version_0_2_1"))
//!     (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
//!     (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
//!         (drop (call $reply (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
//!             (i32.const 0) (i32.const 0) (i32.const -1)))
//!         (i32.const 0)))"#;
//!
//! let host = Host::builder(guest)?.workers(2).start()?;
//! let stream = host.worker(0).request(&[(":method", "POST"), (":path", "/mcp")]);
//! assert_eq!(stream.received().status(), Some(403));
//! assert_eq!(stream.forwarded().headers, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is imitated
//! - One virtual machine per worker and one for the main thread, which Envoy configures as well; before them a canary
//!   that tries each configuration; several root contexts while an old configuration drains; failed machines under
//!   the three failure policies.
//! - Envoy's filter manager with this one filter in it: what each answer of a callback holds back or lets go, how
//!   bodies accumulate, which maps and buffers exist in which phase, local replies that wait for the callback and
//!   then pass the filter's own response callbacks, the buffer limit, the order of log, done and delete.
//! - Envoy's status for every wrong argument. Anything else that is imported does not link.
//!
//! # What is not
//! Other filters in the chain, HTTP itself (names and values are taken as they are), metadata frames, network
//! filters, shared queues and foreign functions (a guest may import them: they answer `Unimplemented` and
//! `NotFound`).
//!
//! What a filter must never do is a [`Fault`]: a [`Host`] that is dropped with one that the test did not take
//! panics.

mod answers;
mod builder;
mod callouts;
mod clock;
mod engine;
mod error;
mod exports;
mod filter;
mod filter_calls;
mod half;
mod headers;
mod host;
mod imports;
mod lifecycle;
mod logs;
pub mod metadata;
mod metrics;
mod pairs;
mod pipeline;
mod properties;
mod reply;
mod roots;
pub mod scenario;
mod shared;
mod shared_data;
mod state;
mod status;
mod stream;
mod vm;
mod worker;

pub use builder::Builder;
pub use callouts::{Answer, Callout, CalloutId, CalloutKind, Cluster};
pub use clock::START_WALL_CLOCK;
pub use engine::ModuleSource;
pub use error::{Fault, HostError, StartCause, StartError};
pub use filter::filter_wasm;
pub use half::Delivered;
pub use headers::HeaderMap;
pub use host::Host;
pub use logs::Level;
pub use properties::Value;
pub use reply::Reply;
pub use shared::{FailPolicy, HeaderStop};
pub use status::Status;
pub use stream::{Stream, StreamBuilder};
pub use worker::Worker;
