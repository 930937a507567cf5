"""Drives the official Python SDK's client and prints what it was told, as one JSON object.

Usage: client.py URL [TOOL ARGUMENTS]...

ARGUMENTS is a JSON object. All calls are made in one session, in order. A URL that ends in `/sse` is spoken to over the
transport of 2024-11-05.
"""

import asyncio
import json
import sys

from mcp import ClientSession, McpError
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamablehttp_client


async def call(session: ClientSession, tool: str, arguments: str) -> dict:
    try:
        result = await session.call_tool(tool, json.loads(arguments))
    except McpError as refused:
        return {"error": {"code": refused.error.code, "message": refused.error.message}}
    text = "\n".join(block.text for block in result.content if block.type == "text")
    return {"text": text, "is_error": result.isError, "meta": result.meta}


async def main(url: str, calls: list[str]) -> None:
    transport = sse_client if url.endswith("/sse") else streamablehttp_client
    async with transport(url) as (read, write, *_):
        async with ClientSession(read, write) as session:
            hello = await session.initialize()
            listing = await session.list_tools()
            answers = [await call(session, *pair) for pair in zip(calls[::2], calls[1::2])]
    json.dump(
        {"server": hello.serverInfo.name, "tools": [tool.name for tool in listing.tools], "calls": answers},
        sys.stdout,
    )


asyncio.run(main(sys.argv[1], sys.argv[2:]))
