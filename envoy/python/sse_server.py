"""Serves over the transport of 2024-11-05 as the official SDK 1.x does it: event streams at `/sse`, messages to
`/messages/`. Its tools are called as three of `server-everything`, and answer the same.

Usage: sse_server.py PORT
"""

import sys

from mcp.server.fastmcp import FastMCP

server = FastMCP("sse-server", host="127.0.0.1", port=int(sys.argv[1]))


@server.tool("echo")
def echo(message: str) -> str:
    return f"Echo: {message}"


@server.tool("get-env")
def get_env() -> str:
    return "{}"


@server.tool("get-sum")
def get_sum(a: int, b: int) -> str:
    return f"The sum of {a} and {b} is {a + b}."


server.run("sse")
