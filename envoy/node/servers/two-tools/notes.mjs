// What both servers share: their two tools only note that they ran, one JSON line per call.
// Usage: node sdk1.mjs|sdk2.mjs NOTES PORT
import { appendFileSync } from 'node:fs';
import * as z from 'zod';

const [notes, port] = process.argv.slice(2);

// Both majors name this method and its parameters alike.
export function registerTools(server) {
    for (const tool of ['allowed', 'forbidden']) {
        server.registerTool(tool, { inputSchema: z.object({ word: z.string().default('') }) }, ({ word }) => {
            appendFileSync(notes, JSON.stringify({ tool, word }) + '\n');
            return { content: [{ type: 'text', text: `${tool} ${word}` }] };
        });
    }
    return server;
}

export function listen(app) {
    app.listen(Number(port), '127.0.0.1');
}
