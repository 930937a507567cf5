//! The MCP face of the laboratory: one value per session.

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult, PaginatedRequestParams,
        ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};
use serde_json::Value;

use super::{Executed, SharedLab, tools};

/// Serves one session on the shared laboratory.
#[derive(Debug, Clone)]
pub(super) struct LabService {
    lab: SharedLab,
}

impl LabService {
    pub(super) fn new(lab: SharedLab) -> Self {
        Self { lab }
    }
}

impl ServerHandler for LabService {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let mut lab = self.lab.lock();
        lab.executed.push(Executed { tool: request.name.to_string(), arguments: arguments.clone() });
        let result = match lab.laboratory.call(&request.name, &arguments) {
            None => {
                return Err(ErrorData::invalid_params(format!("Unknown tool: {}", request.name), None));
            }
            Some(Ok(answer)) => CallToolResult::success(vec![ContentBlock::text(answer.to_string())]),
            Some(Err(problem)) => CallToolResult::error(vec![ContentBlock::text(problem.to_string())]),
        };
        Ok(result.into())
    }
}
