//! The built `mcp-policy`, as people run it: one program for all commands, since each has the same to link.

mod check;
mod common;
mod diff;
mod export;
mod schema;
