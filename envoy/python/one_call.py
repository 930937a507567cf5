"""Opens a session at each URL with the official client, lists the tools, calls one, and prints what came of it.

Usage: one_call.py [URL TOOL ARGUMENTS]...

ARGUMENTS is a JSON object. Prints a JSON array with, for each, `tools` and `is_error`, or `failure`. Runs with both
majors of the SDK.
"""

import asyncio
import json
import sys

try:
    from mcp import Client
except ImportError:
    Client = None
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client


async def use(client, tool: str, arguments: dict) -> dict:
    listing = await client.list_tools()
    result = await client.call_tool(tool, arguments)
    is_error = result.isError if hasattr(result, "isError") else result.is_error
    return {"tools": [tool.name for tool in listing.tools], "is_error": bool(is_error)}


async def session(url: str, tool: str, arguments: dict) -> dict:
    if Client is not None:
        async with Client(url) as client:
            return await use(client, tool, arguments)
    async with streamablehttp_client(url) as (read, write, _):
        async with ClientSession(read, write) as client:
            await client.initialize()
            return await use(client, tool, arguments)


async def attempt(url: str, tool: str, arguments: str) -> dict:
    try:
        return await asyncio.wait_for(session(url, tool, json.loads(arguments)), 30)
    except Exception as failure:
        return {"failure": repr(failure)}


async def main(words: list[str]) -> None:
    calls = zip(words[::3], words[1::3], words[2::3])
    json.dump(await asyncio.gather(*(attempt(*call) for call in calls)), sys.stdout)


asyncio.run(main(sys.argv[1:]))
