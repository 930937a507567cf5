// Resources, a template, and subscriptions that nothing is ever published to.

import { ResourceTemplate } from "@modelcontextprotocol/server";

import { PNG } from "./samples.mjs";

export function registerResources(mcp) {
  const resource = (name, mimeType, content) => {
    const uri = `test://${name}`;
    const read = () => ({ contents: [{ uri, mimeType, ...content }] });
    mcp.registerResource(name, uri, { description: `For the scenarios of ${uri}`, mimeType }, read);
  };
  resource("static-text", "text/plain", { text: "This is the content of the static text resource." });
  resource("static-binary", "image/png", { blob: PNG });
  resource("watched-resource", "text/plain", { text: "This one can be watched." });

  const template = new ResourceTemplate("test://template/{id}/data", { list: undefined });
  const about = { description: "Substitutes its parameter", mimeType: "application/json" };
  mcp.registerResource("template", template, about, ({ href }, { id }) => {
    const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
    return { contents: [{ uri: href, mimeType: "application/json", text }] };
  });

  mcp.server.setRequestHandler("resources/subscribe", () => ({}));
  mcp.server.setRequestHandler("resources/unsubscribe", () => ({}));
}
