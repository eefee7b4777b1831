"""Writes down what asking the sources came to: the gap ledger, gaps and quarantine of the run, and how each source did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from screener.collect.keeper import Asked
from screener.collect.ledger import EXPECTED_WEEKS, days_of, ledger_days
from screener.collect.tasks import Missing, Task
from screener.pipeline.context import Context
from screener.pipeline.keeping import StoreKeeper
from screener.pipeline.sources import PlannedSource
from screener.records import Gap, GapReason, SourceRun, Span, Window
from screener.store import lake_queries, ledger, runs
from screener.store.database import writing

FEED_SPEAKS_OF = timedelta(days=7)
"""Days before the first reading of a feed that its silence is taken to speak of; most hold a week or more."""


def write_ledger(
    context: Context, planned: Sequence[PlannedSource], keeper: StoreKeeper, asked: Asked, horizon: timedelta | None
) -> None:
    """The ledger's rows for all days that were to be covered, and what was missing or refused, query by query."""
    now = context.run.started_at
    tasks = [_spoken_of(task, planned, now, horizon) for task in asked.tasks]
    asked_days = sorted({day for task in tasks for day in days_of(_recent(task.span, now, horizon))})
    names, days = [one.source.name for one in planned], [day.isoformat() for day in asked_days]
    seen = {name: lake_queries.count_seen(context.lake, name, days) for name in names} if days else {}
    with writing(context.engine) as connection:
        since = min(asked_days, default=now.date()) - timedelta(weeks=EXPECTED_WEEKS)
        history = ledger.list_days(connection, sources=names, since=since)
        answered = {key: [*asked.answered[key], *keeper.answered_before(key)] for key in asked.queries}
        rows = ledger_days(tasks, answered, asked.missing, seen=seen, history=history, now=now, horizon=horizon)
        ledger.save_days(connection, rows, now=now)
        gaps = _gaps(asked.missing)
        for key in {**asked.outcomes, **gaps}:
            refused = asked.outcomes[key].quarantined if key in asked.outcomes else []
            runs.add_unit_records(connection, context.run.run_id, key, quarantined=refused, unit_gaps=gaps.get(key, []))


def _spoken_of(task: Task, planned: Sequence[PlannedSource], now: datetime, horizon: timedelta | None) -> Task:
    """The task with the days that its answer speaks of: a feed is silent about days before its oldest entry."""
    connector = next(one.connector for one in planned if one.source.name == task.query.source)
    if horizon is None or not connector.endpoints[task.query.endpoint].is_conditional:
        return task
    return replace(task, span=Span(max(task.span.start, task.asked_until or now - FEED_SPEAKS_OF), task.span.end))


def _recent(span: Span, now: datetime, horizon: timedelta | None) -> Span:
    return Span(max(span.start, now - horizon), span.end) if horizon is not None else span


def _gaps(missing: Sequence[Missing]) -> dict[str, list[Gap]]:
    found: dict[str, list[Gap]] = {}
    for gap in missing:
        last = (gap.span.end - timedelta(microseconds=1)).date()
        window = Window(gap.span.start.date(), last + timedelta(days=1))
        told = f"{gap.reason}: {gap.detail}"
        found.setdefault(gap.query.key, []).append(Gap(gap.query.source, gap.query.watch, window, told))
    return found


def write_health(
    context: Context,
    planned: Sequence[PlannedSource],
    keeper: StoreKeeper,
    asked: Asked,
    n_requests: dict[str, int],
    country: str | None,
) -> None:
    """How each source did in this run; a run with nothing left to ask of it says nothing."""
    with writing(context.engine) as connection:
        for one in planned:
            run = _source_run(context, one, keeper, asked, n_requests.get(one.source.name, 0))
            run = replace(run, country=country)
            if run.n_asked or one.why_not:
                ledger.save_source_run(connection, run)


def _source_run(context: Context, one: PlannedSource, keeper: StoreKeeper, asked: Asked, n_requests: int) -> SourceRun:
    name = one.source.name
    missing = [gap for gap in asked.missing if gap.query.source == name and gap.reason is not GapReason.NO_DATA]
    keys = {key for key, query in asked.queries.items() if query.source == name}
    outcomes = [asked.outcomes[key] for key in keys if key in asked.outcomes]
    n_read = sum(outcome.n_read + outcome.n_unchanged for outcome in outcomes)
    n_answered = len(keys - {gap.query.key for gap in missing})
    reason = missing[0].reason if missing else None
    error = missing[0].detail if missing else None
    if one.why_not:
        reason, error = GapReason.REFUSED, one.why_not
    return SourceRun(
        context.run.run_id, name, context.run.started_at, n_requests=n_requests, n_read=n_read,
        n_new_posts=keeper.merged.new_by_source[name], n_asked=len(keys), n_answered=n_answered,
        reason=reason, error=error,
    )  # fmt: skip
