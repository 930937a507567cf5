"""Serves two tools, `allowed` and `forbidden`, which only note that they ran.

Usage: two_tools.py NOTES PORT

Each call adds one line to the file NOTES: a JSON object with `tool` and `word`, which begins with `bad_` whenever an
amount is above 100. Runs with both majors of the SDK, set up as their documentation shows, without sessions.
"""

import json
import sys

notes, port = sys.argv[1], int(sys.argv[2])
place = {"host": "127.0.0.1", "port": port}
try:
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("two-tools")
    options = {"stateless_http": True, **place}
except ImportError:
    from mcp.server.fastmcp import FastMCP

    server = FastMCP("two-tools", stateless_http=True, **place)
    options = {}


def note(tool: str, word: str, amount: int, options: dict) -> str:
    if amount > 100 or options.get("amount", 0) > 100:
        word = word.replace("good_", "bad_")
    with open(notes, "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(json.dumps({"tool": tool, "word": word}) + "\n")
    return f"{tool} {word}".encode(errors="replace").decode()


@server.tool()
def allowed(word: str = "", amount: int = 0, options: dict = {}) -> str:
    return note("allowed", word, amount, options)


@server.tool()
def forbidden(word: str = "", amount: int = 0, options: dict = {}) -> str:
    return note("forbidden", word, amount, options)


server.run("streamable-http", **options)
