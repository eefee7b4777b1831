"""A gap ledger and health of invented sources: one in every state, with every kind of day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from screener.records import GapReason, LedgerDay, SourceRun
from screener.settings import Settings
from screener.store import ledger
from screener.store.database import open_store, store_url, writing
from screener.workdir import Workdir

STATES = {
    "bluesky": "failing", "discourse": "stale", "lemmy": "never-asked", "mastodon": "good", "news": "quiet", "reddit": "refused",
    "rss": "partly-silent", "wordpress": "paused", "youtube": "budget",
}  # fmt: skip
"""State of each invented source as the page names it; all others are switched off."""
ALARMING = {"bluesky", "discourse", "news", "reddit", "rss", "wordpress"}
HOSTILE = "<script>alert(1)</script> HTTP 503 from https://pds.example"
N_DAYS = 16
"""Two more than are shown: neither today nor the day before the first column may show."""


@dataclass(frozen=True)
class Invented:
    """What the newest run of a source came to, from how many days ago its ledger tells the reason, and the posts of a day:
    so many at least, and how far they vary.
    """

    reason: GapReason | None = None
    detail: str | None = None
    n_answered: int = 14
    n_read: int = 60
    since: int = 3
    hours_ago: int = 2
    posts: tuple[int, int] = (8, 9)


SOURCES = {
    "bluesky": Invented(GapReason.ERROR, HOSTILE, n_answered=3),
    "discourse": Invented(hours_ago=75, since=3),
    "mastodon": Invented(),
    "news": Invented(posts=(0, 3)),
    "reddit": Invented(GapReason.REFUSED, "the platform must approve of the use first (reddit.toml, approval)", n_answered=0, n_read=0),
    "rss": Invented(),
    "wordpress": Invented(GapReason.PAUSED, "site.example failed 5 times; left alone until the next run", n_answered=2, since=2),
    "youtube": Invented(GapReason.BUDGET, "max_units_per_day (10,000) is spent", n_answered=6, since=4),
}  # fmt: skip


def with_sources(settings: Settings) -> Settings:
    """The shipped settings with the invented sources switched on."""
    sources = tuple(source.model_copy(update={"enabled": source.name in STATES}) for source in settings.sources)
    return replace(settings, sources=sources)


def fill_ledger(workdir: Workdir, settings: Settings, *, now: datetime) -> None:
    """Write two weeks of ledger, and two runs of each source, into the workdir's store."""
    engine = open_store(store_url(workdir.ensure()))
    with writing(engine) as connection:
        for name, invented in SOURCES.items():
            if name != "reddit":
                ledger.save_days(connection, _days(name, invented, settings, now.date()), now=now)
            for run in _runs(name, invented, now):
                ledger.save_source_run(connection, run)
    engine.dispose()


def _runs(name: str, invented: Invented, now: datetime) -> Iterator[SourceRun]:
    asked_at = now - timedelta(hours=invented.hours_ago)
    last = SourceRun(
        "run-2", name, asked_at, n_requests=40, n_read=invented.n_read, n_new_posts=9, n_asked=14, n_answered=invented.n_answered,
        reason=invented.reason, error=invented.detail,
    )  # fmt: skip
    yield last
    if name != "reddit":
        yield replace(
            last, run_id="run-1", asked_at=asked_at - timedelta(days=1), n_answered=14, reason=None, error=None
        )


def _days(name: str, invented: Invented, settings: Settings, today: date) -> Iterator[LedgerDay]:
    if name == "news":
        rows = [("TH", None, "th"), ("PK", None, "en"), (None, None, "ur"), (None, "poultry", None), (None, None, None)]
    else:
        size = 30 if name == "bluesky" else 3
        rows = [(w.country, w.sector, language) for w in settings.watches[:size] for language in w.expected_languages]
    for place, (country, sector, language) in enumerate(rows):
        for ago in range(N_DAYS):
            if (place + ago) % 29 == 7 or (name == "discourse" and ago <= invented.since):
                continue  # not asked
            yield _day(name, invented, (country, sector, language), today - timedelta(days=ago), ago, place)


def _day(
    name: str, invented: Invented, row: tuple[str | None, str | None, str | None], day: date, ago: int, place: int
) -> LedgerDay:
    silent = name == "rss" and row[2] == "my" and ago <= 9
    is_late = ago <= invented.since and invented.reason is not None
    fails, partly = is_late and place % 3 != 1, is_late and place % 3 == 1
    least, spread = invented.posts
    n_seen = least + (place * 7 + ago * 5) % spread
    n_seen *= 100 if name == "mastodon" and place == 4 else 1
    if silent or fails or (place + ago) % 11 == 3:
        n_seen = 0
    reason = invented.reason if fails or partly else None if n_seen else GapReason.NO_DATA
    return LedgerDay(
        name, *row, day, n_seen=n_seen or None, n_expected=12.0, n_asked=4, n_answered=1 if fails else 3 if partly else 4,
        reason=reason, detail=invented.detail if fails or partly else None,
    )  # fmt: skip
