// The revisions with sessions: one server and one transport for each, and events that outlive their stream.

import { randomUUID } from "node:crypto";

import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/server";

export class Sessions {
  #transports = new Map();
  #build;

  constructor(build) {
    this.#build = build;
  }

  async fetch(request) {
    const id = request.headers.get("mcp-session-id");
    if (id === null) return (await this.#open()).handleRequest(request);
    const transport = this.#transports.get(id);
    return transport ? transport.handleRequest(request) : new Response("no such session", { status: 404 });
  }

  async #open() {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => this.#transports.set(id, transport),
      onsessionclosed: (id) => this.#transports.delete(id),
      eventStore: new Events(),
      // Short, because the suite waits as long before it resumes a stream.
      retryInterval: 200,
    });
    await this.#build().connect(transport);
    return transport;
  }
}

/** What was sent in one session, so that a client can ask for what it missed. An event's id is its index. */
class Events {
  #sent = [];

  async storeEvent(stream, message) {
    return String(this.#sent.push({ stream, message }) - 1);
  }

  async getStreamIdForEventId(id) {
    return this.#sent[Number(id)]?.stream;
  }

  async replayEventsAfter(id, { send }) {
    const stream = await this.getStreamIdForEventId(id);
    for (let next = Number(id) + 1; next < this.#sent.length; next += 1) {
      const event = this.#sent[next];
      // A priming event is stored as an empty message, which is nothing to resend.
      if (event.stream === stream && "jsonrpc" in event.message) await send(String(next), event.message);
    }
    return stream;
  }
}
