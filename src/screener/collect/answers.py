"""Which answers count as one, how their bodies are read within bounds, and where a redirect leads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

import httpx

from screener.collect.limits import read_limits
from screener.errors import TerminalSourceError, TransientSourceError

REDIRECT = frozenset({301, 302, 303, 307, 308})
"""Statuses that send the client elsewhere."""
ACCEPT_ENCODING = "gzip, deflate"
"""Packed forms that are asked for. zstd, or a packing of a packing, turns kilobytes into gigabytes within one read, before any
limit can be looked at; gzip makes at most 66 MB of the 64 kB that are read at once."""
_PACKINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
_MAY_PASS = frozenset({408, 425, 429})
_MAX_REFUSAL_BYTES = 64 * 1024
"""As much of a refusal's body is read: it is looked at for a waiting time only."""


def read_body(response: httpx.Response, where: str, *, max_bytes: int, now: datetime) -> bytes:
    """The unpacked body of an answer that counts: 2xx, 304, 4xx, and redirects, which the caller follows.

    Raises ``TransientSourceError`` for 408, 425, 429 and 5xx, with the time that the server asks to wait, and
    ``TerminalSourceError`` for statuses that mean nothing here and bodies of more than ``max_bytes``.
    """
    status = response.status_code
    if status in _MAY_PASS or 500 <= status < 600:
        limits = read_limits(response.headers, _glimpse(response), now)
        raise TransientSourceError(f"{where}: HTTP {status}", retry_after=limits.wait_after(status))
    if not (200 <= status < 300 or 400 <= status < 500 or status == 304 or status in REDIRECT):
        raise TerminalSourceError(f"{where}: HTTP {status}")
    body = bytearray()
    for chunk in _unpacked(response):
        body += chunk
        if len(body) > max_bytes:
            raise TerminalSourceError(f"{where}: body is larger than {max_bytes} bytes (collect.max_page_bytes)")
    return bytes(body)


def redirected(request: httpx.Request, response: httpx.Response) -> httpx.Request:
    """The request at its new place; raises ``TerminalSourceError`` for another host or port, or from https to http.

    The error names hosts only: what else stands in a ``Location`` is the server's, and may be a secret of somebody.
    """
    old, told = request.url, f"{request.url.host}: HTTP {response.status_code}"
    place = response.headers.get("location")
    if not place or request.method != "GET":
        raise TerminalSourceError(f"{told}, a redirect that can't be followed")
    new = old.join(place)
    is_same = (new.scheme, new.port) == (old.scheme, old.port)
    is_upgrade = (old.scheme, new.scheme) == ("http", "https") and new.port in {None, old.port}
    if new.host != old.host or not (is_same or is_upgrade):
        there = f"{new.scheme}://{new.host}{f':{new.port}' if new.port else ''}"
        raise TerminalSourceError(
            f"{told}, moved to {there}; if that is right, change the address in the source's file"
        )
    headers = [(name, value) for name, value in request.headers.multi_items() if name != "host"]
    return httpx.Request("GET", new, headers=headers)


def _unpacked(response: httpx.Response) -> Iterator[bytes]:
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in _PACKINGS:
        raise httpx.DecodingError(f"packed as {packing:.40}, which was not asked for")
    yield from response.iter_bytes()


def _glimpse(response: httpx.Response) -> bytes:
    """The start of a refusal's body; whatever is wrong with it, the refusal stands."""
    body = bytearray()
    with suppress(httpx.HTTPError):
        for chunk in _unpacked(response):
            body += chunk
            if len(body) > _MAX_REFUSAL_BYTES:
                break
    return bytes(body)
