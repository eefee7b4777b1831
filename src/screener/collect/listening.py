"""Listens to a stream of a source: connects, reads frames until it has caught up, and finds the posts that a watch asks for."""

from __future__ import annotations

import socket
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import httpx
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from screener.collect.connectors.bluesky_firehose import Event, parse_frame
from screener.collect.guard import check_address, is_private_host
from screener.collect.phrases import Words
from screener.collect.text import find_tags, fold_tag
from screener.errors import BudgetSpentError, RefusedError, TransientSourceError
from screener.records import Watch
from screener.settings.schemas import CollectSettings

IDLE_SECONDS = 5.0
"""A stream that says nothing for so long has nothing more to say: a busy one sends hundreds of frames a second."""
_MAX_FRAME_BYTES = 5_000_000
"""The sync specification allows 5 MB a frame."""
TRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_WITHOUT_SPACES = ("THAI", "LAO", "KHMER", "MYANMAR", "CJK", "HIRAGANA", "KATAKANA")


def listen(
    url: str, settings: CollectSettings, *, until: datetime, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[Event]:  # fmt: skip
    """Events until one is from ``until`` or later, nothing comes for a while, or ``seconds`` have passed.

    Raises ``BudgetSpentError`` when the time is over before it has caught up, ``TransientSourceError`` if the connection can't be made or breaks, ``RefusedError`` if the server says no.
    """
    ends = clock() + seconds
    try:
        with _connected(url, settings) as connection:
            while clock() < ends:
                try:
                    frame = connection.recv(timeout=IDLE_SECONDS, decode=False)
                except TimeoutError:
                    return
                event = parse_frame(frame)
                yield event
                if event.error or (event.time is not None and event.time >= until):
                    return
            raise BudgetSpentError(
                f"{httpx.URL(url).host}: not caught up after {seconds:.0f} s (collect.max_stream_seconds)"
            )
    except InvalidStatus as error:
        kind = TransientSourceError if error.response.status_code in TRY_LATER else RefusedError
        raise kind(f"{httpx.URL(url).host}: the stream can't be opened (HTTP {error.response.status_code})") from error
    except (WebSocketException, OSError) as error:
        raise TransientSourceError(f"{httpx.URL(url).host}: the stream broke off ({type(error).__name__})") from error


def _connected(url: str, settings: CollectSettings) -> ClientConnection:
    """A connection to an address that was checked; plain ``ws`` only to a host that the operator named as private."""
    parsed = httpx.URL(url)
    if parsed.scheme != "wss" and not is_private_host(parsed.host, settings.private_hosts):
        raise RefusedError(f"{parsed.host}: a stream is only listened to over TLS")
    port = parsed.port or (443 if parsed.scheme == "wss" else 80)
    address, *_ = check_address(parsed.host, port, settings.private_hosts)
    opened = socket.create_connection((address, port), timeout=settings.timeout_seconds)
    return connect(
        url, sock=opened, server_hostname=parsed.host if parsed.scheme == "wss" else None, max_size=_MAX_FRAME_BYTES,
        open_timeout=settings.timeout_seconds, user_agent_header=settings.user_agent, proxy=None, compression=None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A watch that a text answers to, and the language of the words that it holds."""

    country: str
    sector: str
    language: str


class StreamMatcher:
    """Finds the watches whose words a text holds: all words of a phrase, or a hashtag.

    Words are found at their beginning, so that inflected forms count; in scripts that write no spaces, anywhere.
    """

    def __init__(self, words: Iterable[tuple[Watch, Iterable[Words]]]) -> None:
        self._phrases: list[tuple[frozenset[str], Found]] = []
        self._tags: dict[str, list[Found]] = {}
        for watch, languages in words:
            for asked in languages:
                found = Found(watch.country, watch.sector, asked.language)
                self._phrases += [
                    (frozenset(fold_tag(phrase).split()), found) for phrase in asked.phrases if phrase.strip()
                ]
                for tag in asked.tags:
                    self._tags.setdefault(fold_tag(tag), []).append(found)
        self._words = frozenset(word for parts, _ in self._phrases for word in parts)

    def find(self, text: str) -> tuple[Found, ...]:
        """One find per watch, in the order of the words; empty if the text answers to none."""
        folded = fold_tag(text)
        present = {word for word in self._words if word in folded and _begins(word, folded)}
        hits = [found for parts, found in self._phrases if parts <= present]
        hits += [found for tag in sorted(find_tags(text) & self._tags.keys()) for found in self._tags[tag]]
        first: dict[tuple[str, str], Found] = {}
        for hit in hits:
            first.setdefault((hit.country, hit.sector), hit)
        return tuple(first.values())


def _begins(word: str, text: str) -> bool:
    """True if the word begins somewhere in the text, not in the middle of another word."""
    if unicodedata.name(word[0], "").startswith(_WITHOUT_SPACES):
        return True
    at = text.find(word)
    while at >= 0:
        if at == 0 or unicodedata.category(text[at - 1])[0] not in "LMN":
            return True
        at = text.find(word, at + 1)
    return False
