"""What a connector is: two pure functions, *build the request* and *parse one page*. The runner owns everything else.

A connector opens no socket, reads no clock, sees no credential and keeps no state, so a recorded page is all a test
needs. Each is one module of ``screener.collect.connectors`` that ends in a ``CONNECTOR`` record.

Where the lines run:

* A **cursor** is an opaque word that the connector reads from a page and puts into the next request. It is never an
  address: requests always go to the query's own target, whatever a ``Link`` header says.
* **Credentials** are attached by the client when a request leaves, and only for the host they belong to.
* **Filters are asked for and checked again here**: servers were seen to ignore ``lang``, ``tag``, ``since`` and ``all[]``.
  The runner checks the time, a connector checks tags (:func:`screener.collect.text.has_tag`).
* **Language tags of the source are hints**; an unknown one is dropped with :func:`known_hint`, never a reason to lose a post.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import httpx

from screener.codes import parse_language
from screener.errors import NoDataError, ParseError, RefusedError, TerminalSourceError, UnknownCodeError
from screener.records import Quarantined, RawPost, Span


@dataclass(frozen=True, slots=True)
class Query:
    """What to ask one source for, on behalf of one watch.

    ``target`` is the address from the source's TOML (a server's base, without a slash at the end, or a feed). ``words``
    holds what is asked for: a phrase, a hashtag without ``#``, or a place (author, subreddit, video). ``span`` is the stretch of
    time wanted; endpoints that can't be asked for one get it all the same, and the runner stops when it is passed.
    """

    source: str
    endpoint: str
    target: str
    country: str | None = None
    sector: str | None = None
    language: str | None = None
    words: str = ""
    span: Span | None = None

    @property
    def key(self) -> str:
        """Stable name of the question, whatever the span: cursors and windows are kept under it."""
        asked = (self.source, self.endpoint, self.target, self.country, self.sector, self.language, self.words)
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]

    @property
    def watch(self) -> str:
        """Readable watch, e.g. ``TH/poultry``; ``*`` stands for *any*."""
        return f"{self.country or '*'}/{self.sector or '*'}"


@dataclass(frozen=True, slots=True)
class Page:
    """One parsed answer. ``next_cursor`` is ``None`` on the last page.

    ``gone`` and ``gone_authors`` are native ids that the page says are deleted. ``follow_ups`` are queries that this page leads
    to (the comments of a video found). ``n_skipped`` counts records that were left out for a good reason (reposts, people who
    don't want to be found): they count towards the source's cap, and a page of nothing else isn't empty. ``is_capped`` says that the source stopped at its own limit although there is more.
    """

    posts: tuple[RawPost, ...]
    rejected: tuple[Quarantined, ...] = ()
    next_cursor: str | None = None
    gone: tuple[str, ...] = ()
    gone_authors: tuple[str, ...] = ()
    follow_ups: tuple[Query, ...] = ()
    n_skipped: int = 0
    is_capped: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one endpoint of a source can do; the planner and the runner read it, connectors only state it.

    ``asks``: *words* gets the watch's phrases, *tags* its hashtags, *target* nothing (one query per target),
    *stream* is a connection that is listened to instead of asked. ``cap`` is the number of
    results after which the source stops. ``is_windowed``: it takes a span. ``units``: what one request costs of
    the source's quota. ``any_of`` joins several phrases into one question where the source understands it, up to
    ``max_characters``. ``needs``: credentials without which it can't be asked. ``led_to``: asked only because a page led there.
    """

    asks: Literal["words", "tags", "target", "stream"]
    page_size: int
    is_windowed: bool = False
    is_newest_first: bool = True
    is_conditional: bool = False
    cap: int | None = None
    units: int = 1
    any_of: str | None = None
    max_characters: int = 250
    needs: tuple[str, ...] = ()
    led_to: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """What a sign-in gave: sent as ``header: value`` until ``expires_in`` seconds have passed."""

    value: str = field(repr=False)
    expires_in: float


@dataclass(frozen=True, slots=True)
class Auth:
    """How credentials travel: ``credential`` is sent as ``header: prefix value``, to the target's own host only.

    Where a token must be got first, ``build_sign_in(target, credentials)`` and ``parse_sign_in(response)`` say how, pure like
    the rest of a connector; they are called again when a token has expired or was refused once.
    """

    credential: str = "token"
    header: str = "Authorization"
    prefix: str = "Bearer "
    build_sign_in: Callable[[str, Mapping[str, str]], httpx.Request] | None = None
    parse_sign_in: Callable[[httpx.Response], Token] | None = None


def _one_group(native_id: str) -> str:
    del native_id
    return ""


@dataclass(frozen=True, slots=True)
class Refresh:
    """How to ask whether posts still stand: ``batch`` native ids a request; the page holds those that do, edited or not.

    Whatever was asked for and is in neither ``posts`` nor an error is gone. ``by_address``: the source has servers of its own, and
    native ids begin with the address (without the scheme) of the one where the post stands. ``group`` names what may be asked for together.
    """

    batch: int
    build: Callable[[str, Sequence[str]], httpx.Request]
    parse: Callable[[httpx.Response, Sequence[str]], Page]
    units: int = 1
    group: Callable[[str], str] = _one_group
    by_address: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """How to ask a server what it serves to whom, before it is asked for posts: what is switched off may answer with an empty
    list, which would pass for silence. ``parse(response, has_token)`` gives the endpoints that it won't serve, and why.
    """

    build: Callable[[str], httpx.Request]
    parse: Callable[[httpx.Response, bool], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Connector:
    """One kind of source. ``born``: before this day the platform had no posts, so an earlier date is wrong."""

    kind: str
    endpoints: Mapping[str, Endpoint]
    born: date
    build_request: Callable[[Query, str | None], httpx.Request]
    parse_page: Callable[[httpx.Response, Query], Page]
    auth: Auth | None = None
    refresh: Refresh | None = None
    rules: Rules | None = None
    needs_approval: bool = False


_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis"})
"""Codes that say that no one language is meant (ISO 639-2)."""


def require_ok(response: httpx.Response) -> None:
    """Raise what an error status means; the client has already dealt with those that may pass (408, 425, 429, 5xx)."""
    status, where = response.status_code, str(response.request.url)
    if status in {401, 403, 407, 451}:
        raise RefusedError(f"{where}: HTTP {status}{_told(response)}")
    if status in {404, 410}:
        raise NoDataError(f"{where}: HTTP {status}{_told(response)}")
    if status >= 400:
        raise TerminalSourceError(f"{where}: HTTP {status}{_told(response)}")


def read_json(response: httpx.Response, kind: type[dict[str, Any]] | type[list[Any]] = dict) -> Any:
    """The JSON value of a page that answered well; raises ``ParseError`` if it is an HTML page, cut short, or no ``kind``."""
    where = str(response.request.url)
    try:
        value = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        start = response.content.lstrip()[:15].lower()
        found = "an HTML page" if start.startswith((b"<!doctype", b"<html")) else f"no JSON ({error})"
        raise ParseError(where, f"answered with {found}") from error
    if not isinstance(value, kind):
        raise ParseError(where, f"a JSON {kind.__name__} is needed, got {type(value).__name__}")
    return value


def known_hint(language: object) -> str | None:
    """A language tag of the source as a hint: sources write anything there, and a wrong one must not cost the post."""
    try:
        code = parse_language(language) if isinstance(language, str) and language else None
    except UnknownCodeError:
        return None
    return None if code in _NO_LANGUAGE else code


def _told(response: httpx.Response) -> str:
    """What a JSON error body says, short; other bodies say nothing to a reader."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(body, dict):
        return ""
    told = body.get("message") or body.get("error_description") or body.get("error") or ""
    return f" ({str(told)[:120]})" if isinstance(told, str) and told else ""
