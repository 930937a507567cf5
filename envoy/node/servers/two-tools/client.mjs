// What one_call.py does, with the client of the TypeScript SDK 1.x.
// Usage: node client.mjs [URL TOOL ARGUMENTS]...
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

async function attempt(url, tool, args) {
    try {
        const client = new Client({ name: 'one-call', version: '1.0.0' });
        await client.connect(new StreamableHTTPClientTransport(new URL(url)));
        const { tools } = await client.listTools();
        const result = await client.callTool({ name: tool, arguments: JSON.parse(args) });
        await client.close();
        return { tools: tools.map(tool => tool.name), is_error: result.isError === true };
    } catch (failure) {
        return { failure: String(failure) };
    }
}

const words = process.argv.slice(2);
const calls = [];
for (let at = 0; at < words.length; at += 3) {
    calls.push(attempt(...words.slice(at, at + 3)));
}
process.stdout.write(JSON.stringify(await Promise.all(calls)), () => process.exit());
