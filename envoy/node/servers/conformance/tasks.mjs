// The tasks extension of 2026-07-28: tools that answer with a task, and the methods that follow it.

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
} from "@modelcontextprotocol/server";
import { z } from "zod";

import { text } from "./samples.mjs";

export const TASKS = "io.modelcontextprotocol/tasks";

const said = (words) => ({ content: [text(words)], resultType: "complete" });
const follows = (ctx) => ctx.mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY]?.extensions?.[TASKS] !== undefined;
const question = (message) => ({
  method: "elicitation/create",
  params: {
    mode: "form",
    message,
    requestedSchema: { type: "object", properties: { confirm: { type: "boolean" } }, required: ["confirm"] },
  },
});

/** Every task, whichever request it began with. */
const tasks = new Map();

class Task {
  #createdAt = new Date().toISOString();
  #ended = new AbortController();
  #changed = { status: "working" };

  /** Begins with `questions`, if there are any; `work` ends it, and is given a signal that ends itself. */
  constructor(work, questions = {}) {
    this.id = randomUUID();
    this.work = work;
    tasks.set(this.id, this);
    this.#ask(questions);
  }

  #ask(inputRequests) {
    if (Object.keys(inputRequests).length > 0) {
      this.#changed = { status: "input_required", inputRequests };
      return;
    }
    this.#changed = { status: "working" };
    this.work(this.#ended.signal).then(
      (result) => (this.#changed = { status: "completed", result }),
      (error) => this.#ended.signal.aborted || (this.#changed = { status: "failed", error }),
    );
  }

  answer(keys) {
    if (this.#changed.status !== "input_required") return;
    const left = Object.entries(this.#changed.inputRequests).filter(([key]) => !keys.includes(key));
    this.#ask(Object.fromEntries(left));
  }

  cancel() {
    if (["working", "input_required"].includes(this.#changed.status)) this.#changed = { status: "cancelled" };
    this.#ended.abort();
  }

  /** What `tasks/get` tells. */
  get now() {
    const times = { createdAt: this.#createdAt, lastUpdatedAt: new Date().toISOString() };
    return { taskId: this.id, ...times, ttlMs: 60_000, pollIntervalMs: 200, ...this.#changed };
  }

  /** What the call that began it is answered: no more than where to follow it. */
  get created() {
    const { inputRequests, ...task } = this.now;
    return { ...task, resultType: "task" };
  }
}

export function registerTasks(mcp) {
  const tool = (name, inputSchema, run) =>
    mcp.registerTool(name, { description: `For the scenarios of tasks: ${name}`, inputSchema }, run);
  const nothing = z.object({});

  tool("greet", z.object({ name: z.string() }), ({ name }) => said(`Hello, ${name}!`));

  tool("slow_compute", z.object({ seconds: z.number(), label: z.string().optional() }), async ({ seconds }, ctx) => {
    const work = async (signal) => {
      await pause(seconds * 1000, undefined, { signal, ref: false });
      return said(`computed for ${seconds} s`);
    };
    return follows(ctx) && seconds > 0 ? new Task(work).created : work();
  });

  tool("failing_job", nothing, () => {
    const work = async () => ({ content: [text("It did not work.")], isError: true });
    return new Task(work).created;
  });

  tool("protocol_error_job", nothing, () => {
    const work = () => Promise.reject({ code: ProtocolErrorCode.InternalError, message: "It broke." });
    return new Task(work).created;
  });

  tool("confirm_delete", z.object({ filename: z.string() }), ({ filename }) => {
    const work = async () => said(`${filename} is gone`);
    return new Task(work, { confirm: question(`Delete ${filename}?`) }).created;
  });

  tool("multi_input", nothing, () => {
    const work = async () => said("both answered");
    return new Task(work, { first: question("First?"), second: question("Second?") }).created;
  });

  tool("test_tool_with_task", nothing, (_, ctx) => {
    const told = acceptedContent(ctx.mcpReq.inputResponses, "user_name");
    const requestedSchema = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    return told
      ? new Task(async () => said(`Hello, ${JSON.stringify(told)}!`)).created
      : inputRequired({
          inputRequests: { user_name: inputRequired.elicit({ message: "What is your name?", requestedSchema }) },
        });
  });

  const method = (name, run) =>
    mcp.server.setRequestHandler(name, { params: z.looseObject({ taskId: z.string() }) }, ({ taskId }, ctx) => {
      if (!follows(ctx)) {
        throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: { [TASKS]: {} } } });
      }
      const task = tasks.get(taskId);
      if (!task) throw new ProtocolError(ProtocolErrorCode.InvalidParams, "There is no such task");
      return run(task, ctx) ?? {};
    });
  method("tasks/get", (task) => task.now);
  method("tasks/update", (task, ctx) => task.answer(Object.keys(ctx.mcpReq.inputResponses ?? {})));
  method("tasks/cancel", (task) => task.cancel());
}
