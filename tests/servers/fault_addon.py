"""For mitmproxy: faults in a fixed order, one a request, before and after a real server answers. Run by ``fault_proxy.py``."""

from __future__ import annotations

import asyncio
import itertools
import os

from mitmproxy import http

FAULTS = itertools.cycle(os.environ["FAULTS"].split(","))
CHALLENGE = b"<!doctype html><title>One moment, please</title><p>Checking your browser.</p>"


async def request(flow: http.HTTPFlow) -> None:
    """Faults that keep the request from the server."""
    if flow.request.headers.get("upgrade", "").lower() == "websocket":
        return
    fault = flow.metadata["fault"] = next(FAULTS)
    if fault == "429":
        flow.response = http.Response.make(429, b'{"error":"RateLimitExceeded"}', {"Retry-After": "1"})
    elif fault == "503":
        flow.response = http.Response.make(503)
    elif fault == "reset":
        flow.kill()
    elif fault == "slow":
        await asyncio.sleep(float(os.environ.get("SLOW_SECONDS", "1")))


def response(flow: http.HTTPFlow) -> None:
    """Faults in the answer."""
    fault = flow.metadata.get("fault")
    if fault == "html":
        flow.response = http.Response.make(200, CHALLENGE, {"Content-Type": "text/html"})
    elif fault == "cut" and flow.response is not None and flow.response.content:
        flow.response.content = flow.response.content[: len(flow.response.content) // 2]
