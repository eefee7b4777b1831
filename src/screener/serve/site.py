"""What every route reads: the current figures, read once for many readers, and replies that a browser may keep.

Fifty readers who open the same page within two seconds cost one query and one rendering: a reply is kept by its key until
the figures are read again. Nothing goes stale for longer than ``FRESH_SECONDS`` after a run or a release.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from screener.pipeline import answers
from screener.pipeline.context import open_reader
from screener.pipeline.health import SourceHealth, source_health
from screener.records import UNKNOWN_COUNTRY, UNSPECIFIED_SECTOR, LedgerDay
from screener.risk import ReleaseInfo, RiskAnswer
from screener.settings import Settings
from screener.store import ledger
from screener.store.database import reading
from screener.store.results import EvidenceRow, PublishedIndicator
from screener.workdir import Workdir

FRESH_SECONDS = 2.0
_MAX_REPLIES = 500
"""Replies kept at most; an address can hold any country, so the keys have no natural end."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished body with its validator."""

    body: bytes
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The current figures as one moment saw them, and the replies made from them."""

    current: answers.Current
    read_at: float
    replies: dict[str, Reply] = field(default_factory=dict)

    @property
    def run_id(self) -> str | None:
        """Run whose figures these are."""
        return self.current.run_id

    @property
    def release(self) -> ReleaseInfo | None:
        """The release, ``None`` for a draft."""
        return self.current.release

    @property
    def rows(self) -> tuple[PublishedIndicator, ...]:
        """The figures; posts of unknown country or sector are no figure for buyers."""
        return tuple(r for r in self.current.rows if _is_cell(r.indicator.country, r.indicator.sector))

    @property
    def status(self) -> Literal["released", "draft", "empty"]:
        """``released``, ``draft``, or ``empty`` before the first run."""
        if self.run_id is None:
            return "empty"
        return "released" if self.release else "draft"

    def row(self, country: str, sector: str) -> PublishedIndicator | None:
        """The figures of one cell."""
        return self.current.row(country, sector) if _is_cell(country, sector) else None


class Site:
    """Settings and store behind the routes; made when the server starts, closed with ``stack``."""

    def __init__(self, settings: Settings, workdir: Workdir, stack: ExitStack) -> None:
        self.settings = settings
        self._engine = stack.enter_context(open_reader(settings, workdir))
        self._snapshot: Snapshot | None = None
        self._sources: tuple[Snapshot, list[SourceHealth]] | None = None
        self._lock = threading.Lock()
        self.making = threading.Lock()

    def fresh(self) -> Snapshot | None:
        """The figures, if they were read a moment ago."""
        kept = self._snapshot
        return kept if kept and time.monotonic() - kept.read_at < FRESH_SECONDS else None

    def snapshot(self) -> Snapshot:
        """The figures, read again if the last reading is old; one thread reads while others wait for it."""
        with self._lock:
            self._snapshot = self.fresh() or self._read()
            return self._snapshot

    def _read(self) -> Snapshot:
        return Snapshot(answers.read_current(self._engine), time.monotonic())

    def risk(self, snapshot: Snapshot, countries: list[str], sector: str | None, cpv: str | None) -> list[RiskAnswer]:
        """Answers as the CLI gives them."""
        return answers.ask_risk(snapshot.current, self.settings, countries=countries, sector=sector, cpv=cpv)

    def evidence(
        self, snapshot: Snapshot, country: str | None, sector: str | None, label: str | None, limit: int
    ) -> list[EvidenceRow]:
        """Scrubbed evidence behind these figures."""
        return answers.read_evidence(
            self._engine, snapshot.run_id, country=country, sector=sector, label=label, limit=limit
        )

    def now(self) -> datetime:
        """The clock that silence is judged by."""
        return datetime.now(UTC)

    def sources(self, snapshot: Snapshot) -> list[SourceHealth]:
        """The health of all sources: read at most once a snapshot, and only for replies that show it."""
        if self._sources is None or self._sources[0] is not snapshot:
            self._sources = snapshot, source_health(self._engine, self.settings, now=self.now())
        return self._sources[1]

    def source_days(self, name: str, since: date, until: date) -> list[LedgerDay]:
        """Rows of one source's gap ledger in ``[since, until)``."""
        with reading(self._engine) as connection:
            return ledger.list_days(connection, sources=[name], since=since, until=until)

    def current_run_id(self) -> str | None:
        """Run whose figures are current, asked of the store itself; raises ``StoreError`` if it can't be reached."""
        return answers.read_current(self._engine).run_id


def _is_cell(country: str, sector: str) -> bool:
    return country != UNKNOWN_COUNTRY and sector != UNSPECIFIED_SECTOR


def site_of(request: Request) -> Site:
    """The site behind this request."""
    return cast("Site", request.app.state.site)


async def answer(request: Request, key: str, media_type: str, make: Callable[[Snapshot], bytes]) -> Response:
    """The reply of this key, made off the event loop if it isn't kept; 304 if the reader has it already."""
    site = site_of(request)
    snapshot = site.fresh()
    reply = snapshot.replies.get(key) if snapshot else None
    if reply is None:
        reply = await run_in_threadpool(_make, site, key, media_type, make)
    headers = {"ETag": reply.etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Language, Cookie"}
    if _has_already(request, reply.etag):
        return Response(status_code=304, headers=headers)
    return Response(reply.body, media_type=reply.media_type, headers=headers)


def _make(site: Site, key: str, media_type: str, make: Callable[[Snapshot], bytes]) -> Reply:
    """One reply at a time: readers who wait for the same page find it made, instead of all making it at once."""
    with site.making:
        snapshot = site.snapshot()
        return snapshot.replies.get(key) or _made(snapshot, key, media_type, make(snapshot))


def _made(snapshot: Snapshot, key: str, media_type: str, body: bytes) -> Reply:
    release_id = snapshot.release.release_id if snapshot.release else None
    digest = hashlib.sha256(f"{snapshot.run_id}\n{release_id}\n".encode() + body).hexdigest()
    reply = Reply(body, media_type, f'"{digest[:32]}"')
    if len(snapshot.replies) < _MAX_REPLIES:
        snapshot.replies[key] = reply
    return reply


def _has_already(request: Request, etag: str) -> bool:
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in known or "*" in known
