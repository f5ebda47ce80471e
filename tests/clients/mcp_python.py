"""Lists and calls every tool with the mcp client, by both revisions of the protocol; prints what came of it as JSON.
mcp_python.py URL TOKEN CAMERA EVENT"""
import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

url, token, camera, event = sys.argv[1:]
CALLS = {
    "cameras": {},
    "look": {"camera": camera},
    "ask_camera": {"camera": camera, "question": "is there a car?"},
    "compare": {"left": camera, "right": camera, "question": "both images contain a car"},
    "find_events": {"camera": camera},
    "get_event": {"id": event},
}


async def tried(mode):
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as web:
        async with Client(streamable_http_client(f"{url}/mcp", http_client=web), mode=mode) as client:
            tools = (await client.list_tools()).tools
            results = {}
            for tool in tools:
                result = await client.call_tool(tool.name, CALLS[tool.name])
                results[tool.name] = {"error": bool(result.is_error), "kinds": [part.type for part in result.content]}
            wrong = await client.call_tool("look", {"camera": "nobody"})
            try:
                await client.call_tool("remove_camera", {})
                unknown = None
            except Exception as error:
                unknown = type(error).__name__
            return {"results": results, "wrong": bool(wrong.is_error), "unknown": unknown,
                    "read_only": all(tool.annotations.read_only_hint for tool in tools)}


async def main():
    print(json.dumps({mode: await tried(mode) for mode in ("auto", "legacy", "2026-07-28")}))


asyncio.run(main())
