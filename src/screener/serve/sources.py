"""Pure: what the page of the sources shows, without markup. What was not heard stands out more than what was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from screener.collect.health import Health, State
from screener.pipeline.health import SourceHealth
from screener.records import GapReason, LedgerDay
from screener.settings import Settings
from screener.settings.sources import FileSource
from screener.words.language import Words

DAYS_SHOWN = 14
"""Full days before today, as the health of a source is judged: a day that has not ended would look like a gap."""
ROWS_SHOWN = 60
"""Rows of one source: what is wrong comes first, and the JSON holds the rest."""
CAUSES_SHOWN = 5
SEEN, NOT_ASKED = "seen", "not-asked"
PARTLY_SILENT = "partly-silent"
CELL_KINDS = (SEEN, *(str(reason) for reason in GapReason), NOT_ASKED)
_FAULTS = frozenset({GapReason.ERROR, GapReason.REFUSED, GapReason.PAUSED, GapReason.BUDGET})
_WORST_FIRST = {state: -place for place, state in enumerate(State)}

_Key = tuple[str | None, str | None, str | None]
"""Country, sector and language of a row."""


@dataclass(frozen=True, slots=True)
class Day:
    """A column: its weekday and number for the eye, its whole name for the ear."""

    day: date
    weekday: str
    named: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a row. ``posts`` counts them where there are any; ``fault`` says why some queries of that day gave none."""

    kind: str
    posts: str = ""
    fault: GapReason | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A watch and language, with a cell for each day."""

    watch: str
    language: str
    cells: tuple[Cell, ...]

    @property
    def trouble(self) -> tuple[int, int]:
        """Days with a fault, then days of silence; both negative, so that the worst row sorts first."""
        n_faults = sum(cell.kind in _FAULTS or cell.fault is not None for cell in self.cells)
        n_silent = sum(cell.kind in {GapReason.NO_DATA, NOT_ASKED} for cell in self.cells)
        return -n_faults, -n_silent


@dataclass(frozen=True, slots=True)
class Cause:
    """Why days are missing, as the source or the client put it; ``n`` cells share it."""

    reason: GapReason
    detail: str
    n: int


@dataclass(frozen=True, slots=True)
class SourceView:
    """One source: its health in words, and its ledger. ``shown`` is the state that the page names."""

    health: Health
    shown: str
    kind: str
    is_news: bool
    quiet_in: str
    last_answer: str | None
    rows: tuple[Row, ...]
    n_more: int
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class SourcesView:
    """Everything on the page; sources in need of attention first, the newest day first: a narrow screen shows what is new."""

    on: tuple[SourceView, ...]
    off: tuple[SourceView, ...]
    days: tuple[Day, ...]
    period: str
    files: tuple[str, ...]
    uses_demo: bool

    @property
    def alarming(self) -> tuple[SourceView, ...]:
        """Sources that somebody should look at."""
        return tuple(one for one in self.on if one.health.is_alarming)


def build_sources(found: Sequence[SourceHealth], settings: Settings, words: Words, *, today: date) -> SourcesView:
    """The page of all sources; ``today`` is the day (UTC) that has not ended yet."""
    weekdays = words.text("gap_weekdays").split()
    dates = [today - timedelta(days=n) for n in range(1, DAYS_SHOWN + 1)]
    days = tuple(Day(day, weekdays[day.weekday()], words.day(day)) for day in dates)
    ordered = sorted(found, key=lambda one: _urgency(one.health))
    views = [_source(one, days, settings, words) for one in ordered]
    taken = [source for source in settings.sources if source.enabled and not getattr(source, "invented", False)]
    return SourcesView(
        on=tuple(view for view in views if view.health.state is not State.OFF),
        off=tuple(view for view in views if view.health.state is State.OFF),
        days=days, period=words.period(dates[-1], today),
        files=tuple(source.name for source in taken if isinstance(source, FileSource)), uses_demo=not taken,
    )  # fmt: skip


def names_alarming(found: Iterable[SourceHealth]) -> tuple[str, ...]:
    """Names of the sources that somebody should look at, the worst first."""
    worst_first = sorted((one.health for one in found), key=_urgency)
    return tuple(health.source for health in worst_first if health.is_alarming)


def _urgency(health: Health) -> tuple[bool, int, str]:
    return not health.is_alarming, _WORST_FIRST[health.state], health.source


def _source(one: SourceHealth, days: Sequence[Day], settings: Settings, words: Words) -> SourceView:
    health = one.health
    ledger = [row for row in one.days if days[-1].day <= row.day <= days[0].day]
    rows = sorted(_rows(ledger, days, settings, words), key=lambda row: (row.trouble, row.watch, row.language))
    return SourceView(
        health=health, shown=PARTLY_SILENT if health.state is State.GOOD and health.quiet_in else health.state,
        kind=one.kind, is_news=one.is_news, quiet_in=words.languages(health.quiet_in) if health.quiet_in else "",
        last_answer=_moment(health.last_answer, words) if health.last_answer else None,
        rows=tuple(rows[:ROWS_SHOWN]), n_more=max(0, len(rows) - ROWS_SHOWN), causes=_causes(ledger),
    )  # fmt: skip


def _moment(moment: datetime, words: Words) -> str:
    return f"{words.day(moment)} {moment:%H:%M} UTC"


def _rows(ledger: Iterable[LedgerDay], days: Sequence[Day], settings: Settings, words: Words) -> Iterable[Row]:
    by_row: dict[_Key, dict[date, LedgerDay]] = {}
    for row in ledger:
        by_row.setdefault((row.country, row.sector, row.language), {})[row.day] = row
    sectors = {sector.slug: words.of(sector.name) for sector in settings.sectors}
    for (country, sector, language), known in by_row.items():
        place = (words.country(country) if country else None, sectors.get(sector, sector) if sector else None)
        named = words.language(language) if language else words.text("gap_any_language")
        yield Row(
            _watch(*place, words), named, tuple(_cell(known.get(column.day), column.named, words) for column in days)
        )


def _watch(country: str | None, sector: str | None, words: Words) -> str:
    if country and sector:
        return words.text("cell_title", country=country, sector=sector)
    if country or sector:
        return words.text("gap_country_only" if country else "gap_sector_only", name=country or sector)
    return words.text("gap_no_watch")


def _cell(day: LedgerDay | None, named: str, words: Words) -> Cell:
    if day is None:
        return Cell(NOT_ASKED, title=f"{named}: {words.text('gap_not-asked')}")
    fault = day.reason if day.reason in _FAULTS else None
    told = [words.text("gap_posts", n=_count(day.n_seen, words))] if day.n_seen else []
    told += [words.text(f"gap_{fault or GapReason.NO_DATA}")] if fault or not day.n_seen else []
    if day.n_expected is not None:
        told.append(words.text("gap_expected", n=_count(day.n_expected, words)))
    told.append(words.text("gap_answered", answered=day.n_answered, asked=day.n_asked))
    title = f"{named}: {', '.join(told)}"
    if day.n_seen:
        return Cell(SEEN, _count(day.n_seen, words), fault, title)
    return Cell(fault or GapReason.NO_DATA, title=title)


@lru_cache(maxsize=4096)
def _count(n: float, words: Words) -> str:
    """A number; kept, since a page has thousands and most of them are few."""
    return words.number(n)


def _causes(ledger: Iterable[LedgerDay]) -> tuple[Cause, ...]:
    told = Counter((row.reason, row.detail) for row in ledger if row.reason and row.detail)
    return tuple(Cause(reason, detail, n) for (reason, detail), n in told.most_common(CAUSES_SHOWN))
