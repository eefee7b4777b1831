"""Headers that every reply carries, and a refusal of foreign host names. Pure ASGI: a wrapper costs microseconds.

The server has no login in this release and listens on the machine itself only. A hostile web page could still reach it by
pointing its own name at 127.0.0.1 (DNS rebinding); hence a dotted name that the operator did not list is refused.
Addresses and one-word names can't be owned by an attacker, and pass.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""No page has a script, so none may run: text of a post that slipped through escaping would still do nothing."""

_REFUSAL = "This server answers to addresses and to host names that its operator listed; ask it by its address.\n"


class SecurityMiddleware:
    """Adds ``HEADERS`` and checks the host."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self.app, self.hosts = app, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = (
            self.app
            if self._is_ours(Headers(scope=scope).get("host", ""))
            else PlainTextResponse(_REFUSAL, status_code=400)
        )
        await app(scope, receive, send_secured)

    def _is_ours(self, header: str) -> bool:
        host = host_name(header)
        return "." not in host or host in self.hosts or host.endswith(".localhost") or _is_address(host)


def host_name(header: str) -> str:
    """Host of a ``Host`` header without port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
