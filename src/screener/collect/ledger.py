"""Pure: the gap ledger of a run, a row for each day of a source, watch and language that was to be covered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

from screener.collect.connector import Query
from screener.collect.tasks import Missing, Task
from screener.collect.windows import covers, merge
from screener.records import UNKNOWN_COUNTRY, UNSPECIFIED_SECTOR, GapReason, LedgerDay, Span

HORIZON = timedelta(days=35)
"""Days before the run that the ledger speaks of where nobody asked for certain days: what a feed says of last year is no news."""
EXPECTED_FROM = 3
"""Weeks that must be known before anything is expected of a weekday; the median of fewer says nothing."""
EXPECTED_WEEKS = 8
_WEIGHT = (GapReason.ERROR, GapReason.REFUSED, GapReason.BUDGET, GapReason.PAUSED, GapReason.NO_DATA)
"""Where queries of one day failed for different reasons, the one that asks most for action is told."""

Place = tuple[str, str, str, str]
"""Country, sector, language asked in (empty for none) and day, as the lake counts posts."""


@dataclass
class _Day:
    n_asked: int = 0
    n_answered: int = 0
    missing: list[Missing] = field(default_factory=list)


def ledger_days(
    tasks: Iterable[Task], answered: Mapping[str, Sequence[Span]], missing: Iterable[Missing], *,
    seen: Mapping[str, Mapping[Place, int]], history: Iterable[LedgerDay], now: datetime, horizon: timedelta | None,
) -> list[LedgerDay]:  # fmt: skip
    """Rows for all days that the run's tasks were to cover.

    ``answered`` are the stretches that were answered, by query key; ``seen`` the posts of the lake, by source and place;
    ``history`` the rows of the weeks before. ``horizon`` ``None`` means all days, however old: somebody asked for them.
    """
    days: dict[tuple[str, str, str, str, date], _Day] = defaultdict(_Day)
    first = (now - horizon).date() if horizon is not None else date.min
    gaps = defaultdict(list)
    for gap in missing:
        gaps[gap.query.key].append(gap)
    for query, spans in _by_query(tasks):
        had = merge(answered.get(query.key, ()))
        for day in {day for span in spans for day in days_of(span) if day >= first}:
            row = days[query.source, query.country or "", query.sector or "", query.language or "", day]
            wanted = [part for span in spans if (part := _within(span, day))]
            row.n_asked += 1
            row.n_answered += all(covers(had, part) for part in wanted)
            row.missing += [gap for gap in gaps[query.key] if _is_missing(gap, day, had)]
    expected = _expectations(history)
    return [_row(key, row, seen.get(key[0], {}), expected) for key, row in sorted(days.items())]


def _by_query(tasks: Iterable[Task]) -> Iterator[tuple[Query, list[Span]]]:
    spans: dict[str, tuple[Query, list[Span]]] = {}
    for task in tasks:
        spans.setdefault(task.query.key, (task.query, []))[1].append(task.span)
    yield from spans.values()


def days_of(span: Span) -> Iterator[date]:
    """Days (UTC) that a span touches."""
    day = span.start.date()
    while span.start < span.end and datetime.combine(day, time(), UTC) < span.end:
        yield day
        day += timedelta(days=1)


def _within(span: Span, day: date) -> Span | None:
    start = datetime.combine(day, time(), UTC)
    part = Span(max(span.start, start), min(span.end, start + timedelta(days=1)))
    return part if part.start < part.end else None


def _is_missing(gap: Missing, day: date, had: Sequence[Span]) -> bool:
    """False where the gap is of an overlap asked again: what was answered before is not missing."""
    part = _within(gap.span, day)
    return part is not None and (gap.reason is GapReason.NO_DATA or not covers(had, part))


def _row(
    key: tuple[str, str, str, str, date], row: _Day, seen: Mapping[Place, int], expected: Mapping[tuple[str, ...], Mapping[date, int]]
) -> LedgerDay:  # fmt: skip
    source, country, sector, language, day = key
    place = (country or UNKNOWN_COUNTRY, sector or UNSPECIFIED_SECTOR, language, day.isoformat())
    n_seen = seen.get(place) or None
    told = sorted(row.missing, key=lambda gap: _WEIGHT.index(gap.reason))
    reason = told[0].reason if told else None
    if reason is GapReason.NO_DATA and n_seen:
        reason = None  # some queries found nothing, others did
    if reason is None and n_seen is None:
        reason = GapReason.NO_DATA
    return LedgerDay(
        source, country or None, sector or None, language or None, day, n_seen=n_seen,
        n_expected=expect(expected.get(key[:4], {}), day), n_asked=row.n_asked, n_answered=row.n_answered, reason=reason,
        detail=told[0].detail if told and reason else None,
    )  # fmt: skip


def _expectations(history: Iterable[LedgerDay]) -> dict[tuple[str, ...], dict[date, int]]:
    found: dict[tuple[str, ...], dict[date, int]] = defaultdict(dict)
    for row in history:
        if row.n_answered and row.reason in {None, GapReason.NO_DATA}:
            found[row.source, row.country or "", row.sector or "", row.language or ""][row.day] = row.n_seen or 0
    return found


def expect(known: Mapping[date, int], day: date) -> float | None:
    """Median of the same weekday in the weeks before, from days that were fully answered; ``None`` while too few are known."""
    earlier = [known[before] for n in range(1, EXPECTED_WEEKS + 1) if (before := day - timedelta(weeks=n)) in known]
    return float(median(earlier)) if len(earlier) >= EXPECTED_FROM else None
