"""Which sources a run asks, how it gets in, and why it leaves one alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from screener.collect.access import Access
from screener.collect.connector import Connector, Query
from screener.collect.files import list_files
from screener.collect.normalise import Intake
from screener.collect.queries import plan_source, why_not
from screener.collect.registry import connector_of
from screener.demo import write_demo_file
from screener.errors import ConfigError, UsageError
from screener.records import Span, Window
from screener.settings import Settings
from screener.settings.sources import ApiSource, Credentials, FileSource, Source
from screener.workdir import Workdir


def chosen_sources(settings: Settings, workdir: Workdir, input_path: Path | None = None) -> tuple[Source, ...]:
    """Sources of a run: ``--input`` alone, else all enabled ones, else the demonstration posts."""
    by_name = {source.name: source for source in settings.sources}
    if input_path is not None:
        return (_given(by_name.get("file-drop"), input_path),)
    enabled = tuple(source for source in settings.sources if source.enabled and not getattr(source, "invented", False))
    return enabled or (_demo(by_name.get("demo"), workdir),)


def _given(template: Source | None, input_path: Path) -> FileSource:
    if not input_path.exists():
        raise UsageError(f"--input {input_path}: no such file or folder")
    if not list_files([str(input_path.resolve())], Path.cwd()):
        raise UsageError(f"--input {input_path}: holds no readable files (.jsonl, .ndjson, .csv, also .gz and .zst)")
    if not isinstance(template, FileSource):
        raise UsageError("--input needs config/sources/file-drop.toml, which maps columns")
    return template.model_copy(update={"enabled": True, "paths": (str(input_path.resolve()),)})


def _demo(template: Source | None, workdir: Workdir) -> FileSource:
    if not isinstance(template, FileSource):
        raise UsageError("no source is enabled in config/sources/, and the demonstration source (demo.toml) is missing")
    return template.model_copy(update={"enabled": True, "paths": (str(write_demo_file(workdir.demo).resolve()),)})


def only(sources: tuple[Source, ...], name: str | None) -> tuple[Source, ...]:
    """The source of this name among those of a run, or all; raises ``UsageError`` with the names there are."""
    chosen = tuple(source for source in sources if name in {None, source.name})
    if not chosen:
        raise UsageError(f"--source {name}: not among the enabled sources: {', '.join(s.name for s in sources)}")
    return chosen


def intake_of(settings: Settings, workdir: Workdir, source: str, *, run_id: str, collected_at: datetime) -> Intake:
    """What normalisation needs to know whatever the source; the caller adds what it knows of the source itself."""
    return Intake(
        source=source, run_id=run_id, collected_at=collected_at, key=workdir.pseudonym_key(),
        sectors=frozenset(sector.slug for sector in settings.sectors),
        max_text_characters=settings.runtime.collect.max_text_characters,
    )  # fmt: skip


def variables(source: ApiSource) -> frozenset[str]:
    """Names of the environment variables that the source's credentials are read from."""
    named = [source.credentials, *(target.credentials for target in source.targets)]
    return frozenset(name for credentials in named for name in credentials.model_dump().values() if name)


def variables_set(source: ApiSource) -> frozenset[str]:
    """Those of them that have a value; the values stay where they are."""
    return frozenset(name for name in variables(source) if os.environ.get(name))


def access_to(source: ApiSource, connector: Connector, query: Query) -> Access:
    """The way to a query's target, with its own credentials or the source's."""
    target = next((target for target in source.targets if _base(target.url) == _base(query.target)), None)
    own = target.credentials if target else Credentials()
    named = source.credentials.model_dump(exclude_none=True) | own.model_dump(exclude_none=True)
    return Access(
        source=source.name, target=query.target, seconds_between_requests=source.limits.seconds_between_requests,
        max_requests=source.limits.max_requests_per_run, auth=connector.auth, secrets=_secrets(named),
    )  # fmt: skip


def _secrets(named: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, name in named.items() if (value := os.environ.get(name))}


def _base(url: str) -> str:
    return url.rstrip("/")


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """One source of a run: its connector, the queries in the order of their turns, or why it is not asked and what it would be."""

    source: ApiSource
    connector: Connector
    queries: tuple[Query, ...]
    why_not: str | None
    unasked: tuple[Query, ...] = ()


def plan(settings: Settings, source: ApiSource, span: Span, country: str | None = None) -> PlannedSource:
    """What would be asked of the source; raises ``ConfigError`` for an endpoint that it does not have."""
    connector = connector_of(source.kind)
    reason = why_not(source, connector, variables_set(source))
    if reason is None:
        queries = tuple(plan_source(source, connector, settings, country=country, span=span))
        return PlannedSource(source, connector, queries, None)
    with suppress(ConfigError):  # then the reason says so
        unasked = tuple(plan_source(source, connector, settings, country=country, span=span))
        return PlannedSource(source, connector, (), reason, unasked)
    return PlannedSource(source, connector, (), reason)


def wanted_span(source: ApiSource, days: Window, now: datetime, *, asked_for: Window | None = None) -> Span:
    """The stretch a run asks the source for: ``--since`` to ``--until``, else its look-back up to now, within what is kept."""
    first = datetime.combine(days.start, time(), UTC) if days.start else datetime.min.replace(tzinfo=UTC)
    if asked_for is not None and (asked_for.start or asked_for.end):
        start = datetime.combine(asked_for.start, time(), UTC) if asked_for.start else first
        end = datetime.combine(asked_for.end, time(), UTC) if asked_for.end else now
        if max(first, start) >= min(now, end):
            raise UsageError(
                f"--since {start.date()} --until {end.date()}: lies outside what is kept, {first.date()} to {now.date()} "
                "(housekeeping.keep_texts_days)"
            )
        return Span(max(first, start), min(now, end))
    return Span(max(first, now - timedelta(days=source.lookback_days)), now)


def enabled_api_sources(settings: Settings) -> Iterator[ApiSource]:
    """Sources that are asked over HTTP, whether or not they can be."""
    for source in settings.sources:
        if isinstance(source, ApiSource) and source.enabled:
            yield source
