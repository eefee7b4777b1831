"""Asks the sources that are asked over HTTP: plans, walks, merges, and writes down what came and what did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from screener.collect.asking import Asking
from screener.collect.health import State
from screener.collect.http import PoliteClient
from screener.collect.keeper import Asked, Plan
from screener.collect.ledger import HORIZON
from screener.collect.taking import Outcome
from screener.collect.tasks import Missing, Task
from screener.errors import ParseError, SourceError
from screener.pipeline.context import Context
from screener.pipeline.erasing import apply_tombstones
from screener.pipeline.health import source_health
from screener.pipeline.keeping import StoreKeeper
from screener.pipeline.ledger import write_health, write_ledger
from screener.pipeline.sources import PlannedSource, access_to, intake_of, plan, wanted_span
from screener.pipeline.streaming import listen_to
from screener.records import GapReason, Span, Window
from screener.settings.sources import ApiSource
from screener.store import collecting
from screener.store.database import writing


@dataclass
class AskedSources:
    """What the stage reports of the sources that were asked."""

    outcomes: list[Outcome] = field(default_factory=list)
    counts: list[tuple[str, int]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def ask_sources(
    context: Context, sources: Sequence[ApiSource], *, days: Window, country: str | None, asked_for: Window | None
) -> AskedSources:
    """Ask all sources for what is new, or for ``asked_for``; whatever goes wrong is in ledger, health and report."""
    if not sources:
        return AskedSources()
    is_backfill = asked_for is not None and bool(asked_for.start or asked_for.end)
    now = context.run.started_at
    planned = [
        plan(context.settings, source, wanted_span(source, days, now, asked_for=asked_for), country)
        for source in sources
    ]
    keeper = StoreKeeper(context, sources, whole_lookback=not is_backfill)
    keeper.merge()  # what an earlier run left when it was killed
    for one in planned:
        _ask_emptied_again(context, one.source)
    tasks = [task for one in planned for task in _tasks(keeper, one, country)]
    asked, n_requests = _ask(context, planned, keeper, tasks)
    for one in planned:
        for query in one.queries:
            if one.connector.endpoints[query.endpoint].asks == "stream":
                listen_to(context, _plan(context, one), replace(query, span=None), keeper, asked)
    for one in planned:
        _note_unasked(one, now, asked)
    keeper.merge()
    erased = apply_tombstones(context.lake, context.engine, context.workdir, now=now)  # before anybody classifies them
    horizon = None if is_backfill else HORIZON
    write_ledger(context, planned, keeper, asked, horizon)
    if not is_backfill:  # what a source says of days long past is not how it is today
        write_health(context, planned, keeper, asked, n_requests, country)
    reported = _reported(context, planned, keeper, asked, sum(n_requests.values()))
    reported.counts.append(("deleted_posts", erased.n_posts))
    reported.warnings += erased.warnings
    return reported


def _note_unasked(one: PlannedSource, now: datetime, asked: Asked) -> None:
    """A source that lacks its credentials is missing from the last day on, query by query: that is no silence of the workers."""
    for query in one.unasked:
        if query.span is not None:
            task = Task(replace(query, span=None), Span(max(query.span.start, now - timedelta(days=1)), now))
            asked.tasks.append(task)
            asked.missing.append(Missing(task.query, task.span, GapReason.REFUSED, one.why_not or ""))


def _tasks(keeper: StoreKeeper, one: PlannedSource, country: str | None) -> list[Task]:
    """Windows to ask, in the plan's order, and what pages of an earlier run led to."""
    found = [
        task
        for order, query in enumerate(one.queries)
        if query.span is not None and one.connector.endpoints[query.endpoint].asks != "stream"
        for task in keeper.tasks(replace(query, span=None), one.connector, query.span, order)
    ]
    return found if one.why_not else found + keeper.led_to(one.source, country)


def _ask_emptied_again(context: Context, source: ApiSource) -> None:
    """A lake that was taken away must be filled again, so nothing counts as asked. A mark in it tells it from one whose posts
    were erased or grew too old.
    """
    mark = context.lake.root / "posts" / f"source={source.name}" / ".asked"
    if mark.exists():
        return
    if not any(mark.parent.glob("country=*")):
        with writing(context.engine) as connection:
            collecting.forget_source(connection, source.name)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _ask(
    context: Context, planned: Sequence[PlannedSource], keeper: StoreKeeper, tasks: Sequence[Task]
) -> tuple[Asked, dict[str, int]]:
    settings = context.settings.runtime.collect
    plans = [_plan(context, one) for one in planned]
    with PoliteClient(settings) as client:
        asking = Asking(
            client, keeper, plans, concurrency=settings.concurrency, max_unreadable=settings.max_attempts,
            progress=lambda n: context.progress("collect", n, None),
        )  # fmt: skip
        for plan in plans:
            _heed_rules(client, plan, asking, tasks)
        return asking.run(tasks), dict(client.n_requests)


def _heed_rules(client: PoliteClient, plan: Plan, asking: Asking, tasks: Sequence[Task]) -> None:
    """Ask each target once what it serves; what it doesn't is not asked, and stands in the ledger as refused."""
    if plan.connector.rules is None:
        return
    targets = {task.query.target: task.query for task in tasks if task.query.source == plan.name}
    for target, query in targets.items():
        access = plan.access_to(query)
        try:
            response = client.send(plan.connector.rules.build(target), access)
            closed = plan.connector.rules.parse(response, bool(access.secrets))
        except (SourceError, ParseError):
            continue  # its posts are asked for all the same, and that failure will be told
        for endpoint, told in closed.items():
            asking.close((plan.name, target, endpoint), GapReason.REFUSED, f"{target}: {told}")


def _plan(context: Context, one: PlannedSource) -> Plan:
    opened, name = context.opened_at, one.source.name
    intake = intake_of(context.settings, context.workdir, name, run_id=context.run.run_id, collected_at=opened)
    intake = replace(
        intake, born=one.connector.born, is_news=one.source.is_news, seals_ids=one.connector.refresh is not None
    )
    return Plan(
        name, one.connector, intake, partial(access_to, one.source, one.connector),
        endpoints=frozenset(one.source.endpoints), until=context.run.started_at,
    )  # fmt: skip


def _reported(
    context: Context, planned: Sequence[PlannedSource], keeper: StoreKeeper, asked: Asked, n_requests: int
) -> AskedSources:
    warnings = [f"{one.source.name}: not asked: {one.why_not}" for one in planned if one.why_not]
    askable = {one.source.name for one in planned if not one.why_not}
    for found in source_health(context.engine, context.settings, now=context.run.started_at):
        health = found.health
        if (health.is_alarming or health.state is State.BUDGET) and health.source in askable:
            languages = f"; silent in {', '.join(health.quiet_in)}" if health.quiet_in else ""
            warnings.append(f"{health.source} is {health.state}: {health.told}{languages}")
    merged = keeper.merged
    counts = [
        ("requests", n_requests), ("new_posts", merged.n_new), ("edited_posts", merged.n_edited), ("known_posts", merged.n_known),
        ("deleted_before", merged.n_deleted_before), ("missing_stretches", len(asked.missing)),
    ]  # fmt: skip
    outcomes = list(asked.outcomes.values())
    if not outcomes and not askable:  # nobody could be asked: that is a failed run, not a quiet one
        outcomes = [Outcome(failures=warnings)]
    return AskedSources(outcomes, counts, warnings)
