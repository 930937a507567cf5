// The TypeScript SDK 2.x behind express, as the documentation of its adapters shows.
import { createMcpExpressApp } from '@modelcontextprotocol/express';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { listen, registerTools } from './notes.mjs';

const app = createMcpExpressApp();
app.post('/mcp', async (request, response) => {
    const server = registerTools(new McpServer({ name: 'two-tools', version: '1.0.0' }));
    const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await server.connect(transport);
    await transport.handleRequest(request, response, request.body);
});
listen(app);
