//! An MCP client, and what a call came to.

use std::sync::Arc;

use rmcp::{
    RoleClient, ServiceExt,
    model::{CallToolRequestParams, CallToolResult, ErrorData, JsonObject},
    service::{RunningService, ServiceError},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::Value;

use crate::{Error, Result};

/// How a refusal by the policy begins.
const REFUSED: &str = "[POLICY DENIED] ";

/// The Rust SDK's client, in one session.
#[derive(Debug)]
pub struct Client(RunningService<RoleClient, ()>);

/// What one call came to, as the agent sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The tool ran; its text.
    Done(String),
    /// The tool ran and reported a failure of its own; its text.
    Failed(String),
    /// The policy refused the call.
    Refused(Refusal),
    /// There was no result but a JSON-RPC error.
    Error {
        /// Its code.
        code: i32,
        /// Its message.
        message: String,
    },
}

/// What the policy says of a call that it refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The text, without its prefix.
    pub text: String,
    /// The rule that decided, if it is disclosed.
    pub rule: Option<String>,
    /// When a limited call may be tried again.
    pub retry_after_ms: Option<u64>,
    /// How much of the limit is left.
    pub remaining: Option<u64>,
}

impl Outcome {
    /// Whether the tool itself answered.
    #[must_use]
    pub fn reached_the_tool(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }

    /// The rule that refused the call, if one did and says so.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => refusal.rule.as_deref(),
            _ => None,
        }
    }
}

impl Client {
    /// Opens a session at `url`.
    ///
    /// # Errors
    /// [`Error::Mcp`] if `initialize` fails.
    pub async fn connect(url: impl Into<Arc<str>>) -> Result<Self> {
        Self::open(StreamableHttpClientTransportConfig::with_uri(url)).await
    }

    /// Opens a session at `url` with a bearer token.
    ///
    /// # Errors
    /// [`Error::Mcp`] if `initialize` fails.
    pub async fn connect_with_token(url: impl Into<Arc<str>>, token: &str) -> Result<Self> {
        Self::open(StreamableHttpClientTransportConfig::with_uri(url).auth_header(token)).await
    }

    async fn open(config: StreamableHttpClientTransportConfig) -> Result<Self> {
        let transport = StreamableHttpClientTransport::with_client(crate::http(), config);
        ().serve(transport).await.map(Self).map_err(mcp)
    }

    /// The server's own name.
    #[must_use]
    pub fn server_name(&self) -> Option<String> {
        self.0.peer_info().and_then(|info| info.server_info.clone()).map(|server| server.name)
    }

    /// The names of all tools, over all pages.
    ///
    /// # Errors
    /// [`Error::Mcp`] if the server refuses.
    pub async fn tools(&self) -> Result<Vec<String>> {
        let tools = self.0.list_all_tools().await.map_err(mcp)?;
        Ok(tools.into_iter().map(|tool| tool.name.into_owned()).collect())
    }

    /// Calls a tool; `arguments` is an object.
    ///
    /// # Errors
    /// [`Error::Mcp`] if the exchange itself fails; whatever was answered is an [`Outcome`].
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<Outcome> {
        let mut request = CallToolRequestParams::new(tool.to_owned());
        let Value::Object(arguments) = arguments else {
            return Err(Error::Unexpected { from: "the caller", answer: format!("arguments {arguments}") });
        };
        if !arguments.is_empty() {
            request = request.with_arguments(JsonObject::from_iter(arguments));
        }
        match self.0.call_tool(request).await {
            Ok(result) => Ok(outcome(&result)),
            Err(ServiceError::McpError(ErrorData { code, message, .. })) => {
                Ok(Outcome::Error { code: code.0, message: message.into_owned() })
            }
            Err(error) => Err(mcp(error)),
        }
    }

    /// Ends the session.
    ///
    /// # Errors
    /// [`Error::Mcp`] if its task failed.
    pub async fn close(self) -> Result<()> {
        self.0.cancel().await.map(drop).map_err(mcp)
    }
}

fn outcome(result: &CallToolResult) -> Outcome {
    let text =
        result.content.iter().filter_map(|block| Some(block.as_text()?.text.as_str())).collect::<Vec<_>>().join("\n");
    if result.is_error != Some(true) {
        return Outcome::Done(text);
    }
    let Some(reason) = text.strip_prefix(REFUSED) else {
        return Outcome::Failed(text);
    };
    let meta = |key: &str| result.meta.as_ref().and_then(|meta| meta.0.get(key));
    Outcome::Refused(Refusal {
        text: reason.to_owned(),
        rule: meta("rule").and_then(Value::as_str).map(str::to_owned),
        retry_after_ms: meta("retry_after_ms").and_then(Value::as_u64),
        remaining: meta("remaining").and_then(Value::as_u64),
    })
}

fn mcp(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Mcp(Box::new(error))
}
