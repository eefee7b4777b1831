"""The health of all sources, for CLI, dashboard and the run's report alike; and a first question to each target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from screener.collect.health import Health, judge
from screener.collect.http import PoliteClient
from screener.collect.queries import why_not
from screener.collect.registry import connector_of
from screener.errors import ParseError, SourceError
from screener.pipeline.sources import access_to, plan, variables_set
from screener.records import LedgerDay, Span
from screener.settings import Settings
from screener.settings.sources import ApiSource
from screener.store import ledger
from screener.store.database import Engine, reading

LOOKED_AT = timedelta(weeks=2)
"""Ledger days that health and its page look at: the last full week, and one before to compare with."""


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """Health of one source and the ledger rows of the last two weeks behind it."""

    health: Health
    kind: str
    is_news: bool
    days: tuple[LedgerDay, ...]


def source_health(engine: Engine, settings: Settings, *, now: datetime) -> list[SourceHealth]:
    """All sources that are asked over the network, in the order of their names."""
    sources = [source for source in settings.sources if isinstance(source, ApiSource)]
    with reading(engine) as connection:
        runs, answers = ledger.latest_source_runs(connection), ledger.last_answers(connection)
        days = ledger.list_days(connection, sources=[s.name for s in sources], since=_first_day(now))
    return [
        SourceHealth(
            judge(
                source.name, is_enabled=source.enabled, runs=runs.get(source.name, []), days=own,
                last_answer=answers.get(source.name), now=now, min_posts_per_week=source.min_posts_per_week,
            ),
            source.kind, source.is_news, own,
        )
        for source in sources
        for own in (tuple(day for day in days if day.source == source.name),)
    ]  # fmt: skip


def _first_day(now: datetime) -> date:
    return (now - LOOKED_AT).date()


@dataclass(frozen=True, slots=True)
class Checked:
    """What one question to one target came to: posts on its first page, or the problem."""

    source: str
    target: str
    endpoint: str
    n_posts: int | None
    problem: str | None


def check_targets(settings: Settings, source: ApiSource, *, now: datetime) -> Iterator[Checked]:
    """Ask each endpoint of each target once, whether or not the source is switched on; nothing is kept."""
    enabled = source.model_copy(update={"enabled": True})
    connector = connector_of(source.kind)
    if (reason := why_not(enabled, connector, variables_set(enabled))) is not None:
        yield Checked(source.name, "", "", None, reason)
        return
    span = Span(now - timedelta(days=source.lookback_days), now)
    asked: set[tuple[str, str, str]] = set()
    with PoliteClient(settings.runtime.collect) as client:
        for query in plan(settings, enabled, span).queries:
            endpoint = connector.endpoints[query.endpoint]
            door = (query.target, query.endpoint, query.words if endpoint.asks == "target" else "")
            if door in asked or endpoint.asks == "stream":
                continue
            asked.add(door)
            try:
                request = connector.build_request(query, None)
                page = connector.parse_page(client.send(request, access_to(enabled, connector, query)), query)
                yield Checked(source.name, query.target, query.endpoint, len(page.posts), None)
            except (SourceError, ParseError) as error:
                yield Checked(source.name, query.target, query.endpoint, None, str(error))
