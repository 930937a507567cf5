// What both clients share, and one_call.py does in Python: a session for each call, which lists the tools, calls one,
// and says what came of it. Prints a JSON array with, for each, `tools` and `is_error`, or `failure`; and `revision`, if
// the client tells which one the session speaks.
// Usage: node client1.mjs|client2.mjs [URL TOOL ARGUMENTS]...

// `connect` makes a connected client of a URL. Both majors name the rest alike.
export async function makeCalls(connect) {
    const words = process.argv.slice(2);
    const calls = [];
    for (let at = 0; at < words.length; at += 3) {
        calls.push(attempt(connect, ...words.slice(at, at + 3)));
    }
    process.stdout.write(JSON.stringify(await Promise.all(calls)), () => process.exit());
}

async function attempt(connect, url, tool, args) {
    try {
        const client = await connect(new URL(url));
        const revision = client.getNegotiatedProtocolVersion?.();
        const { tools } = await client.listTools();
        const result = await client.callTool({ name: tool, arguments: JSON.parse(args) });
        await client.close();
        return { revision, tools: tools.map(tool => tool.name), is_error: result.isError === true };
    } catch (failure) {
        return { failure: String(failure) };
    }
}
