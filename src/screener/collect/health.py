"""Pure: how a source is doing, and whether it has fallen silent. The worst fault of a collector is the one nobody hears."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from screener.records import GapReason, LedgerDay, SourceRun

QUIET_BELOW = 0.25
"""Share of the expected posts of a week below which a source, or one language of it, is quiet: public holidays and outages of a
day or two stay above it, a broken search or a changed token doesn't."""
ENOUGH_EXPECTED = 10.0
"""Fewer expected posts a week than this vary too much for their absence to mean anything."""
SILENT_FROM = 3.0
"""New posts due since the last one, at the pace of the week: of a source that goes on as before, fewer than one in twenty would
have given none (Poisson)."""
HEARTBEAT = timedelta(days=2)
"""Collecting is scheduled daily; a source that answered nothing for two days is not being listened to."""
WEEK = timedelta(days=7)


class State(StrEnum):
    """How a source is doing, from fine to worst."""

    OFF = "off"
    NEVER_ASKED = "never-asked"
    GOOD = "good"
    QUIET = "quiet"
    BUDGET = "budget"
    PAUSED = "paused"
    REFUSED = "refused"
    FAILING = "failing"
    STALE = "stale"


ALARMING = frozenset({State.QUIET, State.PAUSED, State.REFUSED, State.FAILING, State.STALE})
_BY_REASON = {
    GapReason.REFUSED: State.REFUSED, GapReason.BUDGET: State.BUDGET, GapReason.PAUSED: State.PAUSED, GapReason.ERROR: State.FAILING,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Health:
    """State of one source with the words for it. ``n_week`` posts of the last seven full days, ``None`` for none at all;
    ``quiet_in`` names the languages that fell silent.
    """

    source: str
    state: State
    told: str
    last_answer: datetime | None = None
    n_week: int | None = None
    n_expected: float | None = None
    n_requests: int = 0
    n_new_posts: int = 0
    quiet_in: tuple[str, ...] = ()

    @property
    def is_alarming(self) -> bool:
        """True if somebody should look."""
        return self.state in ALARMING or bool(self.quiet_in)


def judge(
    source: str, *, is_enabled: bool, runs: Sequence[SourceRun], days: Iterable[LedgerDay], last_answer: datetime | None,
    now: datetime, min_posts_per_week: int,
) -> Health:  # fmt: skip
    """The health of one source from its last runs (newest first) and its ledger."""
    if not is_enabled:
        return Health(source, State.OFF, "switched off")
    runs = [
        run for run in runs if run.asked_at <= now
    ]  # a clock that once went wrong must not speak for the years to come
    if not runs:
        return Health(source, State.NEVER_ASKED, "enabled, and not asked yet")
    week = [row for row in days if now.date() - WEEK <= row.day < now.date()]
    n_week, n_expected = _sum_seen(week), _sum_expected(week)
    state, told = _state(runs, week, last_answer, now, min_posts_per_week)
    return Health(
        source, state, told, last_answer, n_week, n_expected, runs[0].n_requests, runs[0].n_new_posts, _quiet_in(week)
    )


def _state(
    runs: Sequence[SourceRun], week: Sequence[LedgerDay], last_answer: datetime | None, now: datetime, minimum: int,
) -> tuple[State, str]:  # fmt: skip
    newest = _newest_of_each_country(runs)
    if last_answer is None or now - last_answer > HEARTBEAT:
        since = f"since {last_answer:%Y-%m-%d %H:%M} UTC" if last_answer else "ever"
        if newest.n_answered == 0 and newest.reason in _BY_REASON:
            return _BY_REASON[newest.reason], f"no answer {since}: {newest.error}"
        return State.STALE, f"no answer {since}; is collecting still scheduled?"
    if newest.reason in _BY_REASON and (newest.n_answered == 0 or newest.n_answered < newest.n_asked / 2):
        answered = f"{newest.n_answered} of {newest.n_asked} queries answered"
        return _BY_REASON[newest.reason], f"{answered}: {newest.error}"
    if quiet := _quiet(runs, week, minimum):
        return State.QUIET, quiet
    return State.GOOD, f"{newest.n_answered} of {newest.n_asked} queries answered"


def _newest_of_each_country(runs: Sequence[SourceRun]) -> SourceRun:
    """The last run, put together where countries are collected one by one: a run of one says nothing of the others."""
    newest: dict[str, SourceRun] = {}
    for run in runs:
        newest.setdefault(run.country or "", run)
        if run.country is None:
            break
    parts = list(newest.values())
    failed = max(parts, key=lambda run: run.n_asked - run.n_answered)
    return replace(
        failed, n_asked=sum(run.n_asked for run in parts), n_answered=sum(run.n_answered for run in parts),
        n_read=sum(run.n_read for run in parts), n_new_posts=sum(run.n_new_posts for run in parts),
    )  # fmt: skip


def _quiet(runs: Sequence[SourceRun], week: Sequence[LedgerDay], minimum: int) -> str | None:
    seen = _sum_seen(week) or 0
    told_of = [row for row in week if row.n_expected is not None]
    n_expected, n_seen = _sum_expected(told_of), _sum_seen(told_of) or 0
    if n_expected is not None and n_expected >= ENOUGH_EXPECTED and n_seen < QUIET_BELOW * n_expected:
        return f"{n_seen} posts where about {n_expected:.0f} were expected in the last seven days"
    heard = next((run for run in runs if run.n_new_posts), None)
    if heard is not None and runs[0].n_answered:
        due = (runs[0].asked_at - heard.asked_at) / timedelta(days=1) * seen / WEEK.days
        if due >= SILENT_FROM:
            since = f"{heard.asked_at:%Y-%m-%d %H:%M}"
            return f"{runs[0].n_read} records read, and no new post since {since} UTC, where about {due:.0f} were due"
    if len(runs) > 1 and seen < minimum:
        return f"{seen} posts of the last seven days, at least {minimum} wanted (min_posts_per_week)"
    return None


def _quiet_in(week: Iterable[LedgerDay]) -> tuple[str, ...]:
    by_language: dict[str, list[LedgerDay]] = defaultdict(list)
    for row in week:
        if row.language:
            by_language[row.language].append(row)
    quiet = []
    for language, rows in sorted(by_language.items()):
        expected = _sum_expected(rows)
        if expected is not None and expected >= ENOUGH_EXPECTED and (_sum_seen(rows) or 0) < QUIET_BELOW * expected:
            quiet.append(language)
    return tuple(quiet)


def _sum_seen(rows: Iterable[LedgerDay]) -> int | None:
    seen = [row.n_seen for row in rows if row.n_seen is not None]
    return sum(seen) if seen else None


def _sum_expected(rows: Iterable[LedgerDay]) -> float | None:
    expected = [row.n_expected for row in rows if row.n_expected is not None]
    return sum(expected) if expected else None
