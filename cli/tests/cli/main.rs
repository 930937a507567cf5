//! The built `mcp-policy`, as people run it: one program for all commands, since each has the same to link.

mod common;
mod export;
mod init;
mod mcp_server;
