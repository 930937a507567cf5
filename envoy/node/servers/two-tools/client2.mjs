// The client of the TypeScript SDK 2.x. It asks a server first whether it speaks 2026-07-28, and goes back to sessions if
// it does not.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { makeCalls } from './calls.mjs';

await makeCalls(async url => {
    const client = new Client({ name: 'one-call', version: '2.0.0' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(url));
    return client;
});
