// What the suite asks of a server, put together.

import { createRequestStateCodec, McpServer } from "@modelcontextprotocol/server";

import { registerPrompts } from "./prompts.mjs";
import { registerQuestions } from "./questions.mjs";
import { registerResources } from "./resources.mjs";
import { registerTasks, TASKS } from "./tasks.mjs";
import { registerTools } from "./tools.mjs";

const states = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });

/** A server for one session, or for one request; `notify` announces changes where subscriptions outlive a request. */
export function build(notify) {
  const mcp = new McpServer(
    { name: "conformance-server", version: "1.0.0" },
    {
      capabilities: {
        completions: {},
        extensions: { [TASKS]: {} },
        logging: {},
        prompts: { listChanged: true },
        resources: { subscribe: true },
        tools: { listChanged: true },
      },
      requestState: { verify: states.verify },
    },
  );
  registerTools(mcp, notify);
  registerQuestions(mcp, states);
  registerResources(mcp);
  registerPrompts(mcp);
  // Before 2026-07-28 tasks were something else, which this server does not have.
  if (notify) registerTasks(mcp);
  return mcp;
}
