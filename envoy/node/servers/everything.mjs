// `server-everything` on 127.0.0.1, where of its own it would listen on every interface. Its arguments are the
// transport, `sse` or `streamableHttp`, and the port.

import { Server } from "node:net";

const [transport, port] = process.argv.slice(2);
const { listen } = Server.prototype;
Server.prototype.listen = function (port, listening) {
  return listen.call(this, port, "127.0.0.1", listening);
};
process.env.PORT = port;
await import(`@modelcontextprotocol/server-everything/dist/transports/${transport}.js`);
