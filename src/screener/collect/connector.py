"""What a connector is: two pure functions, *build the request* and *parse one page*. The runner owns everything else.

A connector opens no socket, reads no clock and keeps no state, so a recorded page is all a test needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx

from screener.records import Quarantined, RawPost


@dataclass(frozen=True, slots=True)
class Query:
    """What to ask one source for, on behalf of one watch."""

    source: str
    url: str
    country: str | None
    sector: str | None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Validators:
    """What the last answer said about its own freshness (RFC 9110, section 8.8), for a conditional GET."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One parsed answer. ``next_cursor`` is ``None`` on the last page."""

    posts: tuple[RawPost, ...]
    rejected: tuple[Quarantined, ...] = ()
    next_cursor: str | None = None


class Connector(Protocol):
    """A source that answers HTTP requests."""

    name: str

    def build_request(self, query: Query, cursor: str | None, validators: Validators) -> httpx.Request:
        """The request for one page; ``cursor`` is ``None`` for the first."""
        ...

    def parse_page(self, body: bytes, query: Query, collected_at: datetime) -> Page:
        """Posts of one page; raises ``ParseError`` if the body is not what the source promised."""
        ...
