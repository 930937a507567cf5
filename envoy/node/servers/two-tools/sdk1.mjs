// The TypeScript SDK 1.x behind express, as its own example of a server without sessions.
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { listen, registerTools } from './notes.mjs';

const app = createMcpExpressApp();
app.post('/mcp', async (request, response) => {
    const server = registerTools(new McpServer({ name: 'two-tools', version: '1.0.0' }));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await server.connect(transport);
    await transport.handleRequest(request, response, request.body);
});
listen(app);
