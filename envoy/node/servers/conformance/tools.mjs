// Tools that answer by themselves.

import { setTimeout as pause } from "node:timers/promises";

import { fromJsonSchema } from "@modelcontextprotocol/server";
import { z } from "zod";

import { audio, image, resource, text } from "./samples.mjs";

const ANSWERS = {
  test_simple_text: [text("This is a simple text response for testing.")],
  test_image_content: [image],
  test_audio_content: [audio],
  test_embedded_resource: [
    resource("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ],
  test_multiple_content_types: [
    text("Multiple content types test:"),
    image,
    resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ],
};

export function registerTools(mcp, notify) {
  const tool = (name, run, inputSchema) =>
    mcp.registerTool(name, { description: `For the scenario of ${name}`, inputSchema }, run);

  for (const [name, content] of Object.entries(ANSWERS)) tool(name, () => ({ content }));

  tool("test_error_handling", () => {
    throw new Error("This tool intentionally returns an error for testing");
  });

  tool("test_tool_with_logging", async (ctx) => {
    await ctx.mcpReq.log("info", "Tool execution started");
    await pause(50);
    await ctx.mcpReq.log("info", "Tool processing data");
    await pause(50);
    await ctx.mcpReq.log("info", "Tool execution completed");
    return { content: [text("logged")] };
  });

  tool("test_logging_tool", async (ctx) => {
    await ctx.mcpReq.log("info", "only for those who asked for a log");
    return { content: [text("logged")] };
  });

  tool("test_tool_with_progress", async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      const params = { progressToken, progress, total: 100 };
      if (progressToken !== undefined) await ctx.mcpReq.notify({ method: "notifications/progress", params });
      await pause(50);
    }
    return { content: [text("done")] };
  });

  tool("test_reconnection", async (ctx) => {
    ctx.http?.closeSSE?.();
    await pause(100);
    return { content: [text("after the stream was closed and resumed")] };
  });

  tool("test_trigger_tool_change", () => {
    notify?.toolsChanged();
    return { content: [text("tools changed")] };
  });

  tool("test_trigger_prompt_change", () => {
    notify?.promptsChanged();
    return { content: [text("prompts changed")] };
  });

  tool(
    "test_x_mcp_header",
    ({ region }) => ({ content: [text(`region ${region}`)] }),
    z.object({ region: z.string().optional().meta({ "x-mcp-header": "Region" }) }),
  );

  tool("json_schema_2020_12_tool", () => ({ content: [text("accepted")] }), fromJsonSchema(SCHEMA_2020_12));
}

/** With every keyword of JSON Schema 2020-12 that must come through a listing. */
const SCHEMA_2020_12 = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};
