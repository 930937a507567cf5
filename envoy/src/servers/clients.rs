//! The official clients, each as a program that makes one call in a session of its own at each of several places.

use std::process::Command;

use serde_json::Value;

use crate::{
    Error, Result,
    fetch::{Environment, NodeEnvironment, node_environment, python_environment},
    real::{output, script},
};

/// One SDK's client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The Python SDK 1.x.
    Python1,
    /// The Python SDK 2.x.
    Python2,
    /// The TypeScript SDK 1.x.
    TypeScript1,
    /// The TypeScript SDK 2.x, which prefers 2026-07-28.
    TypeScript2,
}

/// A call to make.
#[derive(Debug, Clone)]
pub struct Call {
    /// Of the MCP endpoint.
    pub url: String,
    /// The tool.
    pub tool: String,
    /// An object.
    pub arguments: Value,
}

impl Caller {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Python1, Self::Python2, Self::TypeScript1, Self::TypeScript2];

    /// Opens a session for each call, lists the tools and makes the call: for each an object with `tools` and
    /// `is_error`, or with `failure`. [`Caller::TypeScript2`] also says the `revision` that it came to speak.
    ///
    /// # Errors
    /// If the client cannot be fetched or started.
    pub async fn call(self, calls: &[Call]) -> Result<Vec<Value>> {
        let python = |environment| -> Result<Command> {
            let mut command = Command::new(python_environment(environment)?.join("python"));
            command.arg(script("one_call.py"));
            Ok(command)
        };
        let node = |file| -> Result<Command> { Ok(node_environment(NodeEnvironment::Servers)?.script(file)) };
        let mut command = match self {
            Self::Python1 => python(Environment::Client)?,
            Self::Python2 => python(Environment::Sdk2)?,
            Self::TypeScript1 => node("two-tools/client1.mjs")?,
            Self::TypeScript2 => node("two-tools/client2.mjs")?,
        };
        for call in calls {
            command.args([&call.url, &call.tool, &call.arguments.to_string()]);
        }
        let answer = output(command).await?;
        serde_json::from_str(&answer).map_err(|_| Error::Unexpected { from: "a client", answer })
    }
}
