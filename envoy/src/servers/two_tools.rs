//! Servers of our own on the Python and TypeScript SDKs, set up as their documentation shows.

use std::process::Command;

use serde_json::Value;

use super::{Executed, Kind, Running, notes::Notes};
use crate::{
    Result,
    fetch::{Environment, NodeEnvironment, node_environment, python_environment},
    real::{RealServer, folder, script},
};

pub(super) async fn start(kind: Kind) -> Result<Running> {
    let python = |environment| -> Result<Command> {
        let mut command = Command::new(python_environment(environment)?.join("python"));
        command.arg(script("two_tools.py"));
        Ok(command)
    };
    let mut command = match kind {
        Kind::Python2 => python(Environment::Sdk2)?,
        Kind::TypeScript1 => node_environment(NodeEnvironment::Servers)?.script("two-tools/sdk1.mjs"),
        Kind::TypeScript2 => node_environment(NodeEnvironment::Servers)?.script("two-tools/sdk2.mjs"),
        _ => python(Environment::Client)?,
    };
    let folder = folder()?;
    let path = folder.path().join("notes");
    command.arg(&path);
    let server = RealServer::start(kind.name(), command, folder).await?;
    Ok(Running::Noting { server, notes: Notes::new(path, line) })
}

fn line(line: &str) -> Option<Executed> {
    let note: Value = serde_json::from_str(line).ok()?;
    Some(Executed { tool: note["tool"].as_str()?.to_owned(), word: note["word"].as_str()?.to_owned() })
}
