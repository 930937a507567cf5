// Tools and a prompt that ask the client before they answer. In sessions a question is a request of the server;
// in 2026-07-28 it is a result of type `input_required`, and the client calls again. The SDK makes one of the other.

import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
} from "@modelcontextprotocol/server";
import { z } from "zod";

import { text } from "./samples.mjs";

const string = { type: "string" };
const ask = (message, properties) =>
  inputRequired.elicit({ message, requestedSchema: { type: "object", properties, required: Object.keys(properties) } });
const complete = (prompt, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: text(prompt) }], maxTokens });

export function registerQuestions(mcp, states) {
  const tool = (name, run, inputSchema) =>
    mcp.registerTool(name, { description: `For the scenario of ${name}`, inputSchema }, run);
  const say = (words) => ({ content: [text(words)] });

  /** A tool that asks once, and says `answer` of what it was told. */
  const asking = (name, requests, answer) =>
    tool(name, (ctx) => {
      const told = Object.keys(requests).map((key) => inputResponse(ctx.mcpReq.inputResponses, key));
      return told.some(({ kind }) => kind === "missing")
        ? inputRequired({ inputRequests: requests })
        : say(answer(...told));
    });

  tool(
    "test_sampling",
    ({ prompt }, ctx) => {
      const told = inputResponse(ctx.mcpReq.inputResponses, "sample");
      return told.kind === "sampling"
        ? say(`LLM response: ${told.result.content.text}`)
        : inputRequired({ inputRequests: { sample: complete(prompt) } });
    },
    z.object({ prompt: z.string() }),
  );

  tool(
    "test_elicitation",
    ({ message }, ctx) => {
      const told = inputResponse(ctx.mcpReq.inputResponses, "user");
      return told.kind === "elicit"
        ? say(`User response: ${JSON.stringify(told)}`)
        : inputRequired({ inputRequests: { user: ask(message, { username: string, email: string }) } });
    },
    z.object({ message: z.string() }),
  );

  const completed = (told) => `Elicitation completed: action=${told.action}, content=${JSON.stringify(told.content)}`;
  asking("test_elicitation_sep1034_defaults", { form: ask("Please review", DEFAULTS) }, completed);
  asking("test_elicitation_sep1330_enums", { form: ask("Please choose", ENUMS) }, completed);
  asking("test_streaming_elicitation", { form: ask("Please go on", { ok: { type: "boolean" } }) }, completed);

  tool("test_input_required_result_elicitation", (ctx) => {
    const told = acceptedContent(ctx.mcpReq.inputResponses, "user_name");
    return told
      ? say(`Hello, ${told.name}!`)
      : inputRequired({ inputRequests: { user_name: ask("What is your name?", { name: string }) } });
  });
  asking(
    "test_input_required_result_sampling",
    { capital_question: complete("What is the capital of France?") },
    (told) => told.result.content.text,
  );
  asking("test_missing_capability", { sample: complete("Anything") }, (told) => told.result.content.text);
  asking("test_input_required_result_list_roots", { client_roots: inputRequired.listRoots() }, (told) =>
    told.roots.map(({ uri }) => uri).join(" "),
  );

  /** A tool that goes through `rounds`, one question each, and keeps its place in the request state. */
  const inRounds = (name, rounds, end) =>
    tool(name, async (ctx) => {
      const round = ctx.mcpReq.requestState()?.round ?? 0;
      if (round === rounds.length) return say(end);
      const requestState = await states.mint({ round: round + 1 });
      return inputRequired({ inputRequests: rounds[round], requestState });
    });
  const confirm = { confirm: ask("Please confirm", { ok: { type: "boolean" } }) };
  inRounds("test_input_required_result_request_state", [confirm], "state-ok");
  inRounds("test_input_required_result_tampered_state", [confirm], "not tampered with");
  inRounds(
    "test_input_required_result_multiple_inputs",
    [
      {
        user_name: ask("What is your name?", { name: string }),
        greeting: complete("Generate a greeting", 50),
        client_roots: inputRequired.listRoots(),
      },
    ],
    "all answered",
  );
  inRounds(
    "test_input_required_result_multi_round",
    [
      { step1: ask("Step 1: What is your name?", { name: string }) },
      { step2: ask("Step 2: What is your favorite color?", { color: string }) },
    ],
    "both answered",
  );

  tool("test_input_required_result_capabilities", (ctx) => {
    const can = ctx.mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
    const inputRequests = {};
    if (can.sampling) inputRequests.sample = complete("Anything");
    if (can.elicitation) inputRequests.user = ask("Anything?", { word: string });
    return Object.keys(inputRequests).length > 0 ? inputRequired({ inputRequests }) : say("nothing can be asked");
  });

  mcp.registerPrompt("test_input_required_result_prompt", { description: "Asks for its context" }, (ctx) => {
    const told = acceptedContent(ctx.mcpReq.inputResponses, "user_context");
    return told
      ? { messages: [{ role: "user", content: text(`In the context of ${told.context}`) }] }
      : inputRequired({
          inputRequests: { user_context: ask("What context should the prompt use?", { context: string }) },
        });
  });
}

const DEFAULTS = {
  name: { type: "string", default: "John Doe" },
  age: { type: "integer", default: 30 },
  score: { type: "number", default: 95.5 },
  status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
  verified: { type: "boolean", default: true },
};

const titled = (noun) =>
  ["First", "Second", "Third"].map((nth, at) => ({ const: `value${at + 1}`, title: `${nth} ${noun}` }));
const ENUMS = {
  untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
  titledSingle: { type: "string", oneOf: titled("Option") },
  legacyEnum: {
    type: "string",
    enum: ["opt1", "opt2", "opt3"],
    enumNames: ["Option One", "Option Two", "Option Three"],
  },
  untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
  titledMulti: { type: "array", items: { anyOf: titled("Choice") } },
};
