// Prompts, one of which completes its arguments.

import { completable } from "@modelcontextprotocol/server";
import { z } from "zod";

import { image, resource, text } from "./samples.mjs";

export function registerPrompts(mcp) {
  const prompt = (name, compose, argsSchema) =>
    mcp.registerPrompt(name, { description: `For the scenario of ${name}`, argsSchema }, (args) => ({
      messages: compose(args).map((content) => ({ role: "user", content })),
    }));
  const word = () =>
    completable(z.string(), (start) => ["paris", "park", "party"].filter((word) => word.startsWith(start)));

  prompt("test_simple_prompt", () => [text("This is a simple prompt for testing.")]);
  prompt(
    "test_prompt_with_arguments",
    ({ arg1, arg2 }) => [text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)],
    z.object({ arg1: word(), arg2: word() }),
  );
  prompt(
    "test_prompt_with_embedded_resource",
    ({ resourceUri }) => [
      resource(resourceUri, "text/plain", "Embedded resource content for testing."),
      text("Please process the embedded resource above."),
    ],
    z.object({ resourceUri: z.string() }),
  );
  prompt("test_prompt_with_image", () => [image, text("Please analyze the image above.")]);
}
