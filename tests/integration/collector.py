"""Collecting in a test: the shipped settings with sources of the test's own, a clock that the test sets, and what was kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import text

from integration.sites import Site
from screener.collect.health import State
from screener.errors import SourceError
from screener.pipeline.collect import collected_days, run_collect
from screener.pipeline.context import open_context, open_reader
from screener.pipeline.health import source_health
from screener.pipeline.housekeeping import run_housekeeping
from screener.pipeline.run import close_run
from screener.records import LedgerDay, Post, StageReport, Watch, Window
from screener.settings import Settings
from screener.settings.sources import ApiSource, Source
from screener.store import ledger
from screener.store.database import Connection, reading, writing
from screener.store.lake import Lake, posts_from
from screener.store.runs import COLLECTED
from screener.workdir import Workdir

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
T = TypeVar("T")


def source(kind: str, *targets: str | dict[str, Any], **values: Any) -> ApiSource:
    """An enabled source that is asked at these addresses."""
    filled: dict[str, Any] = {
        "kind": kind, "name": kind, "enabled": True, "endpoints": ("posts",), "lookback_days": 30, "overlap_hours": 1, "refresh_days": 1,
        "min_posts_per_week": 0, **values,
    }  # fmt: skip
    limits = {"max_requests_per_run": 1000, "seconds_between_requests": 0.0, **filled.get("limits", {})}
    places = [target if isinstance(target, dict) else {"url": target} for target in targets]
    told = [{"country": "TH", "sector": "poultry", "language": "en", "reason": "invented", **place} for place in places]
    return ApiSource.model_validate(filled | {"limits": limits, "targets": tuple(told)})


WATCH = Watch("TH", "poultry", ("en",), (), (("en", ("factory wages",)),))


@dataclass
class Collector:
    """One working directory and its sources; ``now`` is the time of the next run."""

    settings: Settings
    workdir: Workdir
    now: datetime = NOW
    run_ids: list[str] = field(default_factory=list)
    _numbers: Callable[[], int] = field(default_factory=lambda: itertools.count().__next__)

    @classmethod
    def over(cls, settings: Settings, folder: Path, *sources: Source, **collect: Any) -> Collector:
        """A collector of these sources, which fails at once where it would try again for minutes."""
        quick = {
            "private_hosts": ("127.0.0.1",),
            "max_attempts": 1,
            "max_wait_seconds": 0.05,
            "phrases_per_language": 1,
        }
        runtime = settings.runtime.model_copy(
            update={"collect": settings.runtime.collect.model_copy(update=quick | collect)}
        )
        changed = replace(settings, sources=sources, watches=(WATCH,), runtime=runtime)
        return cls(changed, Workdir(folder / "var").ensure())

    def change(self, **values: Any) -> None:
        """Other values for the (only) source."""
        (one,) = self.settings.sources
        self.settings = replace(self.settings, sources=(one.model_copy(update=values),))

    def limit(self, **values: Any) -> None:
        """Other limits for the (only) source."""
        (one,) = self.settings.sources
        self.change(limits=one.limits.model_copy(update=values))

    def collect(
        self, *, asked_for: Window | None = None, only: Sequence[Source] | None = None, closes: bool = True
    ) -> StageReport:
        """One collect run at ``now``."""
        opened = open_context(self.settings, self.workdir, arguments=f"{self._numbers()}", now=self.now)
        with opened as context:
            self.run_ids.append(context.run.run_id)
            sources = self.settings.sources if only is None else only
            report = run_collect(context, sources, days=collected_days(context), asked_for=asked_for)
            if closes:
                close_run(context, COLLECTED)
            return report

    def collect_some(self, **options: Any) -> None:
        """A run of which only what it kept is of interest, whether or not it ends with an error."""
        with suppress(SourceError):
            self.collect(**options)

    def clean(self, **options: Any) -> StageReport:
        """Housekeeping at ``now``."""
        return run_housekeeping(self.settings, self.workdir, now=self.now, **options)

    @property
    def lake(self) -> Lake:
        return Lake(self.workdir.lake)

    @property
    def posts(self) -> list[Post]:
        """All posts of the lake, as often as they lie there, by text."""
        found = [
            p for part in self.lake.parts("posts") for p in posts_from(self.lake.read("posts", part), part.partition)
        ]
        return sorted(found, key=lambda post: post.text)

    @property
    def texts(self) -> list[str]:
        return [post.text for post in self.posts]

    @property
    def parts(self) -> dict[str, str | None]:
        """Fingerprints of the lake's posts by part."""
        return {part.path: self.lake.fingerprint("posts", part) for part in self.lake.parts("posts")}

    @property
    def days(self) -> dict[date, LedgerDay]:
        """The gap ledger by day, where each day has one row."""
        return {row.day: row for row in self.read(ledger.list_days)}

    @property
    def health(self) -> dict[str, State]:
        """How each source is doing."""
        with open_reader(self.settings, self.workdir) as engine:
            found = source_health(engine, self.settings, now=self.now)
        return {one.health.source: one.health.state for one in found}

    def read(self, question: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """A question to the results store."""
        with open_reader(self.settings, self.workdir) as engine, reading(engine) as connection:
            return question(connection, *arguments, **options)

    def write(self, change: Callable[..., T], *arguments: Any, **options: Any) -> T:
        """A change in the results store."""
        with open_reader(self.settings, self.workdir) as engine, writing(engine) as connection:
            return change(connection, *arguments, **options)

    def rows(self, statement: str) -> list[Any]:
        """Rows of the results store."""

        def ask(connection: Connection) -> list[Any]:
            return list(connection.execute(text(statement)).all())

        return self.read(ask)


def wordpress(site: Site, **values: Any) -> ApiSource:
    """A WordPress site as a source."""
    return source("wordpress", site.url, **values)


def rss(feed: Site, **values: Any) -> ApiSource:
    """A feed as a source."""
    return source("rss", f"{feed.url}/feed.xml", endpoints=("feed",), **values)


def youtube(site: Site, **values: Any) -> ApiSource:
    """A video platform as a source, with its key in ``VIDEOS_KEY``."""
    told = {
        "endpoints": ("search", "comments", "replies"),
        "approval": "invented",
        "credentials": {"key": "VIDEOS_KEY"},
    }
    return source("youtube", site.url, **told | values)


def lemmy(forum: Site, **values: Any) -> ApiSource:
    """A forum as a source, asked again for a day each time."""
    return source("lemmy", forum.url, **{"overlap_hours": 24, **values})


def counts(report: StageReport) -> dict[str, int]:
    """The report's counts by name."""
    return dict(report.counts)
