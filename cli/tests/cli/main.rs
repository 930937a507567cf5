//! The built `mcp-policy`, as people run it: one program for all commands, since each has the same to link.

mod check;
mod check_server;
mod common;
mod diff;
mod exact_server;
mod explain;
mod export;
mod gate;
mod init;
mod kubernetes;
mod mcp_server;
mod pin;
mod replay;
mod schema;
mod test;
