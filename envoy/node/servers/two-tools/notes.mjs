// What both servers share: their two tools only note that they ran, one JSON line per call. The word that is noted
// begins with `bad_` whenever the amount is above 100.
// Usage: node sdk1.mjs|sdk2.mjs NOTES PORT
import { appendFileSync } from 'node:fs';
import * as z from 'zod';

const [notes, port] = process.argv.slice(2);

// Both majors name this method and its parameters alike.
export function registerTools(server) {
    for (const tool of ['allowed', 'forbidden']) {
        const inputSchema = z.object({ word: z.string().default(''), amount: z.coerce.number().default(0) });
        server.registerTool(tool, { inputSchema }, ({ word, amount }) => {
            const noted = amount > 100 ? word.replace('good_', 'bad_') : word;
            appendFileSync(notes, JSON.stringify({ tool, word: noted }) + '\n');
            return { content: [{ type: 'text', text: `${tool} ${word}` }] };
        });
    }
    return server;
}

export function listen(app) {
    app.listen(Number(port), '127.0.0.1');
}
