// The server that the conformance suite is run against. It speaks every revision: those up to 2025-11-25 in sessions,
// 2026-07-28 without. Its one argument is the port of 127.0.0.1.

import { createServer } from "node:http";

import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, isLegacyRequest } from "@modelcontextprotocol/server";

import { build } from "./server.mjs";
import { Sessions } from "./sessions.mjs";

const modern = createMcpHandler(() => build(modern.notify), { legacy: "reject" });
const sessions = new Sessions(() => build());

const serve = toNodeHandler({
  fetch: async (request) => ((await isLegacyRequest(request)) ? sessions.fetch(request) : modern.fetch(request)),
});
const hostIsLocal = localhostHostValidation();
const originIsLocal = localhostOriginValidation();

createServer((request, response) => {
  // Each of them answers the request itself if it refuses it.
  if (hostIsLocal(request, response) && originIsLocal(request, response)) serve(request, response);
}).listen(Number(process.argv[2]), "127.0.0.1");
