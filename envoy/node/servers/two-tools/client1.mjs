// The client of the TypeScript SDK 1.x.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { makeCalls } from './calls.mjs';

await makeCalls(async url => {
    const client = new Client({ name: 'one-call', version: '1.0.0' });
    await client.connect(new StreamableHTTPClientTransport(url));
    return client;
});
